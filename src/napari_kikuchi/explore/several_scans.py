"""Maps of several scans seen alike: what means the same, between the same limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.maps import MapStack, contrast_limits

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# Quantiles that stand for a map: a tenth of a percent of its values lies between two.
_QUANTILES = 1001


class IncomparableError(ValueError):
    """Maps of several scans whose values do not mean the same."""


def common_limits(maps: Sequence[ArrayLike]) -> tuple[float, float]:
    """Limits between which several maps of the same feature are shown alike.

    Each map counts by the same number of quantiles of its values: all of them together would be
    the largest map's limits, and the widest of all limits would leave the others without contrast.

    Parameters
    ----------
    maps
        Of any shapes; NaN and infinite values do not count.

    Returns
    -------
    tuple of float
        As :func:`~napari_kikuchi.maps.contrast_limits`.
    """
    shares = np.linspace(0, 1, _QUANTILES)
    finite = [values[np.isfinite(values)] for values in map(np.asarray, maps)]
    return contrast_limits(np.array([np.quantile(one, shares) for one in finite if one.size]))


def comparable(stacks: Sequence[MapStack]) -> list[str]:
    """Names of the maps that mean the same in several stacks.

    They do if one model made them, since features of another are others even where they bear the
    same names; or if they are physics maps of the same name and unit.

    Returns
    -------
    list of str
        In the order of the first stack.

    Raises
    ------
    IncomparableError
        If different models or methods made the stacks, or no map is in all of them.
    """
    makers = [_maker(stack) for stack in stacks]
    if any(maker is None for maker in makers) or len(set(makers)) > 1:
        told = "; ".join(map(_made_by, stacks))
        raise IncomparableError(
            "expected maps that one model made, or physics maps: values of others do not mean the "
            f"same. Found {told}. Encode all of these scans with one model."
        )
    known = [{(channel.name, channel.unit) for channel in stack.channels} for stack in stacks]
    shared = set.intersection(*known)
    names = [one.name for one in stacks[0].channels if (one.name, one.unit) in shared]
    if not names:
        raise IncomparableError(
            "no map of the same name and unit is in all of these stacks: make the same maps of "
            "each scan"
        )
    return names


def _maker(stack: MapStack) -> str | None:
    """What gives the values of a stack their meaning; None where the stack does not tell."""
    model = stack.provenance.get("model")
    if model and model.get("weights"):
        return str(model["weights"])
    return "physics" if stack.provenance.get("method") == "physics" else None


def _made_by(stack: MapStack) -> str:
    scan = (stack.provenance.get("scan") or {}).get("name", "a scan")
    model = stack.provenance.get("model")
    if not model:
        return f"{scan} by {stack.provenance.get('method', 'something unknown')}"
    return (
        f"{scan} by a model ({model.get('kind')}, {model.get('latent')} features, weights "
        f"{str(model.get('weights'))[:8]})"
    )
