"""A library grows, and is the same however often it was stopped."""

import numpy as np
import pytest

from napari_kikuchi.jobs import finish
from napari_kikuchi.symmetry import phase_library as under_test
from napari_kikuchi.symmetry.classes import class_of
from napari_kikuchi.symmetry.known_phases import known_phases
from napari_kikuchi.symmetry.phase_library import make_library, open_library
from napari_kikuchi.symmetry.sector import NODES
from napari_kikuchi.symmetry.simulated_phase import SimulatedPhase

GROUPS = (225, 229)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Patterns that take no time, and tell whose they are."""

    def simulate(phase, seed):
        values = np.full(NODES, phase.cell + seed, np.float32)
        return SimulatedPhase(values, values / 2, 20.0 + seed, class_of(phase.space_group), 0.5)

    monkeypatch.setattr(under_test, "simulate_phase", simulate)


def test_a_library_holds_the_phases_of_each_group_in_a_row(tmp_path):
    library = finish(make_library(tmp_path / "a.zarr", 3, groups=GROUPS))
    assert library.groups.tolist() == [225] * 3 + [229] * 3
    assert library.shown.tolist() == library.groups.tolist()
    assert [phase.space_group for phase in library.phases] == library.groups.tolist()
    expected = [
        phase.cell + number for phase, number in zip(library.phases, [0, 1, 2] * 2, strict=True)
    ]
    np.testing.assert_allclose(library.dynamical[:, 7], expected, rtol=1e-6)
    np.testing.assert_allclose(library.kinematical, library.dynamical / 2)
    np.testing.assert_allclose(library.voltages, [20, 21, 22] * 2)


def test_of_two_libraries_the_phases_of_some_classes_are_taken(tmp_path):
    one = finish(make_library(tmp_path / "a.zarr", 3, groups=GROUPS))
    other = finish(make_library(tmp_path / "b.zarr", 2, groups=(216, 205)))
    both = one.joined(other)
    assert both.groups.tolist() == [225] * 3 + [229] * 3 + [216] * 2 + [205] * 2
    assert both.classes.tolist() == [225] * 3 + [229] * 3 + [225] * 2 + [205] * 2
    some = both.showing((205, 225))
    assert some.groups.tolist() == [225] * 3 + [216] * 2 + [205] * 2
    assert [phase.space_group for phase in some.phases] == some.groups.tolist()
    np.testing.assert_array_equal(some.voltages, both.voltages[[0, 1, 2, 6, 7, 8, 9]])


def test_a_known_phase_is_another_each_time_and_never_held_out(tmp_path):
    library = finish(make_library(tmp_path / "known.zarr", 2, groups=None))
    library = finish(make_library(tmp_path / "known.zarr", 3, groups=None))
    once = known_phases()
    assert [phase.name for phase in library.phases] == [p.name for p in once for _ in range(3)]
    assert library.groups.tolist() == [p.space_group for p in once for _ in range(3)]
    # All have seeds of their own, which are another's at no other time.
    assert len(np.unique(library.voltages)) == 3 * len(once)
    assert library.known.all()
    random = finish(make_library(tmp_path / "a.zarr", 40, groups=GROUPS))
    both = random.joined(library)
    folds = both.folds(5)
    assert (folds[both.known] == -1).all()
    assert set(folds[~both.known]) == {-1, 0, 1, 2, 3, 4}
    taught = {key for key, known in zip(both.keys, both.known, strict=True) if known}
    assert all((key in taught) == (fold < 0) for key, fold in zip(both.keys, folds, strict=True))


def test_a_stopped_library_goes_on(tmp_path):
    path = tmp_path / "a.zarr"
    job = make_library(path, 20, groups=GROUPS, workers=1)
    for _ in range(2 * 8 + 3):  # One round, and a little of the next.
        next(job)
    job.close()
    assert len(open_library(path)) == 2 * 8
    updates = list(make_library(path, 20, groups=GROUPS))
    assert updates[0].done == 2 * 8
    whole = finish(make_library(tmp_path / "b.zarr", 20, groups=GROUPS))
    again = open_library(path)
    assert len(again) == 40
    np.testing.assert_array_equal(again.dynamical, whole.dynamical)
    assert [one.name for one in again.phases] == [one.name for one in whole.phases]
    # Part of a library is a library.
    part = finish(make_library(path, 5, groups=GROUPS))
    assert len(part) == 10
    np.testing.assert_array_equal(part.dynamical[5:], whole.dynamical[20:25])


def test_folds_share_no_elements_of_a_group(tmp_path):
    library = finish(make_library(tmp_path / "a.zarr", 30, groups=GROUPS))
    folds = library.folds(5)
    assert set(folds) == set(range(5))
    seen = {}
    for fold, phase in zip(folds, library.phases, strict=True):
        key = (phase.space_group, *sorted(phase.debye_waller))
        assert seen.setdefault(key, fold) == fold
    np.testing.assert_array_equal(folds, library.folds(5))


def test_what_is_wrong_is_told(tmp_path):
    path = tmp_path / "a.zarr"
    with pytest.raises(FileNotFoundError, match=r"a\.zarr: expected a library"):
        open_library(path)
    finish(make_library(path, 2, groups=GROUPS))
    with pytest.raises(ValueError, match="at least 3 phases of each group, found 2"):
        open_library(path, 3)
    with pytest.raises(ValueError, match=r"found one of .*.seed.: 0"):
        finish(make_library(path, 2, groups=GROUPS, seed=1))
    import zarr

    other = tmp_path / "other.zarr"
    zarr.open_group(other, mode="w")
    with pytest.raises(FileExistsError, match=r"other\.zarr"):
        finish(make_library(other, 2, groups=GROUPS))
    with pytest.raises(ValueError, match="Make it anew"):
        open_library(other)
