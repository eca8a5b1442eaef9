"""CIF files that anyone may have written, read within bounds.

diffpy's parser evaluates the numbers of symmetry operations as Python, and takes its time: what it
is given is looked at before.
"""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from diffpy.structure.parsers.p_cif import P_cif
from diffpy.structure.spacegroups import GetSpaceGroup, IsSpaceGroupIdentifier

from napari_kikuchi.untrusted import shown

# As in 1/2+x or -y+0.25: nothing else is a coordinate of an equivalent position.
_TERM = r"(?:[xyz]|\d{1,4}(?:\.\d{0,9})?(?:/\d{1,4})?|\.\d{1,9})"
_COORDINATE = re.compile(rf"[+-]?{_TERM}(?:[+-]{_TERM})*", re.IGNORECASE | re.ASCII)
_OPERATIONS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
_NAMES = (
    "_space_group_name_H-M_alt",
    "_space_group_name_H-M_ref",
    "_symmetry_space_group_name_H-M",
)
_NUMBERS = ("_space_group_IT_number", "_symmetry_Int_Tables_number")
_NO_NAME = ("", "?", ".")
# Monoclinic and orthorhombic ones.
_OF_SEVERAL_SETTINGS = frozenset(map(str, range(3, 75)))
# Of a cubic crystal with a face-centred lattice.
_MOST_OPERATIONS = 192
# Sites of atoms that symmetry has not repeated yet: of large oxides some dozens, of a model that a
# calculation has left without symmetry some hundreds. And as many after symmetry repeats them as
# of two hundred in the highest.
_MOST_SITES = 2000
_MOST_REPEATED = 200 * _MOST_OPERATIONS


def parse_cif(text: str) -> tuple[Any, int]:
    """Structure, as diffpy has it, and number of the space group of the first crystal of a file.

    Raises
    ------
    Exception
        Whatever diffpy's steps happen to raise, if the file is damaged or incomplete.
    """
    parser = _Parser()
    with redirect_stdout(StringIO()):  # Where the parser tells of what it dislikes.
        structure = parser.parse(text)
    return structure, parser.spacegroup.number


class _Parser(P_cif):
    """Looks at what diffpy's own steps are about to read."""

    def _parse_atom_site_label(self, block: Any) -> None:
        sites = len(block["_atom_site_label"])
        if sites > _MOST_SITES:
            raise ValueError(f"expected at most {_MOST_SITES} sites of atoms, found {sites}")
        super()._parse_atom_site_label(block)

    def _parse_space_group_symop_operation_xyz(self, block: Any) -> None:
        for name in _OPERATIONS:
            if name in block:
                _check_operations(block[name])
        if not any(name in block for name in _OPERATIONS):
            _tell_setting(block)
        super()._parse_space_group_symop_operation_xyz(block)

    def _expandAsymmetricUnit(self, block: Any) -> None:
        operations = sum(1 for _ in self.spacegroup.iter_symops())
        if len(self.stru) * operations > _MOST_REPEATED:
            raise ValueError(
                f"expected at most {_MOST_REPEATED // operations} sites of atoms, which "
                f"{operations} symmetry operations repeat, found {len(self.stru)}"
            )
        super()._expandAsymmetricUnit(block)


def _tell_setting(block: Any) -> None:
    """Let the name of a space group, which tells its setting, count for more than its number.

    Raises
    ------
    ValueError
        If the two disagree, or the setting matters and is not known.
    """
    name = next((str(block[key]).strip() for key in _NAMES if key in block), "")
    number = next((str(block[key]).strip() for key in _NUMBERS if key in block), "")
    same = [name, name.replace(" ", "")]
    match name.split():
        case [lattice, axis]:  # As monoclinic ones are written, too.
            same.append(f"{lattice} 1 {axis} 1")
    known = next((one for one in same if one and IsSpaceGroupIdentifier(one)), None)
    if known is None:
        origin = re.search(r":\s*[12]\s*$", name)
        if origin or (name not in _NO_NAME and number in _OF_SEVERAL_SETTINGS):
            raise ValueError(
                f"expected symmetry operations, as the setting of the space group {shown(name)} "
                "is not known"
            )
        return
    group = GetSpaceGroup(known)
    if number.isdecimal() and int(number) != group.number % 1000:
        raise ValueError(
            f"expected the number {group.number % 1000} of the space group {shown(name)}, found "
            f"{number}"
        )
    block[_NUMBERS[0]] = str(group.number)


def _check_operations(operations: Any) -> None:
    if not isinstance(operations, list) or len(operations) > _MOST_OPERATIONS:
        raise ValueError(f"expected at most {_MOST_OPERATIONS} symmetry operations in a loop")
    for operation in operations:
        coordinates = str(operation).replace(" ", "").split(",")
        if len(coordinates) != 3 or not all(map(_COORDINATE.fullmatch, coordinates)):
            raise ValueError(
                f"expected symmetry operations as x,-y,1/2+z, found {shown(operation)}"
            )
