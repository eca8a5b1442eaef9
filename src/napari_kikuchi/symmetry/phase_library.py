"""A library of simulated phases: a zarr store that grows while it is made."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.output import sole_writer
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.shared_cores import in_threads
from napari_kikuchi.symmetry.classes import SIX_GROUPS, class_of
from napari_kikuchi.symmetry.known_phases import known_phases
from napari_kikuchi.symmetry.phases import Phase, random_phases
from napari_kikuchi.symmetry.sector import NODES
from napari_kikuchi.symmetry.simulated_phase import SimulatedPhase, simulate_phase

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Raised whenever the same seed gives other phases or patterns than before.
_GENERATION = 3
# Phases of each group that are simulated between two writings.
_ROUND = 8
_FORMAT = "napari-kikuchi phases"
# Between the seeds of one phase at two times: more than there are known phases.
_OTHER_TIME = 1000


@dataclass(frozen=True, eq=False)
class PhaseLibrary:
    """Many phases as a detector would see them.

    Attributes
    ----------
    dynamical, kinematical
        Intensities at the nodes of the square, of shape (phases, nodes).
    groups
        Number of the space group, of shape (phases,).
    shown
        The class that patterns show, see :mod:`~napari_kikuchi.symmetry.classes`, of that shape.
    nearest
        Correlation with the average of higher symmetry that is most alike, of shape (phases,).
    voltages
        In kV, of shape (phases,).
    phases
        Crystal structures.
    seed
        Of all that is random.
    """

    dynamical: NDArray[np.float32]
    kinematical: NDArray[np.float32]
    groups: NDArray[np.int16]
    shown: NDArray[np.int16]
    nearest: NDArray[np.float32]
    voltages: NDArray[np.float32]
    phases: Sequence[Phase]
    seed: int

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def classes(self) -> NDArray[np.int16]:
        """The class of each phase's group, of shape (phases,)."""
        return np.array([class_of(group) for group in self.groups.tolist()], np.int16)

    @property
    def keys(self) -> list[tuple[Any, ...]]:
        """Group and elements of each phase."""
        return [(int(self.groups[i]), *sorted(p.debye_waller)) for i, p in enumerate(self.phases)]

    def joined(self, other: PhaseLibrary) -> PhaseLibrary:
        """These phases, and behind them those of another library."""
        arrays: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(other, name)])
            for name in ("groups", *_ARRAYS)
        }
        return replace(self, phases=[*self.phases, *other.phases], **arrays)

    def showing(self, classes: Collection[int]) -> PhaseLibrary:
        """Those of the phases that show one of some classes."""
        kept = np.flatnonzero(np.isin(self.shown, list(classes))).tolist()
        arrays: dict[str, Any] = {name: getattr(self, name)[kept] for name in ("groups", *_ARRAYS)}
        return replace(self, phases=[self.phases[i] for i in kept], **arrays)

    def folds(self, count: int) -> NDArray[np.int64]:
        """Fold of each phase: phases of the same elements are in the same, of shape (phases,).

        Compounds of one structure type and the same elements differ in little but the length of
        their cells: one of them is no test of what was learned from the other.
        """
        rng = np.random.default_rng(self.seed)
        keys = self.keys
        different = sorted(set(keys))
        of_key = dict(zip(different, rng.permutation(len(different)) % count, strict=True))
        return np.array([of_key[key] for key in keys])


_ARRAYS = {
    "dynamical": ("f4", True),
    "kinematical": ("f4", True),
    "shown": ("i2", False),
    "nearest": ("f4", False),
    "voltages": ("f4", False),
}


def make_library(
    path: str | Path,
    per_group: int,
    *,
    groups: Sequence[int] = SIX_GROUPS,
    seed: int = 0,
    workers: int | None = None,
) -> Job[PhaseLibrary]:
    """Simulate phases of some groups, or go on with a library that has fewer.

    Closing the job keeps the rounds that are done; the same call goes on from there.

    Parameters
    ----------
    path
        Of the store, of the ending ``.zarr``.
    per_group
        Phases of each group.
    groups
        Numbers of cubic space groups.
    seed
        Of all that is random.
    workers
        Threads; None: as many as this machine has cores.

    Yields
    ------
    Progress
        In phases.

    Returns
    -------
    PhaseLibrary
        With the first phases of each group, as many as were asked for.

    Raises
    ------
    ValueError
        If the store is of other groups or another seed.
    FileExistsError
        If something else lies at ``path``.
    OutputInUseError, DiskFullError
        See :func:`~napari_kikuchi.io.output.sole_writer`.
    """
    path = Path(path)
    identity = {"generation": _GENERATION, "groups": list(groups), "seed": seed}
    with sole_writer(path):
        store = _opened(path, identity)
        done = int(store.attrs["done"])
        for array in store.arrays():
            array[1].resize((max(per_group, done), *array[1].shape[1:]))
        phases = [islice(random_phases(group, seed), done, per_group) for group in groups]
        while done < per_group:
            stop = min(done + _ROUND, per_group)
            wanted = [
                (phase, number)
                for of_group in phases
                for number, phase in zip(range(done, stop), of_group, strict=False)
            ]
            before, total = len(groups) * done, len(groups) * per_group
            found = yield from _simulated(wanted, before, total, workers)
            _write(store, slice(done, stop), found, len(groups))
            done = stop
            store.attrs["done"] = done
    return open_library(path, per_group)


