"""What a region drawn on maps says, and how two of them differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QLabel, QVBoxLayout

from napari_kikuchi.explore.averages import AveragePattern, average_pattern
from napari_kikuchi.explore.bands import Band, changed_bands
from napari_kikuchi.explore.differences import pattern_difference
from napari_kikuchi.explore.places import PlacesError
from napari_kikuchi.explore.regions import describe, histograms
from napari_kikuchi.figures.content import PatternPanel, ProfileCurve, letters
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui.inspector_page import Found, InspectorPage, Means
from napari_kikuchi.ui.pattern_views import View, view_pattern
from napari_kikuchi.ui.region_plot import ChangedBands, MapValues, RegionPlot, Tile
from napari_kikuchi.ui.remarks import remarks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.ui.inspected import Inspected
    from napari_kikuchi.ui.preparation import Preparation
    from napari_kikuchi.ui.saving import Table
    from napari_kikuchi.ui.session import Session

_BINS = 48
# More patterns than these change a mean by less than a hundredth of what one differs by.
_PATTERNS = 2000
_BANDS = 4
# Changes of bands that are told: of fifty bands, one is beyond three errors by chance in ten cases.
_SIGNIFICANT = 4.0
_NO_ERRORS = "Of a single pattern errors are not known: whether bands differ cannot be told."


class RegionPage(InspectorPage):
    """Shows one region, or how two or more differ.

    Parameters
    ----------
    session
        Of the viewer.

    Attributes
    ----------
    maps, tiles, bands
        What is known so far.
    """

    needs_model = True

    def __init__(self, session: Session) -> None:
        self.region_plot = RegionPlot(session)
        super().__init__(session, self.region_plot)
        self.maps: list[MapValues] = []
        self.tiles: list[Tile] = []
        self.bands: ChangedBands | None = None
        self.told = QLabel()
        self.told.setWordWrap(True)
        # Right below the plot: above what stretches.
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(layout.indexOf(self.plot) + 1, self.told)

    def begin(self, inspected: Inspected) -> None:
        """Tell how large the regions are."""
        self.maps, self.tiles, self.bands = [], [], None
        self.told.clear()
        self.title.setText("")
        places = inspected.ground.places()
        for letter, place in zip(letters(len(places)), places, strict=True):
            if not len(place):
                which = f"Region {letter}" if len(places) > 1 else "The region"
                raise ValueError(
                    f"{which} holds no position of {inspected.source.name}: press, drag and "
                    "release to draw it there, around the middle of a position at least."
                )
        self.title.setText(" · ".join(_sizes(inspected)))
        self.notice.tell(remarks(inspected))
        self.plot.clear()

    def measure(self, inspected: Inspected, means: Means) -> Job[None]:
        """Measure the maps that are shown, then average the patterns of the regions."""
        maps = []
        for done, below in enumerate(inspected.maps, 1):
            places = below.places()
            try:
                values = [describe(below.values, place, below.step) for place in places]
            except PlacesError:  # A map of the same scan that was moved away.
                continue
            counted = histograms(below.values, places, _BINS)
            maps.append(MapValues(below.name, below.title, below.unit, values, counted))
            yield Progress(done, len(inspected.maps), "Measuring the regions")
        if maps:
            yield Found(0, 0, part=maps)
        scan = inspected.scan
        if scan is None or means.preparation is None:
            return
        averages = []
        for positions in inspected.ground.places():
            chosen = positions[:: -(-len(positions) // _PATTERNS)]
            averages.append((yield from average_pattern(scan, chosen)))
        yield Found(0, 0, part=list(_tiles(averages, means)))
        if len(averages) == 2:
            yield Progress(0, 0, "Looking for bands that changed")
            one, other = averages
            mask, background = _recorded_mask(means.preparation), means.preparation.background
            found = changed_bands(one, other, mask, background)
            yield Found(0, 0, part=ChangedBands(found, scan.pattern_shape))

    def take(self, part: Any) -> None:
        """Draw values, patterns, or bands, too."""
        if isinstance(part, ChangedBands):
            clear = [band for band in part.bands if abs(band.significance) > _SIGNIFICANT]
            self.bands = ChangedBands(clear[:_BANDS], part.shape)
            known = any(np.isfinite(band.significance) for band in part.bands)
            self.told.setText(_bands_in_words(self.bands.bands) if known else _NO_ERRORS)
        elif isinstance(part[0], MapValues):
            self.maps = part
        else:
            self.tiles = part
        self.region_plot.show_regions(self.maps, self.tiles, self.bands)

    def patterns(self) -> list[PatternPanel]:
        """The mean patterns, and what is shown beside them and over them."""
        count = 0 if self.inspected is None else len(self.inspected.shapes)
        return [
            PatternPanel(
                tile.pattern,
                tile.title,
                tile.diverging,
                i if i < count else None,
                [] if self.bands is None else self.bands.over(tile),
            )
            for i, tile in enumerate(self.tiles)
        ]

    def profiles(self) -> list[ProfileCurve]:
        """A region has none."""
        return []

    def table(self) -> Table:
        """What each region says of each map that is shown."""
        rows = [
            (one.name, one.unit, letter, values)
            for one in self.maps
            for letter, values in zip(letters(len(one.values)), one.values, strict=True)
        ]
        if not rows:
            return {}
        names, units, regions, values = zip(*rows, strict=True)
        return {
            "map": names,
            "unit": units,
            "region": regions,
            "positions": [one.count for one in values],
            "area (µm²)": [one.area for one in values],
            "mean": [one.mean for one in values],
            "standard deviation": [one.deviation for one in values],
            "median": [one.median for one in values],
            "5th percentile": [one.low for one in values],
            "95th percentile": [one.high for one in values],
        }


def _sizes(inspected: Inspected) -> Iterator[str]:
    places = inspected.ground.places()
    for letter, place in zip(letters(len(places)), places, strict=True):
        count = f"{len(place)} position{'s' * (len(place) != 1)}"
        size = f"{count}, {len(place) * math.prod(inspected.ground.step):.3g} µm²"
        yield f"{letter if len(places) > 1 else inspected.source.name}: {size}"


def _tiles(averages: list[AveragePattern], means: Means) -> Iterator[Tile]:
    """The mean patterns less the background; of one its reconstruction, of two their difference."""
    preparation = means.preparation
    assert preparation is not None
    mask = _recorded_mask(preparation)
    several = len(averages) > 1
    for letter, average in zip(letters(len(averages)), averages, strict=True):
        corrected = np.where(mask, average.mean - preparation.background, np.nan)
        name = f"{letter}, " if several else ""
        yield Tile(f"{name}mean of {average.count}", corrected)
    if len(averages) == 2:
        one, other = averages
        difference = pattern_difference(one, other, mask)
        errors_known = min(one.count, other.count) > 1
        values = difference.significance if errors_known else difference.values
        yield Tile("a − b, in errors" if errors_known else "a − b", values, diverging=True)
    elif not several and means.model is not None:
        views = (View.RECONSTRUCTED, View.DIFFERENCE)
        shown = view_pattern(averages[0].mean, views, preparation, means.model)
        yield Tile("reconstructed", shown[View.RECONSTRUCTED])
        yield Tile("what that misses", shown[View.DIFFERENCE], diverging=True)


def _recorded_mask(preparation: Preparation) -> NDArray[np.bool_]:
    """The signal mask in pixels of the recorded patterns."""
    mask, shape = preparation.preprocessor.mask, preparation.background.shape
    sizes = zip(shape, mask.shape, strict=True)
    return mask[np.ix_(*((np.arange(size) * binned) // size for size, binned in sizes))]


def _bands_in_words(bands: Sequence[Band]) -> str:
    if not bands:
        return "No band differs by more than chance would make it."
    return "\n".join(f"Band {number}: {_loss(band)}" for number, band in enumerate(bands, 1))


def _loss(band: Band) -> str:
    """How much of a band's contrast one of the regions a and b has less than the other."""
    weaker = "a" if band.change < 0 else "b"
    if abs(band.change) > 1:
        return f"it is dark in {weaker}, where it is bright in the other"
    return f"{weaker} has {abs(band.change):.0%} ± {band.change_error:.0%} less contrast"
