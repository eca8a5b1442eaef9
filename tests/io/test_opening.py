"""Opening a scan: options, memory, and what is not imported."""

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from up2_files import patterns_of, version_3

import napari_kikuchi
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.up2 import LONG_HEADER

SAMPLES = Path(__file__).parents[2] / "sample_data"


@pytest.fixture
def path(tmp_path):
    return version_3(tmp_path / "scan.up2", patterns_of(6, height=5, width=8), 2, 3)


@pytest.fixture(scope="module")
def huge(tmp_path_factory):
    """415 GB that take no place on the disk, but for one pattern."""
    path = tmp_path_factory.mktemp("huge") / "huge.up2"
    with path.open("wb") as file:
        file.write(LONG_HEADER.pack(3, 480, 480, 42, 0, 900, 1000, 0, 1.0, 1.0))
        file.seek(42 + (700 * 900 + 11) * 480 * 480 * 2)
        file.write(np.arange(480 * 480, dtype="<u4").astype("<u2").tobytes())
        file.truncate(42 + 1000 * 900 * 480 * 480 * 2)
    return path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shape": (3, 2)},
        {"step": 0.5},
        {"step": (0.5, 0.25)},
        {"crop": True, "flip": True},
        {"shape": (4, 2), "allow_partial": True},
    ],
)
def test_options_open_the_same_scan_again_after_json(path, options):
    scan = open_scan(path, **options)
    assert scan.options.keys() == options.keys()
    again = open_scan(scan.path, **json.loads(json.dumps(scan.options)))
    assert again.options == scan.options
    assert again.shape == scan.shape
    assert again.step == scan.step
    assert again.fingerprint() == scan.fingerprint()


def test_crop_keeps_the_central_square(path):
    scan = open_scan(path, crop=True)
    assert scan.pattern_shape == (5, 5)
    np.testing.assert_array_equal(scan.read(1, 1), open_scan(path).read(1, 1)[:, 1:6])


def test_flip_turns_patterns_upside_down(path):
    flipped = open_scan(path, flip=True).read(1, 1)
    np.testing.assert_array_equal(flipped, np.flipud(open_scan(path).read(1, 1)))
    assert flipped.flags.c_contiguous


def test_crop_and_flip_together(path):
    both = open_scan(path, crop=True, flip=True).read(0, 2)
    np.testing.assert_array_equal(both, np.flipud(open_scan(path, crop=True).read(0, 2)))


def test_a_relative_path_and_text_will_do(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    scan = open_scan("scan.up2")
    assert scan.path == path
    assert scan.path.is_absolute()


def test_the_largest_map_opens_and_reads_in_little_memory(huge):
    tracemalloc.start()
    try:
        scan = open_scan(huge)
        opened = tracemalloc.get_traced_memory()[1]
        pattern = scan.read(700, 11)
        read = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert scan.shape == (1000, 900, 480, 480)
    assert opened < 20e6
    assert read < 20e6
    np.testing.assert_array_equal(pattern.ravel(), np.arange(480 * 480) % 2**16)
    assert not scan.read(999, 899).any()


def test_one_pattern_of_the_stack_reads_its_own_bytes_only(huge, monkeypatch):
    scan = open_scan(huge)
    filled = []
    fill = type(scan.source)._fill

    def counting(self, out, first):
        filled.append((first, out.nbytes))
        fill(self, out, first)

    monkeypatch.setattr(type(scan.source), "_fill", counting)
    pattern = scan.patterns[700, 11].compute()
    assert filled == [(700 * 900 + 11, 480 * 480 * 2)]
    assert pattern[0, 1] == 1


def test_opening_imports_no_heavy_library(path):
    script = (
        "import sys; from napari_kikuchi import open_scan; "
        f"open_scan({str(path)!r}).read(0, 0); "
        "heavy = {'torch', 'kikuchipy', 'dask', 'h5py', 'scipy', 'zarr', 'qtpy', 'napari'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_package_offers_it():
    assert napari_kikuchi.open_scan is open_scan


class TestSampleData:
    def test_nickel_is_kikuchipys(self):
        import kikuchipy

        scan = open_scan(SAMPLES / "nickel_3x3.up2")
        signal = kikuchipy.data.nickel_ebsd_small()
        np.testing.assert_array_equal(scan.patterns.compute(), signal.data)
        assert scan.step == (1.5, 1.5)

    def test_silicon_holds_three_whole_patterns(self):
        scan = open_scan(SAMPLES / "silicon_moving_screen.up1")
        assert scan.shape == (1, 3, 480, 480)
        assert scan.dtype == np.uint8
        assert all(scan.read(0, col).std() > 20 for col in range(3))
