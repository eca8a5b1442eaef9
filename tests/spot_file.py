"""A 4D-STEM scan in a file, with steps in nm."""

import numpy as np

from napari_kikuchi.io.hyperspy_writer import write_hspy


def write_spot_file(path, scan):
    """Write a scan of which the steps are 2 nm, and nothing is told of the detector."""
    write_hspy(path, np.asarray(scan.patterns), (0.002, 0.002))
    return path
