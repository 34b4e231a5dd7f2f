"""What runs a bundle's graphs: one module a backend, each with a class that is a `base.Runner`."""
