"""How the patterns of an interrupted job were prepared, to go on in the same way.

The background is an average of many patterns, or of all. Found anew it would cost their reading
once more, and come out another where one of them can be read now and could not then.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_kikuchi.io.journal import as_noted
from napari_kikuchi.io.weights import ModelFileError, StoredModel, read_model, write_model
from napari_kikuchi.jobs import Job
from napari_kikuchi.preprocess import Preprocessor, prepare
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan

_KIND, _BACKGROUND = "preparation", "background"


@dataclass(frozen=True, eq=False)
class KeptPreparation:
    """A recipe fitted to a scan, kept in a file.

    Attributes
    ----------
    file
        Where.
    scan, recipe
        Of which scan, and as it was before it was fitted.
    """

    file: Path
    scan: Scan
    recipe: Recipe

    def read(self) -> Preprocessor | None:
        """What was kept; None if it is not there, or of another scan or recipe."""
        try:
            found = read_model(self.file)
        except (FileNotFoundError, ModelFileError):
            return None
        background = found.tensors.get(_BACKGROUND)
        if found.kind != _KIND or as_noted(found.provenance) != self._identity():
            return None
        if background is None or background.shape != found.recipe.size:
            return None
        return Preprocessor(found.recipe, background)

    def write(self, preprocessor: Preprocessor) -> None:
        """Keep a preprocessor."""
        tensors = {_BACKGROUND: preprocessor.background}
        fitted = StoredModel(_KIND, {}, preprocessor.recipe, tensors, self._identity())
        write_model(self.file, fitted)

    def read_or_prepare(self, *, resume: bool, check_mask: bool = True) -> Job[Preprocessor]:
        """What was kept, if a job is to be resumed, or what is fitted now.

        Parameters
        ----------
        resume
            Whether to take what was kept.
        check_mask
            See :func:`~napari_kikuchi.preprocess.prepare`.
        """
        kept = self.read() if resume else None
        if kept is not None:
            return kept
        return (yield from prepare(self.scan, self.recipe, check_mask=check_mask))

    def _identity(self) -> dict[str, Any]:
        mask = self.recipe.mask
        return as_noted(
            {
                "scan": self.scan.fingerprint(),
                "recipe": self.recipe.settings(),
                "mask": None if mask is None else zlib.crc32(mask.tobytes()),
            }
        )
