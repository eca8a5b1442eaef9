import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from napari_kikuchi.io.indexed import PHASE
from napari_kikuchi.io.map_store import write_maps
from napari_kikuchi.io.phase_images import read_phases
from napari_kikuchi.maps import Channel, MapStack

SECOND = np.array([[0, 1, 1], [0, 0, 1]])


@pytest.mark.parametrize(
    "pixels",
    [
        (SECOND * 255).astype(np.uint8),
        # Levels of labels, and of 16 bits.
        (SECOND + 1).astype(np.uint8),
        (SECOND * 40000).astype(np.uint16),
        SECOND.astype(bool),
        np.stack([SECOND * 200, SECOND * 90, SECOND * 10], axis=-1).astype(np.uint8),
        # Nowhere opaque.
        np.stack([SECOND * 200] * 3 + [1 - SECOND], axis=-1).astype(np.uint8),
        # Borders that are not quite sharp.
        np.array([[10, 150, 200], [0, 90, 180]], np.uint8),
    ],
)
def test_bright_pixels_are_of_the_second_phase(pixels, tmp_path):
    Image.fromarray(pixels).save(tmp_path / "phases.png")
    found = read_phases(tmp_path / "phases.png")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, SECOND)


def test_palettes_are_colours(tmp_path):
    image = Image.fromarray((1 - SECOND).astype(np.uint8), mode="P")
    image.putpalette([255, 255, 255, 0, 0, 0])
    image.save(tmp_path / "phases.PNG")
    np.testing.assert_array_equal(read_phases(tmp_path / "phases.PNG"), SECOND)


def stored(folder, phases):
    values = np.asarray(phases, np.float32)[None]
    write_maps(folder, MapStack(values, [Channel(PHASE)], (1.0, 1.0), {}))
    return folder


def test_phases_of_maps_are_known_where_something_was_indexed(tmp_path):
    path = stored(tmp_path / "maps.zarr", [[1, 2, np.nan], [0, 1, 2]])
    np.testing.assert_array_equal(read_phases(path), [[0, 1, np.nan], [np.nan, 0, 1]])


@pytest.mark.parametrize(("phases", "told"), [([[1, 3]], "found phase 3"), ([[0, 0]], "none")])
def test_maps_of_other_phases_are_told(phases, told, tmp_path):
    with pytest.raises(ValueError, match=rf"maps\.zarr: expected a map of phases 1 and 2.*{told}"):
        read_phases(stored(tmp_path / "maps.zarr", phases))


def test_maps_without_phases_are_told(tmp_path):
    write_maps(
        tmp_path / "maps.zarr", MapStack(np.zeros((1, 2, 2)), [Channel("quality")], (1.0, 1.0), {})
    )
    with pytest.raises(ValueError, match="a map of phases, found quality"):
        read_phases(tmp_path / "maps.zarr")


def test_what_is_no_picture_is_told(tmp_path):
    path = tmp_path / "phases.png"
    with pytest.raises(FileNotFoundError, match=r"phases\.png"):
        read_phases(path)
    Image.fromarray(np.full((4, 4), 255, np.uint8)).save(path)
    with pytest.raises(ValueError, match="one brightness alone"):
        read_phases(path)
    whole = path.read_bytes()
    for damaged in (b"no picture", whole[: len(whole) // 2], b""):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"phases\.png: expected a PNG picture"):
            read_phases(path)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_that_would_fill_the_memory_is_not_opened(tmp_path):
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = (
        struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    )
    (tmp_path / "phases.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    with pytest.raises(ValueError, match="expected a PNG picture"):
        read_phases(tmp_path / "phases.png")
