"""What the microscope makes of perfect patterns, in the order in which it happens."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch

# Mean counts per pixel. Their shot noise of 0.5, 1 and 2 % of the intensity stands beside bands
# with a standard deviation of 3 %; kikuchipy's real nickel scan (60 x 60) has 1.7 %.
MEAN_COUNTS = {"low": 40_000.0, "medium": 10_000.0, "high": 2_500.0}
# Blur is stated for patterns of this height and scales with them.
BLUR_REFERENCE = 480


@dataclass(frozen=True)
class Effects:
    """How patterns are recorded.

    Attributes
    ----------
    overlap_fwhm
        Width at half maximum, in µm, of what contributes to one position: the interaction volume
        (some 0.1 µm at 20 kV), the beam and its drift. Neighbours farther than one position do
        not contribute.
    contrast
        Standard deviation of the diffracted intensity, relative to the background: 3 % in real
        patterns of silicon and nickel.
    gain_spread
        Standard deviation of the brightness from position to position, relative to its mean.
    background_width
        Standard deviation of the Gaussian background, in fractions of the pattern's height.
    background_centre
        Brightest point of the background, from the top left in fractions of height and width.
    screen_radius
        Radius of the round screen in fractions of the pattern's height, centred on the frame: a
        little more than half, so that only the corners are dark.
    dark
        Intensity outside the screen, relative to the mean on it.
    mean_counts
        Of a pixel on the screen; the noise is Poisson's.
    read_noise
        Standard deviation of the camera's own noise, in counts.
    gamma
        Exponent of the camera's response.
    """

    overlap_fwhm: float = 0.5
    contrast: float = 0.03
    gain_spread: float = 0.02
    background_width: float = 0.36
    background_centre: tuple[float, float] = (0.45, 0.5)
    screen_radius: float = 0.56
    dark: float = 0.05
    mean_counts: float = MEAN_COUNTS["medium"]
    read_noise: float = 10.0
    gamma: float = 1.0

    def background(self, shape: tuple[int, int]) -> torch.Tensor:
        """Background with a mean of 1 on the screen, of shape (height, width)."""
        height, width = shape
        down = (torch.arange(height, dtype=torch.float64) + 0.5) / height
        right = (torch.arange(width, dtype=torch.float64) + 0.5) / height
        centre_down, centre_right = self.background_centre
        squared = (down - centre_down)[:, None] ** 2 + (right - centre_right * width / height) ** 2
        light = torch.exp(-squared / (2 * self.background_width**2))
        screen = self.screen(shape)
        return torch.where(screen, light / light[screen].mean(), 0.0).float()

    def screen(self, shape: tuple[int, int]) -> torch.Tensor:
        """Which pixels see the screen, of shape (height, width)."""
        height, width = shape
        down = (torch.arange(height) + 0.5) / height - 0.5
        right = (torch.arange(width) + 0.5) / height - 0.5 * width / height
        return down[:, None] ** 2 + right**2 <= self.screen_radius**2


def blur(patterns: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Blur each pattern by its own Gaussian.

    Parameters
    ----------
    patterns
        Of shape (n, height, width).
    sigma
        Standard deviation for each pattern, in its pixels, of shape (n,).

    Notes
    -----
    The discrete Gaussian exp(-t) I_n(t), t = sigma² (Lindeberg 1990), keeps its variance where a
    sampled Gaussian would vanish between two pixels: at a quarter of a pixel, say.
    """
    largest = float(sigma.max()) if len(sigma) else 0.0
    if largest == 0:
        return patterns
    kernels = _discrete_gaussians(sigma, radius=math.ceil(4 * largest) + 1)
    count, radius = len(patterns), kernels.shape[1] // 2
    padded = torch.nn.functional.pad(patterns[None], (radius,) * 4, mode="replicate")
    down = torch.nn.functional.conv2d(padded, kernels[:, None, :, None], groups=count)
    return torch.nn.functional.conv2d(down, kernels[:, None, None, :], groups=count)[0]


def _discrete_gaussians(sigma: torch.Tensor, radius: int) -> torch.Tensor:
    from scipy.special import ive

    variance = sigma.detach().cpu().double().numpy()[:, None] ** 2
    weights = torch.as_tensor(ive(abs(torch.arange(-radius, radius + 1).numpy()), variance))
    weights = weights / weights.sum(dim=1, keepdim=True)
    return weights.to(sigma.device, torch.float32)


def overlap_weights(step: float, fwhm: float) -> tuple[float, float]:
    """Weights of a position itself and of each of its two neighbours along one direction."""
    neighbour = math.exp(-4 * math.log(2) * (step / fwhm) ** 2) if fwhm > 0 else 0.0
    return 1 / (1 + 2 * neighbour), neighbour / (1 + 2 * neighbour)


def overlap(
    rows: Iterable[torch.Tensor], step: tuple[float, float], fwhm: float
) -> Iterator[torch.Tensor]:
    """Mix the patterns of each position with those of its eight neighbours.

    Beyond the border of the scan the outermost position goes on. Each row is taken once, and no
    more than three are held.

    Parameters
    ----------
    rows
        Patterns of each row of the scan, of shape (columns, height, width).
    step
        Distance between rows and between columns, in µm.
    fwhm
        Of the Gaussian weights, in µm.
    """
    (own_down, other_down), (own_right, other_right) = (
        overlap_weights(distance, fwhm) for distance in step
    )
    above = here = None
    for row in rows:
        left, right = torch.cat([row[:1], row[:-1]]), torch.cat([row[1:], row[-1:]])
        below = own_right * row + other_right * (left + right)
        if here is not None:
            yield own_down * here + other_down * ((here if above is None else above) + below)
        above, here = here, below
    if here is not None:
        yield own_down * here + other_down * ((here if above is None else above) + here)


class Camera:
    """Turns diffracted intensities into recorded pixels.

    Parameters
    ----------
    effects
        How patterns are recorded.
    shape
        Height and width of a pattern.
    levels
        Largest value of a pixel: 255 for eight bits, 4095 for the twelve of most cameras.
    device
        A torch device.
    """

    # Share of the full scale that the brightest point of the background takes: room for bright
    # bands and for gain.
    _PEAK = 0.75

    def __init__(
        self,
        effects: Effects,
        shape: tuple[int, int],
        levels: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self.effects = effects
        self.levels = levels
        background = effects.background(shape)
        self._full_scale = effects.mean_counts * float(background.max()) / self._PEAK
        self._background = background.to(device)
        self._dark = torch.where(effects.screen(shape), 0.0, effects.dark).to(device)

    def expected_counts(self, diffracted: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
        """Mean counts of each pixel.

        Parameters
        ----------
        diffracted
            In standard deviations of the master pattern, of shape (n, height, width).
        gain
            Relative brightness of each pattern, of shape (n,).
        """
        light = self._background * (1 + self.effects.contrast * diffracted)
        light = gain[:, None, None] * light + self._dark
        return (self.effects.mean_counts * light).clamp_(min=0)

    def record(self, diffracted: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Expose and read out; whole numbers from 0 to ``levels``, of the shape of the input."""
        device = diffracted.device
        gain = torch.randn(len(diffracted), generator=generator, device=device)
        expected = self.expected_counts(diffracted, 1 + self.effects.gain_spread * gain)
        counts = torch.poisson(expected, generator=generator)
        counts += self.effects.read_noise * torch.randn(
            counts.shape, generator=generator, device=device
        )
        signal = (counts / self._full_scale).clamp_(0, 1) ** self.effects.gamma
        return (signal * self.levels).round_()
