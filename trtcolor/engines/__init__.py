"""Engines: what a backend runs faster than a bundle's graphs, built once, checked and kept."""
