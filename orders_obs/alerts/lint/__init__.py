"""Checks that need no network."""
