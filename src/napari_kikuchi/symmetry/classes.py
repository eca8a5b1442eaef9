"""Which cubic space groups patterns can tell apart.

A pattern shows the Laue class, for both sides of a crystal look all but the same, and which planes
do not reflect. By these two the 36 cubic groups fall into 23 classes. Each is called by the last of
its groups, which has a centre of inversion where one of them has.
"""

from __future__ import annotations

import re
from types import MappingProxyType

#: Groups of each class by the number that it is called by.
CLASSES = MappingProxyType(
    {
        198: (198,), 200: (195, 200), 201: (201,), 202: (196, 202), 203: (203,),
        204: (197, 199, 204), 205: (205,), 206: (206,),
        208: (208,), 210: (210,), 213: (212, 213), 214: (214,), 220: (220,),
        221: (207, 215, 221), 222: (222,), 223: (218, 223), 224: (224,), 225: (209, 216, 225),
        226: (219, 226), 227: (227,), 228: (228,), 229: (211, 217, 229), 230: (230,),
    }
)  # fmt: skip
CUBIC_GROUPS = tuple(range(195, 231))
#: Classes that most metals and compounds are of.
SIX_GROUPS = (221, 223, 225, 227, 229, 230)

_CLASS_OF = {group: name for name, groups in CLASSES.items() for group in groups}
# From here on axes are equal in both senses: Laue class m-3m.
_FIRST_OF_M3M = 207


def classes_of(told: str) -> tuple[int, ...]:
    """Classes that someone has asked for, in ascending order.

    Parameters
    ----------
    told
        "common" for :data:`SIX_GROUPS`, or numbers of cubic space groups between commas or blanks.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    told = told.strip().lower()
    if told == "common":
        return SIX_GROUPS
    numbers = [int(one) for one in re.findall(r"\d+", told)]
    if re.sub(r"[\d\s,;]+", "", told) or not numbers or not {*numbers} <= {*CUBIC_GROUPS}:
        raise ValueError(
            f'space groups: expected "common" or numbers from {CUBIC_GROUPS[0]} to '
            f"{CUBIC_GROUPS[-1]} such as 225, 229, found {told!r}"
        )
    return tuple(sorted({class_of(one) for one in numbers}))


def class_of(space_group: int) -> int:
    """The class of a cubic space group, both by their numbers."""
    return _CLASS_OF[space_group]


def is_m3(space_group: int) -> bool:
    """Whether a cubic group, or class, is of Laue class m-3: without fourfold axes."""
    return space_group < _FIRST_OF_M3M
