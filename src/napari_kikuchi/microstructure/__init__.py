"""Microstructures: learned from polycrystals, filled in, grown, generated, and their coercivities."""
