"""Crystals, and how they scatter electrons."""
