"""What the user inspects: the shapes that are meant, and the maps below them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Shapes
from qtpy.QtCore import QObject, QTimer, Signal

from napari_kikuchi.explore.outlines import Outline
from napari_kikuchi.ui.label_layer import lie_alike
from napari_kikuchi.ui.link import link_of, same_scan, step_of, unit_of
from napari_kikuchi.ui.regions import Drawn, drawn, grounds, likely_maps

if TYPE_CHECKING:
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.link import ScanLink
    from napari_kikuchi.ui.session import Session

# Of a drag, or of a layer that is exchanged, only the outcome is looked at.
_SETTLED_MS = 60
_MAPS = 4
# How napari blends a layer that hides what lies below, unless its opacity is less than one.
_OPAQUE = ("opaque", "translucent", "translucent_no_depth")


@dataclass(frozen=True, eq=False)
class MapBelow:
    """A map and what is drawn on it.

    All but the layer may be read by a thread, which must not touch what the window shows.

    Attributes
    ----------
    layer
        Shows it.
    name, unit
        Of the map.
    values
        Of shape (rows, columns).
    step
        Distance between rows and between columns, in µm.
    outlines
        What is drawn, in its positions.
    covered
        Whether another map hides it, though it is visible by its eye in the layer list.
    """

    layer: Image
    name: str
    unit: str
    values: NDArray
    step: tuple[float, float]
    outlines: Sequence[Outline]
    covered: bool = False

    @classmethod
    def of(cls, layer: Image, shapes: Sequence[Drawn], above: Sequence[Image] = ()) -> MapBelow:
        """A map below some shapes, and perhaps below other maps."""
        outlines = [shape.outline(layer) for shape in shapes]
        covered = any(_covers(other, layer) for other in above)
        return cls(layer, layer.name, unit_of(layer), layer.data, step_of(layer), outlines, covered)

    @property
    def title(self) -> str:
        """What stands above what is found of it."""
        return f"{self.name}, covered" if self.covered else self.name

    def places(self) -> list[NDArray[np.intp]]:
        """Positions of each outline, of shape (n, 2)."""
        return [outline.positions(self.values.shape) for outline in self.outlines]


@dataclass(frozen=True, eq=False)
class Inspected:
    """Shapes on a scan, and the maps that are seen below them.

    Attributes
    ----------
    shapes
        All of them enclose something, or none does.
    source
        The scan on which they lie.
    ground
        The map by whose positions patterns are read.
    maps
        The visible maps of the same scan, the topmost first; four at most.
    stack
        That of the topmost map that belongs to one.
    left_out
        How many more shapes are selected that are not measured: lines where the first is a region,
        regions where it is a line.
    """

    shapes: Sequence[Drawn]
    source: ScanLink
    ground: MapBelow
    maps: Sequence[MapBelow]
    stack: MapStack | None
    left_out: int = 0

    @property
    def enclosed(self) -> bool:
        """Whether the shapes have an inside, as lines have not."""
        return self.ground.outlines[0].encloses

    @property
    def scan(self) -> Scan | None:
        """The scan whose patterns lie at the positions of the ground, if it is open."""
        scan = self.source.scan
        return scan if scan is not None and scan.map_shape == self.ground.values.shape else None


class Inspection(QObject):
    """Watches what is drawn and which maps are shown.

    Parameters
    ----------
    session
        Of the viewer.

    Attributes
    ----------
    current
        What is inspected; None where nothing is drawn, or there is no map.
    """

    changed = Signal(object)
    """The new :class:`Inspected`, or None."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.current: Inspected | None = None
        self._known: tuple[Any, ...] = ()
        self._watched: dict[Layer, list[Any]] = {}
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(_SETTLED_MS)
        self._settling.timeout.connect(self._look)

    def open(self) -> None:
        """Begin to watch."""
        for signal in self._of_layers():
            signal.connect(self._on_layers)
        self._on_layers()

    def close(self) -> None:
        """Watch no more."""
        with suppress(RuntimeError):  # Qt may have taken the timer down before.
            self._settling.stop()
        self._known, self.current = (), None
        for signal in self._of_layers():
            signal.disconnect(self._on_layers)
        for layer in list(self._watched):
            self._let_go(layer)

    def maps(self, source: ScanLink | None = None) -> list[Image]:
        """The visible maps of a scan, the topmost first; of that of the topmost if none is named.

        Not more than four.
        """
        found: list[Image] = []
        for layer, link in self._session.links():
            if isinstance(layer, Image) and layer.visible and layer.data.ndim == 2:
                source = source or link.source
                if same_scan(link.source, source):
                    found.append(layer)
        return found[:_MAPS]

    def _of_layers(self) -> list[Any]:
        layers = self._session.viewer.layers
        events = layers.events
        return [events.inserted, events.removed, events.reordered, layers.selection.events.active]

    def _on_layers(self, *_: Any) -> None:
        there = [one for one in self._session.viewer.layers if isinstance(one, Image | Shapes)]
        for gone in [layer for layer in self._watched if layer not in there]:
            self._let_go(gone)
        for layer in there:
            if layer not in self._watched:
                self._watched[layer] = _signals(layer)
                for signal in self._watched[layer]:
                    signal.connect(self._on_change)
        self._on_change()

    def _let_go(self, layer: Layer) -> None:
        for signal in self._watched.pop(layer):
            signal.disconnect(self._on_change)

    def _on_change(self, *_: Any) -> None:
        # The window asks for nothing while it is being dragged in.
        if not self._settling.isActive():
            self._settling.start()

    def _look(self) -> None:
        known = tuple(self._state())
        if known == self._known:
            return
        self._known = known
        self.current = self._find()
        self.changed.emit(self.current)

    def _state(self) -> Iterator[Any]:
        """What makes another inspection: napari tells of changes that change nothing, too."""
        for shape in drawn(self._session.viewer):
            yield shape, shape.kind, np.asarray(shape.shapes.data[shape.index]).tobytes()
            yield _place(shape.shapes)
        for layer, _ in self._session.links():
            if layer.visible:
                yield layer, layer.name, id(layer.data), _place(layer), _is_opaque(layer)

    def _find(self) -> Inspected | None:
        selected = drawn(self._session.viewer)
        maps = likely_maps(self._session)
        if not selected or not maps:
            return None
        # Of what lies on no map, the page of its kind says so.
        below = (one for shape in selected for one in grounds(self._session, shape))
        over, link = next(((one.layer, one.link) for one in below), maps[0])
        shapes = [shape for shape in selected if shape.encloses == selected[0].encloses]
        ground = MapBelow.of(over, shapes)
        layers = self.maps(link.source) or [over]
        stacks = (one.stack for one in map(link_of, layers) if one is not None)
        return Inspected(
            shapes,
            link.source,
            ground,
            [MapBelow.of(layer, shapes, layers[:i]) for i, layer in enumerate(layers)],
            next((stack for stack in stacks if stack is not None), None),
            len(selected) - len(shapes),
        )


def _covers(above: Image, below: Image) -> bool:
    """Whether nothing of a map is seen through another."""
    return _is_opaque(above) and lie_alike(above, below)


def _is_opaque(layer: Layer) -> bool:
    return layer.opacity == 1 and layer.blending in _OPAQUE


def _place(layer: Layer) -> bytes:
    """Where a layer lies: what its scale, place, turn and shear make of a corner and its sides."""
    points = [np.asarray(layer.data_to_world(point))[-2:] for point in ((0, 0), (1, 0), (0, 1))]
    return np.array(points).tobytes()


def _signals(layer: Layer) -> list[Any]:
    events = layer.events
    places = [events.scale, events.translate, events.rotate, events.shear, events.affine]
    changes = [events.visible, events.name, events.opacity, events.blending, *places]
    if isinstance(layer, Shapes):
        # A drag is told by the second alone, a selection by the third.
        return [*changes, events.data, events.set_data, events.highlight]
    return [*changes, events.data]
