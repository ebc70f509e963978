"""The demonstration: one request followed through every screen."""
