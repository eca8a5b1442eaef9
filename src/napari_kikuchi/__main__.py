"""``python -m napari_kikuchi``: the command line."""

from napari_kikuchi.cli import main

main()
