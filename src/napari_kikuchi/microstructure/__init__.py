"""Microstructures: learned from polycrystals, filled in, grown, generated on request."""
