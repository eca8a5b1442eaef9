"""Domains of positions whose latent vectors are alike, and how these vary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, FloatSpinBox, SpinBox
from qtpy.QtCore import QTimer

from napari_kikuchi.explore.domains import SMALLEST, domain_spread, find_domains
from napari_kikuchi.explore.label_table import label_means, label_table, middles
from napari_kikuchi.explore.neighbour_distances import (
    Metric,
    NeighbourDistances,
    kernel_spread,
    neighbour_distances,
    suggested_threshold,
)
from napari_kikuchi.explore.segmentation import Segmentation, numbered, segmented
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.ui.distance_plot import Counts, DistancePlot, unit_of_distances
from napari_kikuchi.ui.forms import Form
from napari_kikuchi.ui.segment_page import SegmentPage

if TYPE_CHECKING:
    from napari_kikuchi.ui.saving import Table
    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.stack_choice import StackChoice

_METRICS: dict[str, Metric] = {
    "angle between vectors": "angle",
    "distance of vectors": "distance",
}
_THRESHOLD = "Neighbours that are farther apart belong to different domains"
_UNKNOWN = "Find domains first: a threshold is suggested then"
_TABLE = "domains"
_LARGEST, _LARGEST_ANGLE = 1e6, 180.0
# After the last change, so that a threshold that is dragged is looked for where it stops.
_SETTLED_MS = 250


@dataclass(frozen=True, eq=False)
class Neighbours:
    """How far neighbours are apart: what need be worked out only once.

    Attributes
    ----------
    stack
        Whose latent vectors these are.
    distances
        Between neighbours.
    suggested
        Threshold.
    counts
        Of the distances.
    """

    stack: MapStack
    distances: NeighbourDistances
    suggested: float
    counts: Counts


@dataclass(frozen=True, eq=False, kw_only=True)
class Domains(Progress):
    """Domains, and what is known of them so far.

    Attributes
    ----------
    neighbours
        By which they were found.
    threshold
        With which.
    found
        The maps.
    table
        A row for each domain; empty before their spread is known.
    """

    neighbours: Neighbours
    threshold: float
    found: Segmentation
    table: Table


class DomainsPage(SegmentPage):
    """Finds domains by a threshold, which can be moved.

    Parameters
    ----------
    session
        Of the viewer.
    stacks
        Whose latent features are compared.
    """

    numbers = "domains"

    def __init__(self, session: Session, stacks: StackChoice) -> None:
        self._neighbours: Neighbours | None = None
        # As it was suggested or set: what the form shows is rounded.
        self._threshold = 0.0
        self.metric = ComboBox(
            label="apart by",
            choices=list(_METRICS),
            tooltip="Distances depend on how strongly features vary, angles on their mixture alone",
        )
        self.threshold = FloatSpinBox(label="threshold", min=0, max=_LARGEST, step=0.1)
        self.smallest = SpinBox(
            label="least positions",
            value=SMALLEST,
            min=1,
            max=100_000,
            tooltip="Domains of fewer positions join the neighbour that is most like them",
        )
        self.distance_plot = DistancePlot(session)
        super().__init__(
            session,
            stacks,
            Form(self.metric, self.threshold, self.smallest),
            "Find domains",
            "Compare neighbours, suggest a threshold, and number the domains",
            (_TABLE,),
            self.distance_plot,
        )
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(_SETTLED_MS)
        self._settling.timeout.connect(self._again)
        self.metric.changed.connect(self._on_metric)
        self.threshold.changed.connect(self._on_threshold)
        self.smallest.changed.connect(self._on_change)
        self.distance_plot.moved.connect(self._on_moved)

    def clear(self) -> None:
        """Show nothing, and forget what was compared."""
        self._neighbours = None
        super().clear()

    def enable(self) -> None:
        """Offer what can be done now."""
        super().enable()
        why = self.obstacle()
        for widget in (self.metric, self.smallest):
            widget.enabled = not why
        known = self._neighbours is not None
        self.threshold.enabled = known
        self.threshold.tooltip = _THRESHOLD if known else why or _UNKNOWN

    def job(self, stack: MapStack) -> Job[Domains]:
        """Find domains; neighbours that were compared are not compared again."""
        metric = _METRICS[self.metric.value]
        if self._neighbours is None:
            return _compare_and_find(stack, metric, self.smallest.value)
        return _find(self._neighbours, self._threshold, self.smallest.value)

    def note(self, update: Progress) -> None:
        """Show the domains before their spread is known."""
        if isinstance(update, Domains):
            self._show(update)

    def take(self, result: Domains) -> None:
        """Show all that was found."""
        self._show(result)

    def _show(self, domains: Domains) -> None:
        neighbours = domains.neighbours
        assert self.over is not None
        if self._neighbours is not neighbours:
            self._neighbours = neighbours
            self._set_threshold(domains.threshold, neighbours.counts)
            self.distance_plot.show_counts(neighbours.counts, domains.threshold)
            self.distance_plot.show()
        self.layers.show(domains.found, self.over, self.source)
        table = domains.table
        self.tell(_told(domains), table, {_TABLE: table} if table else {})

    def _set_threshold(self, threshold: float, counts: Counts) -> None:
        self._threshold = threshold
        top = float(counts.edges[-1])
        self.threshold.max = _LARGEST_ANGLE if counts.unit else _LARGEST
        with self.threshold.changed.blocked():
            self.threshold.step = float(f"{top / 200:.0e}")
            self.threshold.native.setSuffix(f" {counts.unit}".rstrip())
            self.threshold.value = threshold

    def _on_metric(self, _: Any) -> None:
        self.set_stack()

    def _on_moved(self, threshold: float) -> None:
        self.threshold.value = threshold

    def _on_threshold(self, threshold: float) -> None:
        self._threshold = threshold
        self.distance_plot.show_threshold(threshold)
        self._on_change()

    def _on_change(self, *_: Any) -> None:
        if self._neighbours is not None:
            self._settling.start()

    def _again(self) -> None:
        if self._neighbours is not None:
            self.start()


def _compare_and_find(stack: MapStack, metric: Metric, smallest: int) -> Job[Domains]:
    distances = yield from neighbour_distances(stack, metric)
    yield Progress(0, 0, "Suggesting a threshold")
    threshold = suggested_threshold(distances)
    neighbours = Neighbours(stack, distances, threshold, Counts.of(distances))
    return (yield from _find(neighbours, threshold, smallest))


def _find(neighbours: Neighbours, threshold: float, smallest: int) -> Job[Domains]:
    stack, distances = neighbours.stack, neighbours.distances
    unit = unit_of_distances(distances)
    labels = yield from find_domains(distances, threshold, smallest)
    kernel = kernel_spread(distances, threshold)
    channels = (
        numbered("domains"),
        Channel("kernel spread", unit, "viridis"),
        Channel("domain spread", colormap="viridis"),
    )
    settings = {"metric": distances.metric, "threshold": threshold, "smallest": smallest}
    found = Segmentation(
        channels,
        {"domains": labels, "kernel spread": kernel},
        segmented("domains", stack, **settings),
    )
    domains = Domains(
        0, 0, "Found domains", neighbours=neighbours, threshold=threshold, found=found, table={}
    )
    yield domains
    spread = yield from domain_spread(stack, labels)
    sizes = label_table(labels, stack.step, "domain")
    numbers = sizes.pop("domain")
    title = f"kernel spread ({unit})" if unit else "kernel spread"
    # First what is looked at first, for there is no room for all columns.
    table = {
        "domain": numbers,
        "area (µm²)": sizes.pop("area (µm²)"),
        "domain spread": label_means(labels, spread.spread)[numbers],
        title: label_means(labels, kernel)[numbers],
        **sizes,
        **middles(labels, numbers, stack.step),
    }
    maps = {**found.maps, "domain spread": spread.spread}
    return replace(domains, found=replace(found, maps=maps), table=table)


def _told(domains: Domains) -> str:
    neighbours = domains.neighbours
    unit = neighbours.counts.unit
    count = int(domains.found.maps["domains"].max())
    told = f"{count:,} domain{'s' * (count != 1)}"
    suggested = f"{neighbours.suggested:.3g}{unit}"
    if domains.threshold == neighbours.suggested:
        return f"{told}, at the suggested threshold of {suggested}."
    threshold = f"{domains.threshold:.3g}{unit}"
    return f"{told}, at a threshold of {threshold}; {suggested} was suggested."
