"""A bundle's graphs at other precisions, each held against float32 before it may be used."""
