"""The symmetry of crystals from their Kikuchi patterns."""
