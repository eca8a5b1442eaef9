"""Patterns drawn from one or several scans, prepared alike: what encoders learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi import __version__
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.preprocess import Preprocessor, prepare
from napari_kikuchi.recipe import Recipe, RecipeMismatchError, check_size
from napari_kikuchi.scan import Scan
from napari_kikuchi.unreadable import PatternReading, unreadable_record

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

# Scans whose signal regions share less than this part of the smallest do not belong together.
_LEAST_SHARED = 0.5


@dataclass(frozen=True, eq=False)
class PatternSample:
    """Prepared patterns in memory.

    Attributes
    ----------
    patterns
        Of shape (n, height, width), within [-1, 1]; scan after scan, each in scan order.
    positions
        Rows and columns of each scan's patterns, of shape (n, 2).
    preprocessors
        One for each scan; all share the recipe.
    scans
        Name, fingerprint and number of patterns of each scan, and which of those drawn could not be
        read, fit for JSON.
    """

    patterns: NDArray
    positions: Sequence[NDArray[np.int64]]
    preprocessors: Sequence[Preprocessor]
    scans: Sequence[dict[str, Any]]

    @property
    def recipe(self) -> Recipe:
        """How the patterns were prepared, with the signal mask that all scans share."""
        return self.preprocessors[0].recipe


def prepare_alike(
    scans: Sequence[Scan], recipe: Recipe, *, adapt_mask: bool = False
) -> Job[list[Preprocessor]]:
    """Fit a recipe to several scans with one signal mask for all.

    Parameters
    ----------
    scans
        Whose patterns are to be prepared.
    recipe
        With a mask, chosen for these scans, which is taken as it is; or without: the mask is where
        every scan has a signal, so that no pixel is a pattern in one scan and darkness in another.
    adapt_mask
        Take from the recipe's mask what a scan does not fill: how a trained model is adapted to
        another screen.

    Raises
    ------
    RecipeMismatchError
        If a scan does not fit the recipe, or the scans' signal regions have too little in common.
    """
    if not scans:
        raise ValueError("no scan given: an encoder learns from the patterns of at least one scan")
    for scan in scans:
        check_size(scan, recipe.size)
    given = recipe.mask is not None and not adapt_mask
    asked = recipe if given else replace(recipe, mask=None)
    fitted = []
    for scan in scans:
        fitted.append((yield from prepare(scan, asked, check_mask=not given)))
    if given:
        dark = max(preprocessor.recipe.dark_share for preprocessor in fitted)
        agreed = replace(recipe, dark_share=dark, full_scale=_shared_scale(fitted))
        return [replace(preprocessor, recipe=agreed) for preprocessor in fitted]
    masks = {
        f"{i}. {scan.name}": fit.mask
        for i, (scan, fit) in enumerate(zip(scans, fitted, strict=True), 1)
    }
    if recipe.mask is not None:
        masks["the trained model"] = recipe.mask
    agreed = replace(
        recipe, mask=_shared_region(masks), dark_share=0.0, full_scale=_shared_scale(fitted)
    )
    return [replace(preprocessor, recipe=agreed) for preprocessor in fitted]


def _shared_scale(fitted: Sequence[Preprocessor]) -> float | None:
    """The scale of the strongest patterns: a common one shows which scan has more contrast."""
    scales = [preprocessor.recipe.full_scale for preprocessor in fitted]
    return max((scale for scale in scales if scale is not None), default=None)


def _shared_region(masks: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    shared = np.logical_and.reduce(list(masks.values()))
    if shared.sum() < _LEAST_SHARED * min(int(mask.sum()) for mask in masks.values()):
        each = ", ".join(f"{name} {mask.mean():.0%}" for name, mask in masks.items())
        raise RecipeMismatchError(
            f"the signal regions have only {shared.mean():.0%} of the frame in common (each by "
            f"itself: {each}). Train on scans of one screen, or give the mask to use."
        )
    return shared


def draw_sample(
    scans: Sequence[Scan],
    recipe: Recipe,
    per_scan: int,
    seed: int = 0,
    *,
    dtype: DTypeLike = np.float32,
    adapt_mask: bool = False,
) -> Job[PatternSample]:
    """Draw patterns from every scan and prepare them.

    Parameters
    ----------
    scans
        To draw from.
    recipe
        How to prepare; see :func:`prepare_alike` for its mask.
    per_scan
        Patterns from each scan; all of a scan that has fewer.
    seed
        The same seed draws the same positions.
    dtype
        Of the prepared patterns: float16 halves the memory, its error of 0.0005 at most lies
        far below the noise of a camera.
    adapt_mask
        See :func:`prepare_alike`.

    Yields
    ------
    Progress
        Patterns prepared so far.

    Raises
    ------
    RecipeMismatchError
        If a scan does not fit the recipe, or the scans do not fit together.
    UnreadableScanError
        If none of the patterns drawn from a scan can be read.

    Warns
    -----
    JobWarning
        If some cannot be read; the sample goes without them.
    """
    preprocessors = yield from prepare_alike(scans, recipe, adapt_mask=adapt_mask)
    draws = [scan.draw(per_scan, seed + i) for i, scan in enumerate(scans)]
    total = sum(map(len, draws))
    patterns = np.empty((total, *recipe.size), dtype)
    tried = count = 0
    positions, described = [], []
    for scan, preprocess, drawn in zip(scans, preprocessors, draws, strict=True):
        reading = PatternReading(scan, drawn)
        for recorded in reading:
            patterns[count : count + len(recorded)] = preprocess(recorded)
            count += len(recorded)
            yield Progress(tried + reading.done, total, f"Preparing patterns of {scan.name}")
        tried += len(drawn)
        reading.check()
        reading.warn("what is learned from")
        positions.append(drawn[reading.readable])
        described.append(
            {
                "name": scan.name,
                "fingerprint": scan.fingerprint(),
                "patterns": len(positions[-1]),
                **unreadable_record(reading.unreadable),
            }
        )
    return PatternSample(patterns[:count], positions, preprocessors, described)


def provenance(sample: PatternSample, settings: dict[str, Any]) -> dict[str, Any]:
    """Where an encoder that learned from a sample comes from, fit for JSON."""
    return {
        "scans": list(sample.scans),
        "settings": settings,
        "version": __version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
