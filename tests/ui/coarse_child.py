"""The command line, with libraries so coarse that they are soon simulated.

The first argument is the folder in which they are kept, instead of the user's.
"""

import sys
from pathlib import Path

from napari_kikuchi.cli import main
from napari_kikuchi.orientation import kept_libraries
from napari_kikuchi.orientation.templates import kinematical_library

folder = Path(sys.argv.pop(1))


def _coarse(crystal, **options):
    return kinematical_library(crystal, **options | {"k_max": 1.5, "step": 4.0, "fine_step": 0.8})


kept_libraries._user_folder = lambda: folder
kept_libraries.kinematical_library = _coarse
main()
