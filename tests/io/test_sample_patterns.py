"""The sample patterns are what their script makes of the published ones."""

import importlib.util
from pathlib import Path

import pytest

from napari_kikuchi.io import Up2Writer, open_scan

SAMPLES = Path(__file__).parents[2] / "sample_data"
KIKUCHIPY = Path(importlib.util.find_spec("kikuchipy").origin).parent / "data"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location(
        "make_real_patterns", SAMPLES / "make_real_patterns.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nickel(script, tmp_path):
    made = script.make_nickel(KIKUCHIPY / "kikuchipy_h5ebsd/patterns.h5", tmp_path)
    assert made.read_bytes() == (SAMPLES / made.name).read_bytes()


def test_silicon(script, tmp_path):
    """From its own patterns, each in a file, as the published ones are."""
    scan = open_scan(SAMPLES / "silicon_moving_screen.up1")
    published = [tmp_path / f"{col}.up1" for col in range(3)]
    for col, path in enumerate(published):
        with Up2Writer(path, (1, 1), scan.pattern_shape) as writer:
            writer.append(scan.read(0, col))
    made = script.make_silicon(published, tmp_path)
    assert made.read_bytes() == (SAMPLES / made.name).read_bytes()


def test_every_pattern_file_names_its_source():
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in readme
    for path in SAMPLES.glob("*.up?"):
        assert f"`{path.name}`" in readme
