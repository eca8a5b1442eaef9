"""Figures as pixels."""

from io import BytesIO

import numpy as np
from matplotlib.image import imread

DPI = 300


def pixels(figure):
    """Red, green and blue of a figure between 0 and 255, of shape (height, width, 3)."""
    file = BytesIO()
    figure.savefig(file, format="png", dpi=DPI)
    file.seek(0)
    return np.rint(imread(file)[..., :3] * 255).astype(int)


def at(picture, left, top):
    """Colour at a place in mm."""
    return picture[int(top * DPI / 25.4), int(left * DPI / 25.4)]


def longest_run(mask):
    """Length of the longest run of true pixels along the rows."""
    best = 0
    for row in mask:
        ends = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
        best = max(best, *(ends[1::2] - ends[::2]), 0) if len(ends) else best
    return best
