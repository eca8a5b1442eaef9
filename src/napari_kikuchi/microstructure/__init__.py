"""Microstructures of two phases: their properties, and those that have wanted ones."""
