"""What every encoder can do, and how one is read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from napari_kikuchi.io.weights import ModelFileError, StoredModel, read_model
from napari_kikuchi.untrusted import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.recipe import Recipe

# Imported when a file asks for it: a linear encoder needs no torch.
_KINDS = {
    "linear": ("napari_kikuchi.latent.linear", "LinearEncoder"),
    "vae": ("napari_kikuchi.latent.vae", "VaeEncoder"),
}


class Encoder(Protocol):
    """Turns prepared patterns into latent features and back."""

    @property
    def kind(self) -> str:
        """``"linear"`` or ``"vae"``."""
        ...

    @property
    def latent(self) -> int:
        """Number of latent features."""
        ...

    @property
    def measured(self) -> int:
        """How many features, the first ones, are measured and not learned: 1, contrast, or none."""
        ...

    @property
    def effort(self) -> int:
        """How many times longer a pattern takes than by the quick ones, roughly."""
        ...

    @property
    def device(self) -> str:
        """Where it runs: ``"cpu"``, or a device of torch."""
        ...

    @property
    def recipe(self) -> Recipe:
        """How patterns are prepared for this encoder, with its signal mask."""
        ...

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Which scans, settings and version made the encoder."""
        ...

    def encode(self, patterns: NDArray) -> NDArray:
        """Latent features of prepared patterns.

        Parameters
        ----------
        patterns
            Prepared by the encoder's recipe, of shape (n, height, width), within [-1, 1].

        Returns
        -------
        numpy.ndarray
            float32, of shape (n, latent).
        """
        ...

    def decode(self, features: NDArray) -> NDArray:
        """Patterns that latent features stand for.

        Parameters
        ----------
        features
            Of shape (n, latent).

        Returns
        -------
        numpy.ndarray
            float32, of shape (n, height, width); 0 outside the signal mask.
        """
        ...

    def measure(self, patterns: Any) -> tuple[NDArray, NDArray]:
        """Latent features of prepared patterns, and how far what they decode to is from these.

        Parameters
        ----------
        patterns
            As for :meth:`encode`; or a tensor of these on the device of an encoder that has one.

        Returns
        -------
        features, error
            float32, of shape (n, latent) and (n,): the root mean square inside the signal mask.
        """
        ...

    def stored(self) -> StoredModel:
        """The encoder as a file holds it."""
        ...

    def save(self, path: Path | str) -> None:
        """Write the encoder to a file that :func:`load_encoder` reads."""
        ...


def load_encoder(path: Path | str, device: str = "auto") -> Encoder:
    """Read an encoder of any kind.

    Parameters
    ----------
    path
        A file that :meth:`Encoder.save` wrote.
    device
        Where a neural network runs: ``"cuda"``, ``"mps"``, ``"cpu"``, or ``"auto"`` for the first
        of these that is there. Linear encoders run on the processor.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it is no model of this package, was written by a newer version, or is damaged.
    ValueError
        If there is no such device.
    """
    model = read_model(path)
    if model.kind not in _KINDS:
        raise ModelFileError(
            f"{path}: holds a model of kind {shown(model.kind)}; this napari-kikuchi knows "
            f"{', '.join(_KINDS)}. Update napari-kikuchi."
        )
    module, name = _KINDS[model.kind]
    return getattr(import_module(module), name).from_stored(model, path, device)
