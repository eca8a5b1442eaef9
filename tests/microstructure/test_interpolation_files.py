from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from napari_kikuchi.jobs import finish
from napari_kikuchi.microstructure.interpolation_files import (
    interpolation_files,
    write_interpolation,
)
from napari_kikuchi.microstructure.scan_pictures import Interpolation


def test_files_stand_beside_that_of_the_colours(tmp_path):
    files = interpolation_files(tmp_path / "a.b.tiff")
    names = [path.name for path in files]
    assert names == ["a.b.tiff", "a.b.phase.tiff", "a.b.png", "a.b.svg"]
    assert {path.parent for path in files} == {tmp_path}
    with pytest.raises(ValueError, match=r"way: expected a name that ends with \.tif"):
        interpolation_files("way")


@pytest.mark.parametrize("across", [4096, 45])
def test_the_figure_shows_the_row_and_its_phases_below(across, tmp_path, monkeypatch):
    """Wide ones by every second point."""
    monkeypatch.setattr("napari_kikuchi.microstructure.interpolation_files._SHOWN", across)
    monkeypatch.setattr("napari_kikuchi.figures.save._DOTS_PER_INCH", 100)
    # Red, green and blue; the first and the last are of the second phase.
    pictures = np.zeros((3, 4, 20, 30), np.float32)
    for number in range(3):
        pictures[number, number] = 1
    pictures[::2, 3] = 1
    found = Interpolation(
        pictures,
        ((20, 30), (20, 30)),
        (0, 0),
        [0, 0.5, 1],
        ((0.5, 0.5), (0.5, 0.25)),
        {"microstructure": {"along": "y"}},
    )
    files = interpolation_files(tmp_path / "way.tif")
    finish(write_interpolation(files, found))
    with Image.open(files.png) as opened:
        shown = np.asarray(opened.convert("RGB"))
    centres = []
    for number in range(3):
        own = (shown == 255 * np.eye(3, dtype=int)[number]).all(axis=-1)
        rows, cols = np.nonzero(own)
        assert np.ptp(cols) / np.ptp(rows) == pytest.approx(30 / 20, rel=0.02)
        centres.append((int(rows.mean()), int(cols.mean()), int(np.ptp(rows))))
    assert centres[0][1] < centres[1][1] < centres[2][1]
    below = [shown[row + int(1.06 * height), col].tolist() for row, col, height in centres]
    assert below == [[255] * 3, [0] * 3, [255] * 3]
    (of_steps,) = found.remarks()
    assert "steps of 0.5 × 0.5 and 0.5 × 0.25 µm" in of_steps
    text = "".join(ElementTree.parse(files.svg).getroot().itertext())
    assert "3 weights from 0 to 1" in text
