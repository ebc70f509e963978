"""The demo: an orders API and the payments API that it calls."""
