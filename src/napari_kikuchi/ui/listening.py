"""Listening to what outlives a widget: the viewer, its layers, the session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakMethod

if TYPE_CHECKING:
    from qtpy.QtCore import QObject


def listen(
    widget: QObject,
    handlers: Sequence[tuple[Any, Callable[..., Any]]],
    *closing: Callable[[], None],
) -> None:
    """Connect signals to methods of a widget until it is gone.

    Parameters
    ----------
    widget
        Its end ends the listening.
    handlers
        Signals, each with the method to be called.
    *closing
        Called at its end, too; they must not need the widget.
    """
    for signal, handler in handlers:
        signal.connect(handler)
    widget.destroyed.connect(_End(handlers, closing))


class _End:
    """What is done when a widget is gone, so it must neither need it nor keep it.

    Python may take the widget for garbage, and with it all that nobody else keeps, before Qt
    destroys it and calls this.
    """

    _awaited: ClassVar[set[_End]] = set()

    def __init__(
        self,
        handlers: Sequence[tuple[Any, Callable[..., Any]]],
        closing: Sequence[Callable[[], None]],
    ) -> None:
        self._handlers = [(signal, WeakMethod(handler)) for signal, handler in handlers]
        self._closing = closing
        self._awaited.add(self)

    def __call__(self, *_: object) -> None:
        self._awaited.discard(self)
        for signal, reference in self._handlers:
            handler = reference()
            if handler is not None:
                signal.disconnect(handler)
        for close in self._closing:
            close()


class Following:
    """Listens to one thing at a time, until it is told to stop.

    Parameters
    ----------
    handler
        Method to be called; it does not live the longer for it.
    """

    def __init__(self, handler: Callable[..., Any]) -> None:
        self._handler = WeakMethod(handler)
        self._signals: list[Any] = []

    def follow(self, signals: list[Any]) -> None:
        """Listen to these signals, and no longer to those before."""
        self.stop()
        handler = self._handler()
        if handler is not None:
            for signal in signals:
                signal.connect(handler)
            self._signals = signals

    def stop(self) -> None:
        """Listen to nothing; the owner of the method may be gone."""
        handler = self._handler()
        if handler is not None:
            for signal in self._signals:
                signal.disconnect(handler)
        self._signals = []
