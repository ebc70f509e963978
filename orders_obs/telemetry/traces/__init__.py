"""Spans: where they come from, how their context travels, and how they become OTLP."""
