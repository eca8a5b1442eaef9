"""Latent maps: a scan through an encoder.

Beside the features stand maps of what they leave out: the contrast of each pattern, which
rescaling may divide out, and how far its reconstruction is from it. The first shows what weakens
bands, such as dislocations; the second what the encoder has not learned, such as another phase.
If the encoder knows the patterns of the scan, two more hold each reconstruction against those of
its neighbours: the contrast without what their overlap takes, and what no overlap explains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.explore.ranking import feature_score
from napari_kikuchi.io.map_store import MapStoreError, check_target
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.io.origin import (
    drawn_before,
    maps_identity,
    maps_provenance,
    scan_origin,
    unreadable_told,
)
from napari_kikuchi.io.output import sole_writer
from napari_kikuchi.io.places import beside, scan_label
from napari_kikuchi.io.preparation import KeptPreparation
from napari_kikuchi.io.unfinished import Unfinished
from napari_kikuchi.jobs import Job
from napari_kikuchi.latent.encoder import Encoder
from napari_kikuchi.latent.familiarity import familiarity
from napari_kikuchi.latent.giver import given_to
from napari_kikuchi.latent.tasks import NeighbourComparison, PatternMeasures, bands
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.preprocess import Preprocessor
from napari_kikuchi.recipe import Recipe, RecipeMismatchError
from napari_kikuchi.scan import Scan
from napari_kikuchi.streaming import map_scan, run_blocks, work_blocks
from napari_kikuchi.unreadable import unreadable_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Behind the name of a feature that is measured.
_MEASURED = ", contrast"
# Maps of what the features leave out, after them.
_LEFT_OUT = (Channel("pattern contrast"), Channel("reconstruction error"))
# Maps that need the neighbours' features, after those.
_OF_NEIGHBOURS = (Channel("contrast without overlap"), Channel("unlike its neighbours"))


def encode_scan(
    scan: Scan,
    encoder: Encoder,
    path: str | Path,
    *,
    model: str | Path | None = None,
    preprocessor: Preprocessor | None = None,
    executor: Executor | None = None,
    workers: int | Callable[[], int] | None = None,
    resume: bool = True,
) -> Job[MapStack]:
    """Encode every pattern of a scan; write a map for each latent feature, and some more.

    Closing the job keeps the blocks that are done; the same call goes on from there.

    Parameters
    ----------
    scan
        To encode.
    encoder
        Its recipe says how patterns are prepared.
    path
        Map store to write, see :func:`default_maps_path`; an older one is replaced when the new
        one is finished, which takes over what was drawn on the same scan.
    model
        File from which the encoder was read, noted in the provenance.
    preprocessor
        The encoder's recipe fitted to this scan, if that has been done already.
    executor, workers
        See :func:`~napari_kikuchi.streaming.map_scan`. The workers of an executor read the
        encoder from a file, once each, and run it on the device they have.
    resume
        False begins anew.

    Yields
    ------
    Progress
        Patterns prepared, then patterns encoded, then neighbours compared, then maps written.

    Returns
    -------
    MapStack
        Channels ``feature 1``, ``feature 2``... in the encoder's own order, or ``feature 1,
        contrast`` where the first is measured and not learned; then ``pattern
        contrast``, the standard deviation of a pattern less its background, relative to its mean
        intensity; ``reconstruction error``, the root mean square of the difference between a
        prepared pattern and what its features decode to. If the encoder knows the patterns (see
        :mod:`~napari_kikuchi.latent.familiarity`), ``contrast without overlap``, the contrast
        over the part of it that the overlap of neighbouring patterns leaves; and ``unlike its
        neighbours``, the part of a reconstruction that no mixture of its neighbours' gives, from 0
        to 1 (see :func:`~napari_kikuchi.latent.neighbours.compare_neighbours`). Each with the score
        that :meth:`~napari_kikuchi.maps.MapStack.ranking` ranks it by, those that are no features
        as if they varied as much as the strongest feature. The static background and the signal
        mask are among its arrays, see :func:`preprocessor_of`.

    Raises
    ------
    RecipeMismatchError
        If the scan does not fit the encoder's recipe, or ``preprocessor`` has another recipe.
    FileExistsError
        If something lies at ``path`` that is no map store.
    ResumeError
        If an encoding was begun at ``path`` of another scan or with another model.
    OutputInUseError, DiskFullError
        See :func:`~napari_kikuchi.io.output.sole_writer`.
    """
    path = Path(path)
    check_target(path)  # Before the time is spent to prepare the scan.
    with sole_writer(path):
        kept = KeptPreparation(Unfinished(path, "maps").preparation, scan, encoder.recipe)
        if preprocessor is None:
            preprocessor = yield from kept.read_or_prepare(resume=resume)
        else:
            _check_recipe(preprocessor.recipe, encoder.recipe)
        origin = _origin(scan, encoder)
        identity = maps_identity(origin, scan, preprocessor)
        familiar = familiarity(scan, encoder, preprocessor)
        # Patterns that were rescaled one by one keep no contrast to be measured.
        measured = encoder.measured if encoder.recipe.rescale == "common" else 0
        features = [
            Channel(f"feature {i + 1}" + (_MEASURED if i < measured else ""))
            for i in range(encoder.latent)
        ]
        channels = [*features, *_LEFT_OUT, *(_OF_NEIGHBOURS if familiar.known else ())]
        writer = MapWriter.open(path, (len(channels), *scan.map_shape), identity, resume=resume)
        kept.write(preprocessor)
        giver = given_to(executor, encoder, writer.unfinished.model)
        unreadable = yield from map_scan(
            scan,
            PatternMeasures(preprocessor, giver),
            writer,
            executor=executor,
            workers=workers,
            channels=range(encoder.latent + len(_LEFT_OUT)),
            blocks=work_blocks(scan, encoder.effort),
            message="Encoding patterns",
        )
        if familiar.known:
            last = range(len(channels) - len(_OF_NEIGHBOURS), len(channels))
            yield from run_blocks(
                bands(scan.map_shape),
                NeighbourComparison(giver, writer.maps, last),
                writer,
                last,
                executor=executor,
                workers=workers,
                message="Comparing neighbours",
            )
        origin["familiarity"] = asdict(familiar) | {"known": familiar.known}
        origin["model"] |= {
            "path": None if model is None else str(Path(model).absolute()),
            "provenance": dict(encoder.provenance),
        }
        return (
            yield from writer.finish(
                channels,
                step=scan.step,
                provenance=maps_provenance("latent", origin | unreadable_record(unreadable)),
                arrays={"background": preprocessor.background, "mask": preprocessor.mask},
                regions=drawn_before(path, origin["scan"]["fingerprint"]),
                score=_scorer(encoder.latent, writer),
            )
        )


def advice(stack: MapStack) -> str:
    """What whoever made these latent maps should know; nothing if all is well."""
    advised = [unreadable_told(stack)]
    if not (stack.provenance.get("familiarity") or {}).get("known", True):
        advised.append(
            "The model does not know patterns like these: what it reconstructs is something else. "
            "Train one on this scan, which takes minutes and adds the maps that compare neighbours."
        )
    return "\n".join(filter(None, advised))


def default_maps_path(
    scan_path: str | Path, model_name: str, options: Mapping[str, Any] | None = None
) -> Path:
    """Where the maps of a scan go: ``<scan>.<model>.zarr`` beside it, if that can be written to.

    Parameters
    ----------
    scan_path
        File of the scan.
    model_name
        What a person calls the model, see :func:`~napari_kikuchi.io.places.model_name`.
    options
        With which the scan was opened, see :func:`~napari_kikuchi.io.places.scan_label`.
    """
    scan_path = Path(scan_path)
    label = scan_label(scan_path, options or {})
    # A model of this scan is called after it; its name need not be said twice.
    return beside(scan_path, f"{label}.{model_name.removeprefix(f'{label}.')}.zarr")


def preprocessor_of(stack: MapStack) -> Preprocessor | None:
    """How the patterns behind some latent maps were prepared; None if the maps do not say.

    Raises
    ------
    MapStoreError
        If what they say does not fit together.
    """
    settings = stack.provenance.get("recipe")
    if settings is None or not {"background", "mask"} <= stack.arrays.keys():
        return None
    mask = np.asarray(stack.arrays["mask"], bool)
    background = np.asarray(stack.arrays["background"], np.float32)
    try:
        recipe = Recipe.from_settings(settings, mask)
        if not recipe.size == mask.shape == background.shape:
            raise ValueError(
                f"expected background and mask of the recipe's {recipe.size} pixels, found "
                f"{background.shape} and {mask.shape}"
            )
        if not mask.any():
            raise ValueError("expected a mask with one pixel at least, found an empty one")
        if recipe.rescale == "common" and recipe.full_scale is None:
            raise ValueError("expected the common scale (full_scale) of the recipe, found none")
    except ValueError as error:
        raise MapStoreError(
            f"{stack.path}: these maps do not tell how their patterns were prepared: {error}. "
            "Copy them again, or make them anew."
        ) from error
    return Preprocessor(recipe, background)


def _scorer(latent: int, writer: MapWriter) -> Callable[[Channel, NDArray[np.float32]], float]:
    """What ranks the maps.

    The maps beside the features have units of their own. They are ranked as if they varied as much
    as the strongest feature: so those that show structure stand among the first.
    """
    strongest = max(_spread(writer.maps.read_map(i)) for i in range(latent))

    def score(channel: Channel, values: NDArray[np.float32]) -> float:
        found = feature_score(values)
        if channel not in (*_LEFT_OUT, *_OF_NEIGHBOURS) or found == 0:
            return found
        return found * strongest / _spread(values)

    return score


def _spread(values: NDArray[np.float32]) -> float:
    """Standard deviation of the values that there are."""
    known = values[np.isfinite(values)]
    return float(known.std()) if known.size else 0.0


def _origin(scan: Scan, encoder: Encoder) -> dict[str, Any]:
    """What the values of the maps come from, fit for JSON."""
    return {
        "scan": scan_origin(scan),
        "model": {
            "kind": encoder.kind,
            "latent": encoder.latent,
            "weights": encoder.stored().digest(),
        },
        "recipe": encoder.recipe.settings(),
    }


def _check_recipe(found: Recipe, expected: Recipe) -> None:
    differences = [
        f"{name} {found.settings()[name]} instead of {value}"
        for name, value in expected.settings().items()
        if found.settings()[name] != value
    ]
    if not differences and not np.array_equal(np.asarray(found.mask), np.asarray(expected.mask)):
        differences = ["another signal mask"]
    if differences:
        raise RecipeMismatchError(
            f"the patterns were prepared otherwise than the encoder expects: "
            f"{', '.join(differences)}. Prepare the scan with the encoder's own recipe."
        )
