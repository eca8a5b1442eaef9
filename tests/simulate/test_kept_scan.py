"""Simulated scans are kept until they would be others."""

import shutil
from dataclasses import replace

import pytest

from napari_kikuchi.io.map_store import read_provenance
from napari_kikuchi.jobs import finish
from napari_kikuchi.simulate import kept_scan as kept
from napari_kikuchi.simulate import make_structure, simulate_scan, truth_path
from napari_kikuchi.simulate.kept_scan import kept_scan

STRUCTURE = make_structure("wrought", 2, 3, seed=1)


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Ask for the scan of a structure: its path, and whether it had to be simulated."""
    monkeypatch.setattr("napari_kikuchi.io.places.user_folder", lambda: tmp_path / "user")

    def ask(structure=STRUCTURE):
        runs = []

        def simulate(path):
            runs.append(path)
            return (yield from simulate_scan(path, structure, pattern_size=(10, 10)))

        told = {"structure": structure.settings}
        path = finish(kept_scan("small.up2", told, simulate))
        assert runs in ([], [path])
        return path, bool(runs)

    return ask


def test_it_is_simulated_once_and_lies_among_the_users_data(ask, tmp_path):
    path, simulated = ask()
    assert simulated
    assert path.is_relative_to(tmp_path / "user")
    assert ask() == (path, False)


def test_other_settings_make_it_anew(ask):
    path, _ = ask()
    other = replace(STRUCTURE, settings={**STRUCTURE.settings, "grain_size": 3.0})
    assert ask(other) == (path, True)
    assert read_provenance(truth_path(path))["settings"]["structure"]["grain_size"] == 3.0
    assert ask() == (path, True)


def test_another_version_makes_it_anew(ask, monkeypatch):
    path, _ = ask()
    monkeypatch.setattr(kept, "__version__", "0.0.1")
    assert ask() == (path, True)


def test_where_scan_or_truth_is_missing_it_is_made_anew(ask):
    path, _ = ask()
    path.unlink()
    assert ask() == (path, True)
    shutil.rmtree(truth_path(path))
    assert ask() == (path, True)
    assert ask() == (path, False)
