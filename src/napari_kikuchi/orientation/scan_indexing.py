"""The solutions of all patterns of a scan: block by block, in threads, and resumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_kikuchi.io.block_writer import BlockWriter
from napari_kikuchi.io.unfinished import Unfinished
from napari_kikuchi.jobs import Job
from napari_kikuchi.orientation.indexing import Indexer
from napari_kikuchi.orientation.map_solutions import MapSolutions
from napari_kikuchi.orientation.placing import Proposer
from napari_kikuchi.scan import Block
from napari_kikuchi.streaming import Written, run_blocks

if TYPE_CHECKING:
    from napari_kikuchi.orientation.scan_spots import ScanSpots
    from napari_kikuchi.orientation.spot_calibration import SpotCalibration
    from napari_kikuchi.orientation.spot_model import SpotModel
    from napari_kikuchi.orientation.template_library import Library

# Of a pattern; of these its neighbours may choose one.
SOLUTIONS = 6
# Patterns with fewer spots fit too many orientations.
LEAST_SPOTS = 3

# Few enough that a job soon heeds a stop, enough that the templates are fetched from memory once
# for many patterns.
_BLOCK_PATTERNS = 1024
# Of a GPU: one reads while the other computes, and each takes memory there.
_WORKERS_OF_DEVICE = 2


@dataclass(frozen=True, eq=False)
class ScanIndexing:
    """Solutions of a scan that are being found, and are there until the maps of it are.

    Attributes
    ----------
    unfinished
        The folder that holds them.
    solutions
        Takes them.
    """

    unfinished: Unfinished
    solutions: MapSolutions

    @classmethod
    def open(
        cls,
        path: Path,
        shape: tuple[int, int],
        identity: Mapping[str, Any],
        *,
        most: int = SOLUTIONS,
        resume: bool = True,
    ) -> ScanIndexing:
        """Begin, or go on with what was begun.

        Parameters
        ----------
        path
            Of the maps that are made of the solutions.
        shape
            Rows and columns.
        identity
            What the solutions depend on, fit for JSON.
        most
            Number of solutions of a pattern.
        resume
            False begins anew whatever was begun before.

        Raises
        ------
        FileExistsError, ResumeError, DiskFullError
            See :meth:`.Unfinished.open`.
        """
        unfinished = Unfinished(path.with_name(f"{path.name}.solutions"), "orientations")
        solutions = unfinished.open(
            {"rows": shape[0], "columns": shape[1], "solutions": most, **identity},
            at=lambda file: MapSolutions.at(file, shape, most),
            make=lambda file: MapSolutions.make(file, shape, most),
            room=MapSolutions.at(path, shape, most).values.end,
            resume=resume,
        )
        return cls(unfinished, solutions)

    def blocks(self) -> Sequence[Block]:
        """In which the scan is gone through."""
        return self.solutions.blocks(_BLOCK_PATTERNS)

    def run(
        self,
        spots: ScanSpots,
        calibration: SpotCalibration,
        libraries: Callable[[], Job[Sequence[Library]]],
        *,
        models: Sequence[SpotModel] = (),
        least_spots: int = LEAST_SPOTS,
        device: str = "cpu",
        workers: int | None = None,
    ) -> Job[None]:
        """Find the solutions of all patterns that have none yet.

        Parameters
        ----------
        spots
            Of the scan.
        calibration
            Of the detector.
        libraries
            Gives the templates of each phase, if there is anything left to do.
        models
            Spot transformers, which propose orientations of their crystals. Those of other
            crystals are looked for among all templates.
        least_spots
            Patterns with fewer, the direct beam not counted, have no solution.
        device
            Where to compute.
        workers
            Threads; None: as many as this machine has cores, or two for another device.

        Yields
        ------
        Progress
            Templates simulated, then patterns done so far, those of an earlier run included.

        Raises
        ------
        ScanLostError
            If the file of the spots is out of reach, or has changed since it was opened.
        """
        blocks, values = self.blocks(), self.solutions.values
        writer = BlockWriter(self.unfinished, values)
        if all(writer.is_done(block) for block in blocks):
            return
        templates = yield from libraries()
        window = None
        if spots.pattern_shape is not None:
            window = calibration.window(spots.pattern_shape)
            templates = [library.within(window.furthest) for library in templates]
        indexer = Indexer(
            templates,
            proposers=_proposers(templates, models, device),
            window=window,
            solutions=self.solutions.most,
            device=device,
        )
        task = _BlockIndexing(spots, calibration, indexer, self.solutions, least_spots)
        yield from run_blocks(
            blocks,
            task,
            writer,
            values.layers,
            workers=_WORKERS_OF_DEVICE if workers is None and device != "cpu" else workers,
            count=partial(_count, spots),
            message="Finding orientations",
        )


def _proposers(
    templates: Sequence[Library], models: Sequence[SpotModel], device: str
) -> list[Proposer | None]:
    by_crystal = {model.crystal: model for model in models}
    return [
        Proposer(library, by_crystal[library.crystal].to(device))
        if library.crystal in by_crystal
        else None
        for library in templates
    ]


@dataclass(frozen=True, eq=False)
class _BlockIndexing:
    """Reads the spots of whole rows and writes their solutions."""

    spots: ScanSpots
    calibration: SpotCalibration
    indexer: Indexer
    solutions: MapSolutions
    least_spots: int

    def __call__(self, block: Block) -> Written:
        pixels = self.spots.rows(block.rows.start, block.rows.stop)
        rows, cols = np.indices(block.shape).reshape(2, -1)
        positions = np.stack([rows + block.rows.start, cols], axis=1)
        found = self.calibration.to_spots(pixels.reshape(-1, *pixels.shape[2:]), positions)
        counts = np.where(self.spots.present[block.rows].ravel(), found.counts, np.nan)
        indexed = counts >= self.least_spots  # Not a NaN.
        # A thread knows by itself only whether gradients are wanted.
        with torch.inference_mode():
            solutions = self.indexer(found[indexed])
        counts, indexed = counts.reshape(block.shape), indexed.reshape(block.shape)
        return Written(self.solutions.write(block, counts, indexed, solutions))


def _count(spots: ScanSpots, block: Block) -> int:
    return int(np.count_nonzero(spots.present[block.rows]))