def known_library(times: int = 1, seed: int = 0, workers: int | None = None) -> Job[PhaseLibrary]:
    """Simulate the phases that people meet, at random voltages.

    Parameters
    ----------
    times
        How often each is simulated, each time with another voltage, depth of sources and
        absorption.
    seed
        Of what is random.
    workers
        Threads; None: as many as this machine has cores.

    Yields
    ------
    Progress
        In phases.
    """
    once = known_phases()
    phases = once * times

    def simulated(number: int) -> SimulatedPhase:
        time, place = divmod(number, len(once))
        return simulate_phase(phases[number], seed + _OTHER_TIME * time + place)

    found = yield from in_threads(
        simulated,
        range(len(phases)),
        lambda done: Progress(done, len(phases), "Simulating known phases"),
        name="phases",
        workers=workers,
    )
    arrays = {
        name: np.array([getattr(one, name.removesuffix("s")) for one in found], kind)
        for name, (kind, _) in _ARRAYS.items()
    }
    groups = np.array([phase.space_group for phase in phases], np.int16)
    return PhaseLibrary(groups=groups, phases=phases, seed=seed, **arrays)


def open_library(path: str | Path, per_group: int | None = None) -> PhaseLibrary:
    """Read a library.

    Parameters
    ----------
    path
        Of its store.
    per_group
        Phases of each group that are wanted; None: all.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it has fewer phases, or was made by another version.
    """
    import zarr

    path = Path(path)
    if not path.is_dir():
        raise FileNotFoundError(f"{path}: expected a library of phases, found none")
    identity: dict[str, Any] = {}
    # A folder of something else.
    with suppress(ValueError):
        store: Any = zarr.open_group(path, mode="r")
        identity = dict(store.attrs)
    if identity.get("format") != _FORMAT or identity.get("generation") != _GENERATION:
        raise ValueError(
            f"{path}: expected a library of phases of generation {_GENERATION}, found "
            f"{json.dumps(identity)[:200]}. Make it anew"
        )
    done, groups, seed = (identity[name] for name in ("done", "groups", "seed"))
    count = done if per_group is None else per_group
    if not 0 < count <= done:
        raise ValueError(
            f"{path}: expected at least {max(count, 1)} phases of each group, found {done}. Go on "
            "with it: napari-kikuchi phases"
        )
    arrays = {name: _flat(store[name][:count]) for name in _ARRAYS}
    phases = [one for group in groups for one in islice(random_phases(group, seed), count)]
    numbers = np.repeat(np.array(groups, np.int16), count)
    return PhaseLibrary(groups=numbers, phases=phases, seed=seed, **arrays)


def _simulated(
    wanted: Sequence[tuple[Phase, int]], before: int, total: int, workers: int | None
) -> Job[list[SimulatedPhase]]:
    """Simulate phases with their seeds, when so many of all are done before."""

    def told(done: int) -> Progress:
        return Progress(before + done, total, f"Simulating {wanted[done][0].name}")

    return (
        yield from in_threads(
            lambda one: simulate_phase(*one), wanted, told, name="phases", workers=workers
        )
    )


def _opened(path: Path, identity: dict[str, Any]) -> Any:
    import zarr

    if path.exists():
        store: Any = zarr.open_group(path, mode="a")
        found = {name: store.attrs.get(name) for name in identity}
        if store.attrs.get("format") != _FORMAT:
            raise FileExistsError(f"{path}: expected a library of phases or nothing")
        if found != identity:
            raise ValueError(
                f"{path}: expected a library of {identity}, found one of {found}. Write to "
                "another name, or remove it"
            )
        return store
    store = zarr.open_group(path, mode="w")
    count = len(identity["groups"])
    for name, (kind, wide) in _ARRAYS.items():
        shape = (0, count, NODES) if wide else (0, count)
        store.create_array(name, shape=shape, chunks=(_ROUND, *shape[1:]), dtype=kind)
    store.attrs.update({"format": _FORMAT, "done": 0, **identity})
    return store


def _write(store: Any, part: slice, found: Sequence[SimulatedPhase], groups: int) -> None:
    for name in _ARRAYS:
        values = np.array([getattr(one, name.removesuffix("s")) for one in found])
        values = values.reshape(groups, part.stop - part.start, *values.shape[1:])
        store[name][part] = values.swapaxes(0, 1)


def _flat(values: NDArray) -> NDArray:
    """From rounds and groups to phases, those of one group in a row."""
    swapped = values.swapaxes(0, 1)
    return np.ascontiguousarray(swapped.reshape(-1, *swapped.shape[2:]))
