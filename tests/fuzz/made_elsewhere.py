"""Makers of files that tests of other folders have, too."""

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("io", "orientation")]

import cif_files
import stem_files

__all__ = ["cif_files", "stem_files"]
