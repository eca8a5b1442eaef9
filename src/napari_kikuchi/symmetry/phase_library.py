"""A library of simulated phases: a zarr store that grows while it is made."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count, islice, repeat
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
# Phases of each group that are simulated between two writings; of known phases all, once.
_ROUND = 8
_FORMAT = "napari-kikuchi phases"
# Stands for groups in a library of known phases.
_KNOWN = "known"
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
    known
        Which phases are known ones, of shape (phases,): they are to be learned from.
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
    known: NDArray[np.bool_]
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
            for name in ("groups", "known", *_ARRAYS)
        }
        return replace(self, phases=[*self.phases, *other.phases], **arrays)

    def showing(self, classes: Collection[int]) -> PhaseLibrary:
        """Those of the phases that show one of some classes."""
        kept = np.flatnonzero(np.isin(self.shown, list(classes))).tolist()
        arrays: dict[str, Any] = {
            name: getattr(self, name)[kept] for name in ("groups", "known", *_ARRAYS)
        }
        return replace(self, phases=[self.phases[i] for i in kept], **arrays)

    def folds(self, number: int) -> NDArray[np.int64]:
        """Fold of each phase, of shape (phases,); -1 of those of a known phase's elements.

        Compounds of one structure type and the same elements differ in little but the length of
        their cells: one of them is no test of what was learned from the other. All of them are in
        one fold.
        """
        rng = np.random.default_rng(self.seed)
        keys = self.keys
        different = sorted(set(keys))
        drawn = (rng.permutation(len(different)) % number).tolist()
        of_key = dict(zip(different, drawn, strict=True))
        of_key |= {keys[i]: -1 for i in np.flatnonzero(self.known)}
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
    groups: Sequence[int] | None = SIX_GROUPS,
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
        Numbers of cubic space groups; None: the phases that people meet, see
        :mod:`~napari_kikuchi.symmetry.known_phases`, each so many times, each time at another
        voltage, with another depth of sources and absorption.
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
    told = _KNOWN if groups is None else list(groups)
    identity = {"generation": _GENERATION, "groups": told, "seed": seed}
    sources = _sources(told, seed)
    with sole_writer(path):
        store = _opened(path, identity, len(sources))
        done = int(store.attrs["done"])
        for array in store.arrays():
            array[1].resize((max(per_group, done), *array[1].shape[1:]))
        sources = [islice(one, done, None) for one in sources]
        while done < per_group:
            stop = min(done + (1 if groups is None else _ROUND), per_group)
            wanted = [one for source in sources for one in islice(source, stop - done)]
            before, total = len(sources) * done, len(sources) * per_group
            found = yield from _simulated(wanted, before, total, workers)
            _write(store, slice(done, stop), found, len(sources))
            done = stop
            store.attrs["done"] = done
    return open_library(path, per_group)


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
    wanted = done if per_group is None else per_group
    if not 0 < wanted <= done:
        raise ValueError(
            f"{path}: expected at least {max(wanted, 1)} phases of each group, found {done}. Go on "
            "with it: napari-kikuchi phases"
        )
    arrays = {name: _flat(store[name][:wanted]) for name in _ARRAYS}
    phases = [phase for source in _sources(groups, seed) for phase, _ in islice(source, wanted)]
    numbers = np.array([phase.space_group for phase in phases], np.int16)
    known = np.full(len(phases), groups == _KNOWN)
    return PhaseLibrary(groups=numbers, known=known, phases=phases, seed=seed, **arrays)


def _sources(groups: Sequence[int] | str, seed: int) -> list[Iterator[tuple[Phase, int]]]:
    """Of each group, or of each known phase, phases without end, each with its seed."""
    if groups == _KNOWN:
        return [
            zip(repeat(phase), count(seed + place, _OTHER_TIME))
            for place, phase in enumerate(known_phases())
        ]
    return [zip(random_phases(int(group), seed), count()) for group in groups]


def _simulated(
    wanted: Sequence[tuple[Phase, int]], before: int, total: int, workers: int | None
) -> Job[list[SimulatedPhase]]:
    """Simulate phases with their seeds, when so many of all are done before."""

    def told(done: int) -> Progress:
        return Progress(before + done, total, f"Simulating {wanted[done][0].space_group}")

    return (
        yield from in_threads(
            lambda one: simulate_phase(*one), wanted, told, name="phases", workers=workers
        )
    )


def _opened(path: Path, identity: dict[str, Any], sources: int) -> Any:
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
    for name, (kind, wide) in _ARRAYS.items():
        shape = (0, sources, NODES) if wide else (0, sources)
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
