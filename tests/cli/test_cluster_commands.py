"""The same commands on the workers of a cluster."""

import json
import subprocess
import sys

import numpy as np
import pytest

from napari_kikuchi.io import Up2Writer
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.samples import shipped_encoder


@pytest.fixture
def scan_file(tmp_path):
    patterns = np.random.default_rng(0).integers(100, 4000, (12, 16, 20, 20))
    with Up2Writer(tmp_path / "weld.up2", (12, 16), (20, 20)) as file:
        file.append(patterns.astype(np.uint16))
    return tmp_path / "weld.up2"


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "napari_kikuchi", *map(str, arguments)],
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        check=False,
    )


def test_maps_by_two_workers_are_those_by_threads(scan_file, tmp_path):
    here, there = tmp_path / "here.zarr", tmp_path / "there.zarr"
    assert run("maps", scan_file, "--out", here).returncode == 0
    done = run("maps", scan_file, "--out", there, "--scheduler", "local", "--workers", 2, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"] == str(there)
    np.testing.assert_array_equal(read_maps(there).values[:], read_maps(here).values[:])


def test_patterns_by_two_workers_are_those_by_threads(tmp_path):
    asked = ("decode", "--random", "12,16", "--model", shipped_encoder())
    here, there = tmp_path / "here.up2", tmp_path / "there.up2"
    done = run(*asked, "--out", here, "--workers", 2)
    assert done.returncode == 0, done.stderr
    done = run(*asked, "--out", there, "--scheduler", "local", "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert there.read_bytes() == here.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here.up2", "there.up2"]


def test_what_would_change_nothing_is_refused(scan_file):
    where = ("--scheduler", "tcp://127.0.0.1:9")
    refused = run("encode", scan_file, *where, "--workers", 2)
    assert "a scheduler has the workers that it has: leave out --workers" in refused.stderr
    decode = ("decode", "--random", "2,2", "--out", scan_file.with_name("new.up2"))
    for command in (("encode", scan_file), decode):
        refused = run(*command, *where, "--device", "cpu")
        assert "leave out --device" in refused.stderr
