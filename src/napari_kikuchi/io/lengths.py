"""Lengths in the units in which files give them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_IN_UM = {
    "pm": 1e-6,
    "Å": 1e-4,
    "A": 1e-4,
    "nm": 1e-3,
    "um": 1.0,
    "µm": 1.0,
    "μm": 1.0,
    "mm": 1e3,
    "m": 1e6,
}


def in_micrometres(axis: Mapping[str, Any] | None) -> float:
    """Step of an axis, as rosettasciio gives it; 0 where it has none in a unit of length."""
    if axis is None:
        return 0.0
    step = float(axis.get("scale") or 0) * _IN_UM.get(str(axis.get("units")).strip(), 0.0)
    return step if math.isfinite(step) and step > 0 else 0.0
