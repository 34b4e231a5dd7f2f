"""Measures of colour pictures and clips; one module a kind, imported by its own name."""
