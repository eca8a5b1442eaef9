"""Libraries of templates that are simulated once, and found again in the user's cache.

A library is known by all that its templates depend on: the crystal's cell and atoms, and how they
were simulated. Whoever changes one of these gets another library, never an old one.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_kikuchi.io.output import sole_writer
from napari_kikuchi.io.weights import ModelFileError
from napari_kikuchi.jobs import Job
from napari_kikuchi.orientation.template_library import Library
from napari_kikuchi.orientation.templates import (
    FINE_STEP,
    STEP,
    USUAL_THICKNESSES,
    dynamical_library,
    kinematical_library,
)

if TYPE_CHECKING:
    from napari_kikuchi.crystals.crystal import Crystal

# Raised whenever the same settings give other templates than before.
_GENERATION = 2
# All libraries together; those that were not used for the longest time are removed.
_MOST_BYTES = 2 * 2**30
_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class LibrarySettings:
    """How templates are simulated.

    Attributes
    ----------
    voltage
        Of the beam, in kV.
    thicknesses
        Of the foil, in Å.
    kinematical
        Without multiple scattering: quick, and right for very thin crystals.
    k_max
        Length of the longest reciprocal lattice vector, in 1/Å.
    step, fine_step
        Distances in degrees of cells, and of the templates within one.
    """

    voltage: float = 300.0
    thicknesses: tuple[float, ...] = tuple(map(float, USUAL_THICKNESSES))
    kinematical: bool = False
    k_max: float = 2.0
    step: float = STEP
    fine_step: float = FINE_STEP


def library_of(
    crystal: Crystal, settings: LibrarySettings, folder: Path | None = None
) -> Job[Library]:
    """The library of a crystal: from an earlier time, or simulated now and kept.

    Parameters
    ----------
    crystal
        Whose templates.
    settings
        How they are simulated.
    folder
        Where libraries are kept; None: in the user's cache.

    Yields
    ------
    Progress
        In cells; nothing if the library was there.

    Returns
    -------
    Library
        With amplitudes in half precision, whether it was there or not.

    Raises
    ------
    ValueError
        If a step is out of range, or ``k_max`` leaves no reflection or too many.
    """
    folder = _user_folder() if folder is None else folder
    file = folder / (library_key(crystal, settings) + _SUFFIX)
    with suppress(FileNotFoundError, ModelFileError):
        library = Library.load(file)
        with suppress(OSError):
            file.touch()
        return library
    options = asdict(settings)
    simulate = kinematical_library if options.pop("kinematical") else dynamical_library
    library = yield from simulate(crystal, **options)
    # Where nothing can be kept, it is simulated again the next time; what another process is
    # writing is kept by that one.
    with suppress(OSError):
        with sole_writer(file):
            library.save(file)
        _remove_unused(folder)
        _remove_leftovers(folder)
    return replace(library, amplitudes=library.amplitudes.half().float())


def library_key(crystal: Crystal, settings: LibrarySettings) -> str:
    """Short for all that the templates depend on."""
    content: dict[str, Any] = {
        "generation": _GENERATION,
        "settings": asdict(settings),
        "name": crystal.name,
        "lattice": crystal.reciprocal_base.tolist(),
        "laue group": crystal.laue_group.data.tolist(),
        "elements": crystal.elements,
        "positions": crystal.positions.tolist(),
        "occupancies": crystal.occupancies.tolist(),
        "Debye-Waller factors": crystal.debye_waller.tolist(),
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def _user_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("napari-kikuchi") / "libraries"


def _remove_unused(folder: Path) -> None:
    """Remove the libraries for which there is no room."""
    files = [(file, file.stat()) for file in folder.glob(f"*{_SUFFIX}")]
    total = 0
    for file, state in sorted(files, key=lambda one: one[1].st_mtime, reverse=True):
        total += state.st_size
        if total > _MOST_BYTES:
            # On Windows one that another process reads stays.
            with suppress(OSError):
                file.unlink()


def _remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed had begun to write."""
    for left in [*folder.glob(f"*{_SUFFIX}.partial"), *folder.glob(f"*{_SUFFIX}.lock")]:
        # Of one that is still writing it is no leftover; the lock goes by itself.
        with suppress(OSError), sole_writer(left.with_suffix("")):
            if left.suffix == ".partial":
                left.unlink()
