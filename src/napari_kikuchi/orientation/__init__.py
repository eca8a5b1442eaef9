"""Orientations of crystals from the diffraction spots of a transmission electron microscope."""
