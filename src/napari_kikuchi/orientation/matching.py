"""Finds orientations by comparing spots with templates, turned about the beam in all ways at once.

A pattern becomes a histogram over rings and angles. Its Fourier series along the angle, times that
of a template, is the series of their correlation in all in-plane angles; with the conjugate of
that of the template it is the correlation with its mirror image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.template_library import Library
from napari_kikuchi.orientation.window import Window

# Distance of rings in 1/Å: positions are compared with a triangle of twice that width. Along the
# rings they are compared with a Gaussian, of this standard deviation in 1/Å.
_RING = 0.08
_ALONG_RING = 0.05
# Terms of the Fourier series, and angles at which it is summed.
_TERMS = 40
_ANGLES = 96
# Two peaks of a curve are further apart than so many of these angles.
_APART = 5
# Of measured intensities, which makes amplitudes of them. Templates have a higher power: of those
# tried, from 0.1 to 0.5, these two found most orientations, true to fractions of a degree.
_MEASURED_POWER = 0.2
# Of a template, so much at least counts as shown: what is compared with less says nothing.
LEAST_SHOWN = 0.1
# More spots of a pattern than these say no more, but take time.
MOST_SPOTS = 64
# Correlations at a time: what the steps below pass on to each other stays near a processor.
_BATCH = {"cpu": 2**21}
_BATCH_DEVICE = 2**28


@dataclass(frozen=True, eq=False)
class Hypotheses:
    """Orientations that patterns may have.

    Attributes
    ----------
    scores
        How alike pattern and template are, from 0 to 1, float32 of shape (patterns, hypotheses):
        the cosine of the angle between their amplitudes. 0 says that there is none.
    cells, mirrored, angles
        Cell of the library, whether its mirror image is taken, and the in-plane angle in radians;
        of shape (patterns, hypotheses).
    tilts
        Where in the cell, in radians, float64 of shape (patterns, hypotheses, 2).
    rotations
        From the sample's frame into the crystal's, float64 of shape (patterns, hypotheses, 3, 3);
        NaN where there is none.
    """

    scores: Tensor
    cells: Tensor
    mirrored: Tensor
    angles: Tensor
    tilts: Tensor
    rotations: Tensor

    @classmethod
    def of(
        cls,
        library: Library,
        scores: Tensor,
        cells: Tensor,
        mirrored: Tensor,
        angles: Tensor,
        tilts: Tensor,
    ) -> Hypotheses:
        """Find the orientations, on the processor."""
        scores, cells, mirrored, angles = (part.cpu() for part in (scores, cells, mirrored, angles))
        tilts = tilts.cpu().double()
        rotations = library.orientations(cells, mirrored, angles, tilts)
        rotations = torch.where((scores > 0)[..., None, None], rotations, torch.nan)
        return cls(scores, cells, mirrored, angles, tilts, rotations)

    @classmethod
    def joined(cls, parts: list[Hypotheses]) -> Hypotheses:
        """Those of one batch of patterns after the other."""
        return cls(
            *(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(cls))
        )

    def best_first(self) -> Hypotheses:
        """The same, those of a pattern with the highest score first."""
        return self.taken(self.order())

    def order(self) -> Tensor:
        """Numbers of the hypotheses of each pattern, that with the highest score first."""
        return self.scores.argsort(dim=1, descending=True, stable=True)

    def taken(self, order: Tensor) -> Hypotheses:
        """Some of each pattern, by their numbers, of shape (patterns, hypotheses)."""
        each = torch.arange(len(order))[:, None]
        return Hypotheses(*(getattr(self, field.name)[each, order] for field in fields(self)))

    def __len__(self) -> int:
        """Number of patterns."""
        return len(self.scores)

    def __getitem__(self, patterns: slice) -> Hypotheses:
        """Those of some patterns."""
        return Hypotheses(*(getattr(self, field.name)[patterns] for field in fields(self)))


class Matcher:
    """Compares patterns with the middle of each cell of a library.

    Parameters
    ----------
    library
        Of templates.
    hypotheses
        How many are kept of each pattern, of different cells or mirror images.
    window
        What the detector shows: the rest of a template is not missing. None: all of the library.
    device
        Where to compute.

    Raises
    ------
    ValueError
        If no hypothesis is kept, or more than there are.
    """

    def __init__(
        self,
        library: Library,
        *,
        hypotheses: int = 8,
        window: Window | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        cells = len(library.rotations)
        if not 1 <= hypotheses <= 2 * cells:
            raise ValueError(f"expected 1 to {2 * cells} hypotheses, found {hypotheses}")
        self.templates = library.to(device)
        self.hypotheses = hypotheses
        self._rings = torch.arange(math.ceil(library.k_max / _RING) + 1.0, device=device)
        self._terms = torch.arange(float(_TERMS), device=device)
        series = self._templates()
        self._series_of_cells = torch.cat([series.real, series.imag], dim=1)
        self._cosines, self._sines = self._waves()
        self._shown = None if window is None else self._share_shown(window)

    def __call__(self, spots: Spots) -> Hypotheses:
        """Find the orientations of patterns.

        Parameters
        ----------
        spots
            Of n patterns.

        Returns
        -------
        Hypotheses
            Of n patterns, best first; those of the middle of a cell.
        """
        if not len(spots):
            # Not all Fourier transforms take what is empty.
            return self(Spots.from_lists([[]]))[:0]
        values = torch.from_numpy(spots.packed(MOST_SPOTS).values)
        parts = [self._match(batch) for batch in values.split(self._batch())]
        return Hypotheses.joined(parts)

    def _batch(self) -> int:
        device = self.templates.device.type
        each = 2 * len(self.templates.rotations) * _ANGLES
        return max(1, _BATCH.get(device, _BATCH_DEVICE) // each)

    def _match(self, values: Tensor) -> Hypotheses:
        library = self.templates
        positions, amplitudes = amplitudes_of(values.to(library.device))
        cells = len(library.rotations)
        correlation = self._correlate(self._series(positions, amplitudes))
        if self._shown is not None:
            correlation /= self._shown
        # What a window shows little of may seem better than alike.
        highest = correlation.amax(0).clamp(max=1).transpose(0, 1).flatten(1)
        best = highest.topk(self.hypotheses, dim=1).indices
        each = torch.arange(len(best), device=best.device)[:, None]
        curves = correlation[:, best // cells, each, best % cells].clamp(max=1)
        curves = curves.permute(1, 2, 0)[..., _order(best.device)]
        first = curves.argmax(-1)
        # Of a zone's spots alone, two angles may give the same pattern.
        second = torch.where(_near(first), -torch.inf, curves).argmax(-1)
        tops = torch.cat([first, second], dim=1)
        best, curves = best.repeat(1, 2), curves.repeat(1, 2, 1)
        heights = curves.gather(-1, tops[..., None])[..., 0].clamp(min=0)
        scores, chosen = heights.topk(self.hypotheses, dim=1)
        angles = _peaks(curves, tops).gather(1, chosen)
        best = best.gather(1, chosen)
        return Hypotheses.of(
            library,
            scores,
            best % cells,
            best >= cells,
            angles,
            scores.new_zeros(*best.shape, 2),
        )

    def _templates(self) -> Tensor:
        """Series of the mean template of each cell, of shape (terms, rings, cells)."""
        library = self.templates
        mean = library.amplitudes.mean((1, 2))
        series = self._series(library.positions, mean)
        width = self._terms[:, None] * _ALONG_RING / (self._rings * _RING).clamp(min=_RING)
        series = series * torch.exp(-(width**2) / 2)[:, None]
        return (series / _norms(series).clamp(min=1e-9)[:, None]).mT

    def _share_shown(self, window: Window) -> Tensor:
        """Norm of what the detector shows of templates, as correlations are given.

        Of shape (angles, 2, 1, cells), the mirror images second; 1 where it shows all.
        """
        power = self.templates.amplitudes.mean((1, 2)).square()
        power /= power.sum(-1, keepdim=True).clamp(min=1e-9)
        x, y = self.templates.positions.unbind(-1)
        angles = torch.arange(_ANGLES, device=x.device) * (2 * math.pi / _ANGLES)
        shares = []
        for mirrored in (y, -y):
            by_angle = [
                (power * window.shows(c * x - s * mirrored, s * x + c * mirrored)).sum(-1)
                for c, s in zip(angles.cos().tolist(), angles.sin().tolist(), strict=True)
            ]
            shares.append(torch.stack(by_angle)[_order(x.device)])
        return torch.stack(shares, dim=1)[:, :, None].clamp(min=LEAST_SHOWN).sqrt()

    def _waves(self) -> tuple[Tensor, Tensor]:
        """What real and imaginary parts add to curves at angles of half a turn: (angles, terms).

        Products with these are quicker than a Fourier transform of so few terms.
        """
        half = torch.arange(_ANGLES // 2 + 1, device=self._terms.device)
        phase = half[:, None] * (2 * math.pi / _ANGLES) * self._terms
        # Of a real curve the terms below zero are conjugates of those above.
        weight = torch.where(self._terms > 0, 2.0, 1.0)
        return weight * phase.cos(), -weight * phase.sin()

    def _series(self, positions: Tensor, amplitudes: Tensor) -> Tensor:
        """Fourier series along rings, of shape (terms, patterns, rings)."""
        x, y = positions.unbind(-1)
        radius = torch.hypot(x, y) / _RING
        near = (1 - (radius[..., None] - self._rings).abs()).clamp(min=0) * amplitudes[..., None]
        phase = torch.atan2(y, x)[..., None] * self._terms
        real, imaginary = near.mT @ phase.cos(), near.mT @ -phase.sin()
        return torch.complex(real, imaginary).permute(2, 0, 1)

    def _correlate(self, series: Tensor) -> Tensor:
        """With all templates and their mirror images: (angles, 2, patterns, cells).

        Angles of half a turn one way, then those the other way, see :func:`_order`.
        """
        series = series / _norms(series).clamp(min=1e-9)[:, None]
        real, imaginary = series.real, series.imag
        # Real parts of the products with both, then imaginary ones.
        rows = [(real, imaginary), (real, -imaginary), (imaginary, -real), (imaginary, real)]
        products = torch.cat([torch.cat(row, dim=-1) for row in rows], dim=1)
        even, odd = (products @ self._series_of_cells).flatten(1).chunk(2, dim=1)
        even, odd = self._cosines @ even, self._sines @ odd
        curves = even.new_empty(_ANGLES, even.shape[1])
        torch.add(even, odd, out=curves[: len(even)])
        torch.sub(even[1:-1], odd[1:-1], out=curves[len(even) :])
        return curves.unflatten(1, (2, series.shape[1], -1))


def amplitudes_of(values: Tensor) -> tuple[Tensor, Tensor]:
    """Positions of spots, and their amplitudes so that the sum of squares of a pattern is 1.

    Parameters
    ----------
    values
        As :class:`Spots` has them, of shape (n, spots, 3).

    Returns
    -------
    positions, amplitudes
        Of shape (n, spots, 2) and (n, spots). Amplitudes of a pattern without spots are 0.
    """
    amplitudes = values[..., 2] ** _MEASURED_POWER
    return values[..., :2], torch.nn.functional.normalize(amplitudes, dim=-1)


def _order(device: torch.device) -> Tensor:
    """From angles in their order to half a turn one way and then the other way, and back."""
    half = torch.arange(_ANGLES // 2 + 1, device=device)
    return torch.cat([half, _ANGLES - half[1:-1]])


def _norms(series: Tensor) -> Tensor:
    """Of real histograms, whose terms below zero are conjugates: of shape (patterns,)."""
    squares = series.real**2 + series.imag**2
    return (2 * squares.sum((0, 2)) - squares[0].sum(-1)).sqrt()


def _near(tops: Tensor) -> Tensor:
    """Which angles lie near the highest of curves, of shape (..., angles)."""
    apart = (torch.arange(_ANGLES, device=tops.device) - tops[..., None]).abs()
    return apart.minimum(_ANGLES - apart) <= _APART


def _peaks(curves: Tensor, tops: Tensor) -> Tensor:
    """Angles of the highest points of curves over one turn, between samples by a parabola."""
    around = (tops[..., None] + torch.tensor([-1, 0, 1], device=tops.device)) % _ANGLES
    left, middle, right = curves.gather(-1, around).unbind(-1)
    bend = (2 * middle - left - right).clamp(min=1e-9)
    offset = ((right - left) / (2 * bend)).clamp(-0.5, 0.5)
    return (tops + offset) * (2 * math.pi / _ANGLES)
