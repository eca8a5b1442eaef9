"""Clusters of latent vectors that are alike, wherever they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import SpinBox

from napari_kikuchi.explore.clusters import find_clusters
from napari_kikuchi.explore.features import latent_vectors
from napari_kikuchi.explore.label_table import label_table
from napari_kikuchi.explore.segmentation import Segmentation, numbered, segmented
from napari_kikuchi.jobs import Job
from napari_kikuchi.ui.forms import Form
from napari_kikuchi.ui.segment_page import SegmentPage

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.ui.saving import Table
    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.stack_choice import StackChoice

_COUNT, _MOST = 5, 48
_TABLE = "clusters"


class ClustersPage(SegmentPage):
    """Sorts all latent vectors into clusters.

    Parameters
    ----------
    session
        Of the viewer.
    stacks
        Whose latent features are sorted.
    """

    numbers = "clusters"

    def __init__(self, session: Session, stacks: StackChoice) -> None:
        self.count = SpinBox(
            label="clusters",
            value=_COUNT,
            min=2,
            max=_MOST,
            tooltip="Into so many kinds patterns are sorted, by all latent features (k-means)",
        )
        super().__init__(
            session,
            stacks,
            Form(self.count),
            "Find clusters",
            "Sort the latent vectors of all positions into kinds",
            (_TABLE,),
        )

    def enable(self) -> None:
        """Offer what can be done now."""
        super().enable()
        self.count.enabled = not self.obstacle()

    def job(self, stack: MapStack) -> Job[tuple[Segmentation, Table, int]]:
        """Find clusters."""
        return _find(stack, self.count.value)

    def take(self, result: tuple[Segmentation, Table, int]) -> None:
        """Show the clusters, and how much of the map each takes."""
        found, table, features = result
        assert self.over is not None
        self.layers.show(found, self.over, self.source)
        count, positions = len(table["cluster"]), int(sum(table["positions"]))
        told = f"{positions:,} positions in {count} clusters, by {features} latent features."
        self.tell(told, table, {_TABLE: table})


def _find(stack: MapStack, count: int) -> Job[tuple[Segmentation, Any, int]]:
    vectors = yield from latent_vectors(stack)
    labels = yield from find_clusters(vectors, count)
    provenance = segmented("clusters", stack, count=count)
    found = Segmentation((numbered("clusters"),), {"clusters": labels}, provenance)
    features = vectors.values.shape[1]
    return found, label_table(labels, stack.step, "cluster"), features
