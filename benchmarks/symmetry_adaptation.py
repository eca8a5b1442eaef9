"""How far a classifier of symmetry comes without labels of the patterns that it is to read.

    python benchmarks/symmetry_adaptation.py LIBRARY [--per-group N] [--source dynamical]
        [--methods NAME ...]

A library as ``napari-kikuchi phases`` makes it holds dynamical and kinematical patterns of the same
phases. Its five folds share no elements of a group: two are the source, with labels; two the
target, without; one is held out. Each seed takes the folds in another order. Prints, from
kinematical to dynamical patterns (or, with ``--source dynamical``, from dynamical to dynamical
ones, where nothing is to be done), the share of phases told right by one pattern and by 20
together, of the target itself and of the held-out fold; mean and range over the seeds.

``trained on the target`` has the labels of the target: it is what adaptation may hope for; of what
is held out alone. Then targets of few phases, as in a scan: all phases of one group, or one phase.
One thread.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from napari_kikuchi.jobs import finish
from napari_kikuchi.symmetry.adaptation import AdaptationSettings, adapt
from napari_kikuchi.symmetry.adaptation_methods import Domains, by_source
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.lessons import SymmetryLessons, symmetry_lessons
from napari_kikuchi.symmetry.network import SymmetryArchitecture, SymmetryNetwork
from napari_kikuchi.symmetry.phase_library import open_library
from napari_kikuchi.symmetry.train import VOTERS, SymmetryObjective

PATTERNS, FOLDS = 24, 5
# Of the usual network: as long as it gains by it.
STEPS, BATCH, RATE = 600, 96, 2e-3
ALWAYS = {"strange": 0, "various": 2}
METHODS = {
    "batch statistics": {"method": "statistics", "edges": False, **ALWAYS},
    "MCD": {"method": "discrepancy", "edges": False, **ALWAYS},
    "edges, source only": {"method": "none", **ALWAYS},
    "edges, batch statistics": {"method": "statistics", **ALWAYS},
    "edges, MCD": {"method": "discrepancy", **ALWAYS},
    "edges, teacher": {"method": "teacher", **ALWAYS},
    "as it comes": {},
}


class Part(NamedTuple):
    """Patterns of some phases, and the groups they show."""

    lessons: SymmetryLessons
    shown: np.ndarray

    def of(self, kept: np.ndarray) -> Part:
        """Those of some phases."""
        return Part(self.lessons.part(kept), self.shown[kept])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("phases", type=Path)
    parser.add_argument("--per-group", type=int, help="phases of each group; default: all")
    parser.add_argument("--source", choices=("kinematical", "dynamical"), default="kinematical")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--crystals", type=int, default=8, help="targets of one phase, per seed; 0: none"
    )
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    library = open_library(given.phases, given.per_group)
    folds = library.folds(FOLDS)
    lessons = {
        name: finish(symmetry_lessons(masters, PATTERNS, seed=seed))
        for seed, (name, masters) in enumerate(
            (("dynamical", library.dynamical), ("kinematical", library.kinematical))
        )
    }
    both = {name: Part(one, library.shown) for name, one in lessons.items()}
    print(f"{len(library)} phases")
    rows: dict[str, list] = {}
    few: dict[str, list] = {}
    for seed in range(given.seeds):
        turned = (folds - seed) % FOLDS
        source = both[given.source].of(turned < 2)
        target, held_out = (both["dynamical"].of(one) for one in (turned // 2 == 1, turned > 3))
        start = trained(source, "bands", seed)
        for method, classifier in adapted(start, source, target, given.methods, seed):
            found = (*told(classifier, target), *told(classifier, held_out))
            note(rows, method, found)
        for kind in ("bands", "edges"):
            found = (np.nan, np.nan, *told(trained(target, kind, seed), held_out))
            note(rows, f"trained on the target ({kind})", found)
        if not given.crystals:
            continue
        for method, found in of_few(start, source, target, given.crystals, seed):
            note(few, method, found)
    head = f"{'target: one':>20}{f'by {VOTERS}':>20}{'held out: one':>20}{f'by {VOTERS}':>20}"
    show(f"{given.source} to dynamical", head, rows)
    if few:
        show("the same, to few phases", head[:40], few)


def adapted(start: SymmetryClassifier, source: Part, target: Part, methods: list[str], seed: int):
    """Names of methods, each with what it makes of a classifier."""
    yield "source only", start
    for name in methods:
        settings = AdaptationSettings(**METHODS[name], seed=seed)
        yield name, finish(adapt(start, *source, target.lessons, settings))


def of_few(start: SymmetryClassifier, source: Part, target: Part, crystals: int, seed: int):
    """Names of methods, each with what is told right of targets of one group and of one phase."""
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(target.shown == group) for group in np.unique(target.shown)]
    phases = [np.array([one]) for one in rng.choice(len(target.shown), crystals, replace=False)]
    edges = finish(
        adapt(
            start,
            *source,
            target.lessons,
            AdaptationSettings(method="none", strange=0, seed=seed),
        )
    )
    for name, targets in (("one group", groups), ("one phase", phases)):
        parts = [target.of(one) for one in targets]
        made: dict[str, Callable[[Part], SymmetryClassifier]] = {
            "source only": lambda part: start,
            "edges, source only": lambda part: edges,
            "as it comes": lambda part: finish(
                adapt(start, *source, part.lessons, AdaptationSettings(seed=seed))
            ),
        }
        for method, make in made.items():
            yield f"{name}: {method}", np.mean([told(make(one), one) for one in parts], axis=0)


def trained(part: Part, reads: str, seed: int) -> SymmetryClassifier:
    """A network that has learned from the labels of a part."""
    torch.manual_seed(seed)
    groups = tuple(np.unique(part.shown).tolist())
    edges = reads == "edges"
    architecture = SymmetryArchitecture(groups, dropout=0.5 if edges else 0.3, reads=reads)
    network = SymmetryNetwork(architecture)
    objective = SymmetryObjective(network, part.lessons)
    labels = torch.from_numpy(np.searchsorted(groups, part.shown))
    batch = 64 if edges else BATCH
    domains = Domains(objective, objective, labels, batch, torch.Generator().manual_seed(seed))
    finish(by_source(network, domains, 300 if edges else STEPS, RATE))
    return SymmetryClassifier(network)


def told(classifier: SymmetryClassifier, part: Part) -> tuple[float, float]:
    """Share of the phases told right by one pattern, and by some together."""
    labels = np.searchsorted(classifier.groups, part.shown)
    totals, counts = part.lessons.totals, part.lessons.counts
    alone = classifier.log_probabilities(
        *(one.reshape(-1, one.shape[-1]) for one in (totals, counts))
    )
    alone = alone.argmax(axis=1).reshape(len(labels), -1) == labels[:, None]
    summed = (one[:, :VOTERS].astype(np.float32).sum(axis=1) for one in (totals, counts))
    together = classifier.log_probabilities(*summed).argmax(axis=1) == labels
    return float(alone.mean()), float(together.mean())


def note(rows: dict[str, list], method: str, found: tuple[float, ...]) -> None:
    """Add to a table, and tell on the way: all of it takes long."""
    rows.setdefault(method, []).append(found)
    print(f"{method:<34}", *(f"{one:.3f}" for one in found), file=sys.stderr, flush=True)


def show(title: str, head: str, rows: dict[str, list]) -> None:
    print(f"\n{title:<34}{head}")
    for name, found in rows.items():
        values = np.array(found)
        cells = (
            f"{mean:>9.3f} ({low:.2f}-{high:.2f})"
            for mean, low, high in zip(values.mean(0), values.min(0), values.max(0), strict=True)
        )
        print(f"{name:<34}{''.join(f'{one:>20}' for one in cells)}", flush=True)


if __name__ == "__main__":
    start = time.process_time()
    main()
    print(f"\n{time.process_time() - start:.0f} cpu-s of {os.cpu_count()} cores")
