"""Round lengths, and how they are written."""

from __future__ import annotations

import math

# Of the width of a map.
_LONGEST = 0.3


def round_length(width: float) -> float:
    """Length of a scale bar: 1, 2 or 5 times a power of ten, the longest within 30 % of the width.

    It is 12 % of the width at least: from 2 to 5 lies a factor of 2.5.

    Parameters
    ----------
    width
        Of the map in µm, above 0.

    Returns
    -------
    float
        In µm.
    """
    longest = _LONGEST * width
    power = math.floor(math.log10(longest))
    # Counted from a power below, because a logarithm may be off by its rounding error.
    candidates = [
        float(f"{digit}e{exponent}")
        for exponent in range(power - 1, power + 2)
        for digit in (1, 2, 5)
    ]
    return max(one for one in candidates if one <= longest)


def length_text(length: float) -> str:
    """A round length in the unit that suits it: nm, µm or mm."""
    for unit, factor in (("mm", 1e-3), ("µm", 1.0)):
        if length * factor >= 1:
            return f"{length * factor:g} {unit}"
    return f"{length * 1e3:g} nm"
