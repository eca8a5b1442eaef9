"""Makers of files that tests of another folder have, too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "io"))

import stem_files

__all__ = ["stem_files"]
