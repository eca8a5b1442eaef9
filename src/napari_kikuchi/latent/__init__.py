"""Latent features of patterns: encoders, how they are trained, and the maps they give."""
