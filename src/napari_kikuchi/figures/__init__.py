"""Figures for a publication: maps, the regions on them, their patterns and profiles."""
