"""What crystals are called, and how a person is told of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_kikuchi.crystals.crystal import Crystal

# Those that are known without a file, by the names that people and that commands use.
CRYSTALS = [
    ("copper", "cu"),
    ("nickel", "ni"),
    ("aluminium", "al"),
    ("iron (bcc)", "fe"),
    ("titanium (hcp)", "ti"),
]
_AXES, _ANGLES = "abc", "αβγ"
# Lengths in Å and angles in degrees are the same if no more than that is between them.
_ALIKE = 1e-4


def cell_text(crystal: Crystal) -> str:
    """Lattice parameters, none of them twice: lengths in Å, and angles that are not right ones."""
    cell = crystal.phase.structure.lattice.abcABG()
    lengths, angles = cell[:3], cell[3:]
    told: list[str] = []
    for i, (axis, length) in enumerate(zip(_AXES, lengths, strict=True)):
        # Not again for an axis that is as long as an earlier one.
        if all(abs(length - other) > _ALIKE for other in lengths[:i]):
            told.append(f"{axis} {length:.4g}")
    text = ", ".join(told) + " Å"
    turned = [
        f"{name} {angle:.4g}°"
        for name, angle in zip(_ANGLES, angles, strict=True)
        if abs(angle - 90) > _ALIKE
    ]
    return ", ".join([text, *turned])


def space_group_text(crystal: Crystal) -> str:
    """Symbol and number of the space group."""
    group = crystal.phase.space_group
    return f"{group.short_name} ({group.number})"
