"""Maps of one scan out of several stacks, as one stack that reads a map when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.maps import MapStack

if TYPE_CHECKING:
    from numpy.typing import NDArray


class GatheredMaps:
    """Maps from anywhere as the values of a stack: all together may not fit into memory.

    Parameters
    ----------
    readers
        Each gives one map, of shape (rows, columns).
    shape
        Rows and columns.
    dtype
        That holds the values of all.
    """

    def __init__(
        self, readers: Sequence[Callable[[], NDArray]], shape: tuple[int, ...], dtype: np.dtype
    ) -> None:
        self._readers = readers
        self.shape = (len(readers), *shape)
        self.dtype = dtype

    def __getitem__(self, index: int) -> NDArray:
        return self._readers[index]()


def gather(stacks: Sequence[MapStack]) -> MapStack:
    """All maps of some stacks of one scan, one stack after another.

    Raises
    ------
    ValueError
        If the stacks differ in shape, step or scan.
    """
    first, *others = stacks
    if not others:
        return first
    for other in others:
        _check_same("shape", first.map_shape, other.map_shape)
        _check_same("step in µm", tuple(first.step), tuple(other.step))
        _check_same("scan", _fingerprint(first), _fingerprint(other))
    readers = [partial(stack.map, i) for stack in stacks for i in range(len(stack))]
    return MapStack(
        values=GatheredMaps(
            readers, first.map_shape, np.result_type(*(stack.values.dtype for stack in stacks))
        ),
        channels=[channel for stack in stacks for channel in stack.channels],
        step=first.step,
        provenance=provenance_of(stacks),
        regions=list(dict.fromkeys(region for stack in stacks for region in stack.regions)),
    )


def choose(stack: MapStack, names: Sequence[str]) -> MapStack:
    """Some maps of a stack, in the order of their names.

    Raises
    ------
    ValueError
        If there is no map of a name.
    """
    missing = [name for name in names if name not in stack.names]
    if missing:
        raise ValueError(
            f"there is no map {', '.join(map(repr, missing))}; there are {'; '.join(stack.names)}"
        )
    indices = [stack.names.index(name) for name in names]
    return MapStack(
        values=GatheredMaps(
            [partial(stack.map, i) for i in indices], stack.map_shape, stack.values.dtype
        ),
        channels=[stack.channels[i] for i in indices],
        step=stack.step,
        provenance=stack.provenance,
        regions=stack.regions,
        arrays=stack.arrays,
    )


def provenance_of(stacks: Sequence[MapStack]) -> dict[str, Any]:
    """The provenance of maps that come from some stacks of one scan."""
    if not stacks:
        return {}
    if len(stacks) == 1:
        return dict(stacks[0].provenance)
    return {
        "scan": stacks[0].provenance.get("scan"),
        "together": [dict(stack.provenance) for stack in stacks],
    }


def unique_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Names of which no two are alike: a second ``"a"`` becomes ``"a_2"``."""
    used, unique = set(taken), []
    for name in names:
        candidate, number = name, 1
        while candidate in used:
            number += 1
            candidate = f"{name}_{number}"
        used.add(candidate)
        unique.append(candidate)
    return unique


def _fingerprint(stack: MapStack) -> Any:
    scan = stack.provenance.get("scan") or {}
    return scan.get("fingerprint")


def _check_same(what: str, one: Any, other: Any) -> None:
    # Maps that do not tell their scan may be of any.
    if None not in (one, other) and one != other:
        raise ValueError(
            f"maps of one scan are of one {what}, but the first have {one} and others {other}: "
            "give maps of the same scan"
        )
