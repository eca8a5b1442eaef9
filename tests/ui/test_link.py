from copy import deepcopy

import numpy as np
import pytest
from napari.layers import Image

from napari_kikuchi.io import open_scan
from napari_kikuchi.ui.link import (
    LayerLink,
    OtherScanError,
    ScanLink,
    link_of,
    position_in,
    scan_of,
)


def test_finds_the_scan_that_the_maps_name(scan_file, stack):
    assert ScanLink(record=stack.provenance["scan"]).find().path == scan_file


def test_finds_a_scan_that_has_moved_with_its_maps(scan_file, stack, tmp_path):
    moved = tmp_path / "archive"
    moved.mkdir()
    scan_file.rename(moved / scan_file.name)
    link = ScanLink(record=stack.provenance["scan"], folder=moved)
    assert link.find().path == moved / scan_file.name


def test_says_where_it_looked(scan_file, stack):
    scan_file.unlink()
    with pytest.raises(FileNotFoundError, match=r"weld: scan not found at .*weld.up2"):
        ScanLink(record=stack.provenance["scan"]).find()


def test_another_scan_is_not_taken_for_it(stack, patterns, tmp_path, write_scan):
    link = ScanLink(record=stack.provenance["scan"])
    with pytest.raises(OtherScanError, match=r"another scan: .*\[12, 16, 10, 10\].*\[6, 16"):
        link.open_at(write_scan(tmp_path / "half.up2", patterns[:6]))
    with pytest.raises(OtherScanError, match="same shape, but its patterns differ"):
        link.open_at(write_scan(tmp_path / "other.up2", patterns[::-1]))


def test_a_scan_that_was_opened_in_a_way_of_tomorrow_is_not_opened_in_another(scan_file, stack):
    record = {**stack.provenance["scan"], "options": {"unfold": True}}
    with pytest.raises(OtherScanError, match=r"weld\.up2: .*opened with unfold.*Update it"):
        ScanLink(record=record).find()


def test_a_copied_layer_is_tied_to_the_same_scan(scan_file):
    link = LayerLink(ScanLink(open_scan(scan_file)))
    layer = Image(np.zeros((12, 16)), metadata=link.metadata())
    copied = deepcopy(layer.metadata)
    assert copied == layer.metadata
    assert scan_of(layer).path == scan_file
    assert link_of(Image(np.zeros((2, 2)))) is None


@pytest.mark.parametrize(
    ("world", "position"),
    [
        ((10.0, 20.0), (0, 0)),
        ((10.24, 20.1), (0, 0)),
        ((10.26, 20.13), (1, 1)),
        ((15.5, 23.75), (11, 15)),
        ((15.8, 23.75), None),
        ((9.7, 20.0), None),
        ((7.0, 10.26, 20.13), (1, 1)),
    ],
)
def test_position_is_the_nearest_pixel_of_the_map(world, position):
    layer = Image(np.zeros((12, 16)), scale=(0.5, 0.25), translate=(10, 20))
    assert position_in(layer, world) == position
