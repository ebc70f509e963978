"""The alert catalogue: written once, compiled to every engine."""
