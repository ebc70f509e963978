"""From alerts to what an engine takes, one module an engine."""
