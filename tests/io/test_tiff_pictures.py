import json

import numpy as np
import pytest
import tifffile

from napari_kikuchi.io.tiff_pictures import write_tiff_pictures


def test_imagej_finds_colours_names_and_scale(tmp_path):
    pictures = np.random.default_rng(0).random((2, 3, 4, 5))
    path = tmp_path / "pictures.tif"
    write_tiff_pictures(path, pictures, ["a", "µ"], (0.25, 0.4), {"scan": {"name": "Zelle"}})
    with tifffile.TiffFile(path) as file:
        found, told, page = file.asarray(), file.imagej_metadata, file.pages[0]
        assert found.shape == (2, 4, 5, 3)
        assert np.abs(np.moveaxis(found, -1, 1) - 255 * pictures).max() <= 0.5
        assert page.photometric == tifffile.PHOTOMETRIC.RGB
        assert (told["slices"], told["unit"], told["Labels"]) == (2, "um", ["a", "µ"])
        per_um = [np.divide(*page.tags[name].value) for name in ("YResolution", "XResolution")]
        np.testing.assert_allclose(per_um, [1 / 0.25, 1 / 0.4])
        assert json.loads(told["Info"])["provenance"] == {"scan": {"name": "Zelle"}}


def test_more_pictures_than_imagej_reads_are_refused(tmp_path):
    huge = np.broadcast_to(np.float32(0), (50, 3, 6000, 5000))
    with pytest.raises(ValueError, match=r"50 pictures need 4\.5 GB.*fewer pictures"):
        write_tiff_pictures(tmp_path / "huge.tif", huge, [""] * 50, (1, 1), {})
    assert not list(tmp_path.iterdir())
