"""Lines: one JSON object each, or a readable console in development."""
