"""Space groups and their classes in words."""

import pytest
from diffpy.structure.spacegroups import GetSpaceGroup

from napari_kikuchi.symmetry.classes import CLASSES
from napari_kikuchi.symmetry.summary import SYMBOLS, UNLIKE, class_told, group_name


def test_symbols_are_those_of_the_cubic_groups():
    assert [*SYMBOLS] == [*range(195, 231)]
    for group, symbol in SYMBOLS.items():
        # Without the mark of a subscript.
        assert symbol.replace("_", "") == GetSpaceGroup(group).short_name


@pytest.mark.parametrize(
    ("group", "told"),
    [
        (225, "225 (Fm-3m), or 209, 216, which patterns do not tell from it"),
        (213, "213 (P4_132), or 212, which patterns do not tell from it"),
        (230, "230 (Ia-3d)"),
        # By these no class is called.
        (216, "216 (F-43m)"),
        (194, "194"),
        (0, UNLIKE),
    ],
)
def test_a_class_is_told_with_all_its_groups(group, told):
    assert class_told(group) == told


def test_every_group_is_told_with_its_class():
    for name, groups in CLASSES.items():
        assert class_told(name).startswith(group_name(name))
        assert all(str(group) in class_told(name) for group in groups)
