"""Files in and out."""

from napari_kikuchi.io.errors import PatternFileError, UnknownGridError
from napari_kikuchi.io.opening import EXTENSIONS, open_scan
from napari_kikuchi.io.recognise import is_pattern_file
from napari_kikuchi.io.up2_writer import Up2Writer, write_scan

__all__ = [
    "EXTENSIONS",
    "PatternFileError",
    "UnknownGridError",
    "Up2Writer",
    "is_pattern_file",
    "open_scan",
    "write_scan",
]
