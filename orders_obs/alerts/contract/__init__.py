"""The metric contract: what alerts and dashboards use is what the code emits, known without running anything."""
