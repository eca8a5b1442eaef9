"""Maps of orientations: with holes filled in, gone on with past their edges, or new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.explore.inverse_pole_figures import Axis
from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.io.indexed import QUATERNION
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import MapStack
from napari_kikuchi.microstructure.filling import fill, generate
from napari_kikuchi.microstructure.generator import STEPS, MicrostructureGenerator
from napari_kikuchi.microstructure.grains import no_orientations, oriented, picture_of
from napari_kikuchi.microstructure.maps import cubic_phases, grain_maps, told_of
from napari_kikuchi.microstructure.measured import read_measured
from napari_kikuchi.microstructure.scales import suitable_scale
from napari_kikuchi.microstructure.wishes import Wishes

if TYPE_CHECKING:
    from numpy.typing import NDArray


def fill_maps(
    generator: MicrostructureGenerator,
    stack: MapStack,
    *,
    holes: NDArray[np.bool_] | None = None,
    margins: tuple[int, int, int, int] = (0, 0, 0, 0),
    scale: int | None = None,
    candidates: int = 1,
    along: Axis = "z",
    seed: int = 0,
    steps: int = STEPS,
) -> Job[MapStack]:
    """Fill in maps of orientations where nothing was indexed, and wherever else one wants.

    Parameters
    ----------
    generator
        That has learned what microstructures look like.
    stack
        With orientations of one phase or two on a square grid, see
        :func:`~napari_kikuchi.io.indexed.read_indexed`. Generators that come from
        :func:`~napari_kikuchi.microstructure.train.train_generator` have seen cubic grains alone.
    holes
        What is to be made anew although it was measured, of shape (rows, columns).
    margins
        Pixels to go on above, below, left and right of the map.
    scale
        See :func:`~napari_kikuchi.microstructure.filling.fill`; None: see
        :func:`~napari_kikuchi.microstructure.scales.suitable_scale`.
    candidates
        See :func:`~napari_kikuchi.microstructure.filling.fill`.
    along
        Direction of the sample by whose inverse pole figure grains are told apart.
    seed
        The same seed gives the same maps.
    steps
        See :func:`~napari_kikuchi.microstructure.filling.fill`.

    Yields
    ------
    Progress
        What is being done.

    Returns
    -------
    MapStack
        See :func:`~napari_kikuchi.microstructure.maps.grain_maps`. Orientations and phases that
        were measured, and are not to be made anew, are as they were.

    Raises
    ------
    NoOrientationsError
        If there are no orientations.
    ValueError
        If the grid is hexagonal, there are more than two phases, the holes have another shape, or
        a margin is less than 0.
    """
    yield Progress(0, 0, "Reading the orientations")
    measured, phases = read_measured(stack)
    quaternions, numbers = measured.quaternions, measured.numbers
    if holes is not None:
        if holes.shape != numbers.shape:
            raise ValueError(
                f"expected holes of the map's shape {numbers.shape}, found {holes.shape}"
            )
        numbers = np.where(holes, 0, numbers)
    if min(margins) < 0:
        raise ValueError(f"expected margins of 0 or more pixels, found {margins}")
    top, bottom, left, right = margins
    over = ((top, bottom), (left, right))
    quaternions = np.pad(quaternions, (*over, (0, 0)), constant_values=np.nan)
    known = OrientationMap(quaternions, measured.symmetries, np.pad(numbers, over))
    picture = picture_of(known, along)
    if scale is None:
        scale = suitable_scale(generator, known)
    filled = yield from fill(
        generator, picture, scale=scale, candidates=candidates, seed=seed, steps=steps
    )
    yield Progress(0, 0, "Finding the grains")
    made = grain_maps(
        oriented(filled, known, along),
        [told_of(phase) for phase in phases],
        {
            "method": "microstructure",
            # Past its edges a scan has no patterns.
            "scan": None if any(margins) else stack.provenance.get("scan"),
            "microstructure": {
                **made_with(
                    generator, "extended" if any(margins) else "filled in", along, seed, steps
                ),
                "margins": list(margins),
                "scale": scale,
                "candidates": candidates,
            },
        },
        step=stack.step,
        along=along,
        filled_in=known.numbers == 0,
    )
    _keep_measured(made, stack, numbers > 0, (top, left))
    return made


def generate_maps(
    generator: MicrostructureGenerator,
    shape: tuple[int, int],
    *,
    step: float = 1.0,
    tileable: bool = False,
    wished: Wishes | None = None,
    along: Axis = "z",
    seed: int = 0,
    steps: int = STEPS,
) -> Job[MapStack]:
    """Maps of grains of two cubic phases that nobody has measured.

    Parameters
    ----------
    generator, along, seed, steps
        See :func:`fill_maps`.
    shape, tileable, wished
        See :func:`~napari_kikuchi.microstructure.filling.generate`.
    step
        In µm.

    Yields
    ------
    Progress
        What is being done.

    Returns
    -------
    MapStack
        See :func:`~napari_kikuchi.microstructure.maps.grain_maps`.

    Raises
    ------
    ValueError
        If there is no map of that shape, or the generator's control was not trained for a wish.
    """
    from orix.quaternion.symmetry import Oh

    made = yield from generate(
        generator, 1, shape, tileable=tileable, wished=wished, seed=seed, steps=steps
    )
    yield Progress(0, 0, "Finding the grains")
    found = oriented(made[0], no_orientations(shape, [Oh, Oh]), along, tiled=tileable)
    settings = {**made_with(generator, "generated", along, seed, steps), "tileable": tileable}
    if wished and wished.names:
        control = dict(generator.required_control().provenance)
        settings |= {"control": control, "wished": wished.settings()}
    told = {"method": "microstructure", "microstructure": settings}
    return grain_maps(found, cubic_phases(), told, step=(step, step), along=along)


def made_with(
    generator: MicrostructureGenerator, made: str, along: Axis, seed: int, steps: int
) -> dict[str, Any]:
    """What the provenance of maps tells of how they were made, fit for JSON.

    Parameters
    ----------
    generator, along, seed, steps
        See :func:`fill_maps`.
    made
        What was done, in a word or two.
    """
    return {
        "made": made,
        "generator": dict(generator.provenance),
        "along": along,
        "seed": seed,
        "steps": steps,
    }


def _keep_measured(
    made: MapStack, stack: MapStack, kept: NDArray[np.bool_], corner: tuple[int, int]
) -> None:
    """Let what was measured stay bit by bit: unit quaternions are rounded once more."""
    rows, cols = np.nonzero(kept)
    for part in QUATERNION:
        measured = stack.map(stack.names.index(part))[rows, cols]
        made.values[made.names.index(part), rows + corner[0], cols + corner[1]] = measured
