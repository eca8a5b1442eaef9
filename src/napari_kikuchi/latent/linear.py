"""The linear encoder: principal components of the patterns.

Ready in seconds, without training: the first look at any scan, and the baseline that every
trained encoder is held against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from napari_kikuchi.io.weights import StoredModel, damage_told, require_tensors, write_model
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.latent.sample import draw_sample, provenance
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan
from napari_kikuchi.untrusted import integer

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LinearEncoder:
    """Principal components within the signal mask.

    A feature is the plain projection on its component and is not scaled to unit variance: so its
    spread says how much of the patterns it explains, distances between features are distances
    between patterns, and noise of weak components is not blown up to the size of strong ones.

    Attributes
    ----------
    mean
        Mean pattern inside the mask, of shape (pixels,).
    components
        Orthonormal, strongest first, each with its largest entry positive; of shape
        (latent, pixels).
    variances
        Of each feature over the sample, of shape (latent,).
    recipe
        How patterns are prepared, with the signal mask.
    provenance
        Scans, settings, version and date.
    """

    kind: ClassVar[str] = "linear"
    measured: ClassVar[int] = 0
    effort: ClassVar[int] = 1
    device: ClassVar[str] = "cpu"

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    variances: NDArray[np.float32]
    recipe: Recipe
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def latent(self) -> int:
        """Number of latent features."""
        return len(self.components)

    @property
    def _mask(self) -> NDArray[np.bool_]:
        assert self.recipe.mask is not None
        return self.recipe.mask

    def encode(self, patterns: NDArray) -> NDArray[np.float32]:
        """Features of prepared patterns (n, height, width), of shape (n, latent)."""
        inside = patterns[:, self._mask].astype(np.float32, copy=False)
        return np.matmul(inside - self.mean, self.components.T, dtype=np.float32)

    def decode(self, features: NDArray) -> NDArray[np.float32]:
        """Patterns of given features (n, latent), of shape (n, height, width)."""
        patterns = np.zeros((len(features), *self.recipe.size), np.float32)
        patterns[:, self._mask] = features.astype(np.float32) @ self.components + self.mean
        return patterns

    def measure(self, patterns: NDArray) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features of prepared patterns (n, height, width), and errors (n,) of these."""
        features = self.encode(patterns)
        difference = (self.decode(features) - patterns)[:, self._mask]
        return features, np.sqrt(np.square(difference).mean(axis=1))

    def stored(self) -> StoredModel:
        """The encoder as a file holds it."""
        tensors = {
            "mean": self.mean,
            "components": self.components,
            "variances": self.variances,
        }
        architecture = {"latent": self.latent}
        return StoredModel(self.kind, architecture, self.recipe, tensors, self.provenance)

    def save(self, path: Path | str) -> None:
        """Write the encoder to a file that :func:`~.encoder.load_encoder` reads."""
        write_model(path, self.stored())

    @classmethod
    def from_stored(
        cls, model: StoredModel, path: Path | str, device: str = "auto"
    ) -> LinearEncoder:
        """Build the encoder that a file holds; it runs on the processor whatever the device."""
        with damage_told(path):
            latent = integer(model.architecture.get("latent"), "latent in the architecture", 1)
        assert model.recipe.mask is not None  # read_model gives every recipe one
        pixels = int(np.count_nonzero(model.recipe.mask))
        shapes = {"mean": (pixels,), "components": (latent, pixels), "variances": (latent,)}
        require_tensors(path, model.kind, model.tensors, shapes)
        tensors = {name: model.tensors[name] for name in shapes}
        return cls(**tensors, recipe=model.recipe, provenance=model.provenance)


def fit_linear(
    scans: Sequence[Scan],
    recipe: Recipe,
    latent: int = 32,
    sample: int = 4096,
    seed: int = 0,
) -> Job[LinearEncoder]:
    """Fit a linear encoder to a sample of patterns.

    Parameters
    ----------
    scans
        One or several; each gives an equal share of the sample.
    recipe
        How patterns are prepared; without a mask, that is found where every scan has a signal.
    latent
        Number of components.
    sample
        Patterns in all.
    seed
        Of the draw.

    Yields
    ------
    Progress
        Patterns prepared so far.

    Returns
    -------
    LinearEncoder

    Raises
    ------
    ValueError
        If there are not more patterns and pixels than components.
    RecipeMismatchError
        If a scan does not fit the recipe, or the scans do not fit together.
    """
    drawn = yield from draw_sample(scans, recipe, max(1, sample // max(1, len(scans))), seed)
    mask = drawn.recipe.mask
    assert mask is not None
    inside = drawn.patterns[:, mask]
    if latent >= min(inside.shape):
        raise ValueError(
            f"{latent} components need more than {latent} patterns and pixels, but there are "
            f"{inside.shape[0]} patterns of {inside.shape[1]} pixels. Ask for fewer components."
        )
    yield Progress(len(inside), len(inside), f"Finding {latent} principal components")
    mean = inside.mean(axis=0, dtype=np.float64).astype(np.float32)
    if not np.any(inside - mean):
        raise ValueError(
            "all patterns are alike: there is nothing to tell them apart by. Is the scan blank?"
        )
    components, variances = principal_components(inside - mean, latent)
    settings = {"latent": latent, "sample": sample, "seed": seed}
    return LinearEncoder(
        mean, components, variances, drawn.recipe, provenance(drawn, {"kind": "linear"} | settings)
    )


def principal_components(
    centred: NDArray[np.float32], count: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Strongest principal components of centred data.

    Parameters
    ----------
    centred
        Of shape (n, pixels), each column of mean 0.
    count
        How many; less than n and than pixels.

    Returns
    -------
    components, variances
        Of shape (count, pixels) and (count,), strongest first. The sign of a component, which
        the data leaves open, makes its largest entry positive.
    """
    from scipy.linalg import eigh
    from threadpoolctl import threadpool_limits

    wide = centred.shape[1] > len(centred)
    # Several threads would add in another order on another number of cores.
    with threadpool_limits(1):
        # The smaller of the two matrices of products has the same eigenvalues, and is soon done.
        products = centred @ centred.T if wide else centred.T @ centred
        last = len(products) - 1
        eigenvalues, vectors = eigh(
            products.astype(np.float64), subset_by_index=(last + 1 - count, last)
        )
        components = (centred.T @ vectors.astype(np.float32) if wide else vectors)[:, ::-1].T
    components = components / np.linalg.norm(components, axis=1, keepdims=True)
    largest = np.abs(components).argmax(axis=1)
    components *= np.sign(components[np.arange(count), largest])[:, None]
    variances = eigenvalues[::-1] / (len(centred) - 1)
    return np.ascontiguousarray(components, np.float32), variances.astype(np.float32)
