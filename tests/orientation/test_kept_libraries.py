"""Libraries are simulated once, and never found under settings that are not theirs."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.io.output import sole_writer
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation import kept_libraries
from napari_kikuchi.orientation.kept_libraries import LibrarySettings, library_key, library_of

SETTINGS = LibrarySettings(thicknesses=(100.0,), kinematical=True, k_max=1.0, step=15, fine_step=5)


@pytest.fixture(scope="module")
def copper():
    return Crystal.built_in("cu")


def updates(job):
    seen = []
    return finish(job, seen.append), seen


def test_the_second_time_a_library_is_found_and_is_the_same(copper, tmp_path):
    first, simulated = updates(library_of(copper, SETTINGS, tmp_path))
    second, found = updates(library_of(copper, SETTINGS, tmp_path))
    assert simulated
    assert not found
    for name in ("operators", "rotations", "tilts", "thicknesses", "positions", "amplitudes"):
        assert torch.equal(getattr(first, name), getattr(second, name)), name
    assert (first.crystal, first.voltage, first.k_max) == ("Cu", 300.0, 1.0)


@pytest.mark.parametrize(
    "change",
    [
        {"voltage": 200.0},
        {"thicknesses": (100.0, 200.0)},
        {"kinematical": False},
        {"k_max": 1.1},
        {"step": 14.0},
        {"fine_step": 4.0},
    ],
)
def test_other_settings_are_simulated_anew(copper, tmp_path, change):
    finish(library_of(copper, SETTINGS, tmp_path))
    _, seen = updates(library_of(copper, replace(SETTINGS, **change), tmp_path))
    assert seen


def test_a_crystal_that_was_changed_is_simulated_anew(copper, tmp_path):
    finish(library_of(copper, SETTINGS, tmp_path))
    for change in (
        {"debye_waller": copper.debye_waller * 2},
        {"occupancies": copper.occupancies * 0.5},
        {"elements": ("Ni",) * 4},
        {"positions": np.roll(copper.positions, 1, axis=0)},
        {"name": "my copper"},
    ):
        _, seen = updates(library_of(replace(copper, **change), SETTINGS, tmp_path))
        assert seen, change
    nickel = Crystal.built_in("ni")
    assert updates(library_of(nickel, SETTINGS, tmp_path))[1]


def test_templates_of_another_generation_are_not_used(copper, tmp_path, monkeypatch):
    finish(library_of(copper, SETTINGS, tmp_path))
    monkeypatch.setattr(kept_libraries, "_GENERATION", 10**6)
    assert updates(library_of(copper, SETTINGS, tmp_path))[1]


def test_a_damaged_file_is_replaced(copper, tmp_path):
    first = finish(library_of(copper, SETTINGS, tmp_path))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:500])
    second, seen = updates(library_of(copper, SETTINGS, tmp_path))
    assert seen
    assert torch.equal(first.amplitudes, second.amplitudes)
    assert not updates(library_of(copper, SETTINGS, tmp_path))[1]


def test_a_cache_that_cannot_be_written_to_is_done_without(copper, tmp_path):
    closed = tmp_path / "a file"
    closed.write_text("no folder")
    library = finish(library_of(copper, SETTINGS, closed))
    kept = finish(library_of(copper, SETTINGS, tmp_path / "open"))
    assert torch.equal(library.amplitudes, kept.amplitudes)


def test_what_was_not_used_for_the_longest_time_makes_room(copper, tmp_path, monkeypatch):
    crystals = [replace(copper, name=name) for name in ("first", "second", "third")]
    size = 0
    for age, crystal in enumerate(crystals[:2]):
        before = set(tmp_path.iterdir())
        finish(library_of(crystal, SETTINGS, tmp_path))
        (file,) = set(tmp_path.iterdir()) - before
        os.utime(file, (10 + age, 10 + age))
        size = file.stat().st_size
    finish(library_of(crystals[0], SETTINGS, tmp_path))  # Used now.
    monkeypatch.setattr(kept_libraries, "_MOST_BYTES", int(2.5 * size))
    finish(library_of(crystals[2], SETTINGS, tmp_path))
    kept = [updates(library_of(crystals[i], SETTINGS, tmp_path))[1] for i in (0, 2)]
    assert kept == [[], []]
    assert updates(library_of(crystals[1], SETTINGS, tmp_path))[1]


def test_what_another_process_is_writing_is_left_to_it(copper, tmp_path):
    file = tmp_path / f"{library_key(copper, SETTINGS)}.safetensors"
    begun = tmp_path / f"{file.name}.partial"
    with sole_writer(file):
        begun.write_text("half of a library")
        found, simulated = updates(library_of(copper, SETTINGS, tmp_path))
        assert simulated
        assert len(found.amplitudes)
        assert begun.read_text() == "half of a library"
        assert not file.exists()
    # The other one was killed: the next time it is kept.
    finish(library_of(copper, SETTINGS, tmp_path))
    assert list(tmp_path.iterdir()) == [file]


def test_what_killed_processes_left_is_removed(copper, tmp_path):
    left, running = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    for one in (left, running):
        one.with_name(f"{one.name}.partial").touch()
    left.with_name(f"{left.name}.lock").touch()
    with sole_writer(running):
        finish(library_of(copper, SETTINGS, tmp_path))
        names = {path.name for path in tmp_path.iterdir()}
    kept = f"{library_key(copper, SETTINGS)}.safetensors"
    assert names == {kept, "b.safetensors.partial", "b.safetensors.lock"}
