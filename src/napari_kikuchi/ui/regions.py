"""What is drawn on maps: which scan positions lie in it or along it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Shapes

from napari_kikuchi.explore.outlines import Outline
from napari_kikuchi.shapes import encloses
from napari_kikuchi.ui.link import same_scan
from napari_kikuchi.ui.session import Point

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_kikuchi.ui.link import LayerLink, ScanLink
    from napari_kikuchi.ui.session import Session


@dataclass(frozen=True)
class Drawn:
    """A shape that was drawn.

    Attributes
    ----------
    shapes
        Its layer.
    index
        Which of the shapes it is.
    """

    shapes: Shapes
    index: int

    @property
    def kind(self) -> str:
        """``"polygon"``, ``"rectangle"``, ``"ellipse"``, ``"line"`` or ``"path"``."""
        return str(self.shapes.shape_type[self.index])

    @property
    def name(self) -> str:
        """What a person calls it: the name that was saved with it, else its number."""
        names = self.shapes.features.get("name")
        name = None if names is None else names.iloc[self.index]
        return name if isinstance(name, str) and name else f"region {self.index + 1}"

    @property
    def encloses(self) -> bool:
        """Whether it has an inside, as a line has not."""
        return encloses(self.kind)

    def outline(self, layer: Layer) -> Outline:
        """The shape in positions of a map; the two layers may have any scales and places."""
        origin, down, right = (
            np.array(layer.world_to_data(self.shapes.data_to_world(point))[-2:])
            for point in ((0, 0), (1, 0), (0, 1))
        )
        frame = np.stack([down - origin, right - origin])
        vertices = np.asarray(self.shapes.data[self.index])[:, -2:]
        return Outline(self.kind, origin + vertices @ frame)

    def positions(self, layer: Layer) -> NDArray[np.intp]:
        """Scan positions inside, or along a shape that encloses nothing, of a map: (n, 2)."""
        return self.outline(layer).positions(layer.data.shape[-2:])


def drawn(viewer: ViewerModel, count: int = 1) -> list[Drawn]:
    """The shapes that the user means.

    Those that are selected in the selected layer, else in any shapes layer; where fewer than
    ``count`` are selected, the last so many drawn. Fewer if there are not so many, none if nothing
    is drawn.
    """
    active = viewer.layers.selection.active
    layers = [
        layer for layer in reversed(viewer.layers) if isinstance(layer, Shapes) and layer.nshapes
    ]
    layers.sort(key=lambda layer: (layer is not active, len(layer.selected_data) < count))
    if not layers:
        return []
    shapes = layers[0]
    selected = sorted(shapes.selected_data)
    if len(selected) < count:
        selected = list(range(shapes.nshapes))[-count:]
    return [Drawn(shapes, index) for index in selected]


@dataclass(frozen=True, eq=False)
class Ground:
    """The map on which a shape lies.

    Attributes
    ----------
    layer, link
        The map, and what it shows of which scan.
    positions
        Of the shape on it, of shape (n, 2).
    """

    layer: Image
    link: LayerLink
    positions: NDArray[np.intp]


def likely_maps(session: Session) -> list[tuple[Image, LayerLink]]:
    """All maps, the one most likely meant first.

    Where maps of several scans lie on each other, that is the one whose pattern is shown.
    """
    subject = session.subject
    pointed = subject.layer if isinstance(subject, Point) else None
    links = sorted(
        session.links(),
        key=lambda one: (
            not one[0].visible,
            one[0] is not pointed,
            subject is None or one[1].source.scan is not subject.scan,
        ),
    )
    return [
        (layer, link) for layer, link in links if isinstance(layer, Image) and layer.data.ndim == 2
    ]


def grounds(session: Session, shape: Drawn) -> Iterator[Ground]:
    """The maps on which a shape lies, one for each scan, the one most likely meant first."""
    found: list[ScanLink] = []
    for layer, link in likely_maps(session):
        if not any(same_scan(link.source, other) for other in found):
            positions = shape.positions(layer)
            if len(positions):
                found.append(link.source)
                yield Ground(layer, link, positions)
