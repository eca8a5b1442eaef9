"""Classes of cubic groups, against absences that diffpy's operations give."""

from itertools import product

import numpy as np
import pytest

from napari_kikuchi.symmetry.classes import CLASSES, SIX_GROUPS, class_of, classes_of, is_m3

CUBIC = range(195, 231)
PLANES = np.array([one for one in product(range(-6, 7), repeat=3) if any(one)])


def operations(group):
    from diffpy.structure.spacegroups import GetSpaceGroup

    listed = list(GetSpaceGroup(group).iter_symops())
    return np.array([one.R for one in listed]), np.array([one.t for one in listed])


def absent(group):
    """Which planes reflect nothing, whatever atoms there are."""
    turns, shifts = operations(group)
    kept = np.einsum("pi,oij->poj", PLANES, turns) == PLANES[:, None]
    phases = np.rint(PLANES @ shifts.T * 24).astype(int) % 24
    return (kept.all(axis=2) & (phases != 0)).any(axis=1)


@pytest.fixture(scope="module")
def seen():
    """Laue class and absences of every cubic group."""
    found = {}
    for group in CUBIC:
        turns, _ = operations(group)
        # About z, by a quarter or with an inversion, or a mirror along a diagonal.
        fourfold = any(abs(turn[2, 2]) == 1 and turn[0, 0] == 0 for turn in turns)
        found[group] = (bool(fourfold), absent(group).tobytes())
    return found


def test_groups_of_a_class_are_alike_and_classes_differ(seen):
    assert sorted(group for groups in CLASSES.values() for group in groups) == [*CUBIC]
    assert len(CLASSES) == len(set(seen.values())) == 23
    for name, groups in CLASSES.items():
        assert len({seen[group] for group in groups}) == 1
        assert name == max(groups)
        assert {class_of(group) for group in groups} == {name}
    assert set(SIX_GROUPS) <= CLASSES.keys()


def test_laue_class_is_that_of_the_operations(seen):
    for group in CUBIC:
        assert is_m3(group) == (not seen[group][0])


def test_classes_are_asked_for_by_name_or_by_any_of_their_groups():
    assert classes_of(" Common ") == SIX_GROUPS
    assert classes_of("225, 229;216 207") == (221, 225, 229)
    for wrong in ("", "Fm-3m", "194", "225, -3", "2.25"):
        with pytest.raises(ValueError, match="expected"):
            classes_of(wrong)
