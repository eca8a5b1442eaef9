"""Microstructures: learned from, filled in, grown, generated; and coercivities of magnets."""
