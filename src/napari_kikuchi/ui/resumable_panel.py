"""The panel of a job that goes on with what was stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from qtpy.QtWidgets import QCheckBox

from napari_kikuchi.io.store_metadata import PARTIAL_SUFFIX
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.job_panel import JobPanel


class ResumablePanel(JobPanel):
    """Says whether the command goes on with something, and offers to begin anew instead.

    Parameters
    ----------
    title
        Of the button that starts the command where nothing was stopped.
    request
        See :class:`JobPanel`.
    outputs
        Gives all that the command would write now, or would have written on the way.
    anew_where
        Completes the sentence of when to begin anew.
    tooltip, hint, command
        See :class:`JobPanel`.

    Attributes
    ----------
    restart
        Whether to leave what was stopped; there only where something was.
    """

    def __init__(
        self,
        title: str,
        request: Callable[[], Sequence[str]],
        outputs: Callable[[], Iterable[Path]],
        anew_where: str,
        tooltip: str = "",
        hint: str = "",
        command: Sequence[str] = COMMAND,
    ) -> None:
        super().__init__(title, request, tooltip, hint, command)
        self._anew = title
        self._outputs = outputs
        self.restart = QCheckBox("begin anew")
        self.restart.setToolTip(
            f"Leave what was stopped instead of going on with it,\nas is needed where {anew_where}"
        )
        self.row.insertWidget(1, self.restart)
        self.restart.hide()
        self.restart.toggled.connect(self._name_button)
        self.ended.connect(self.offer_restart)

    def offer_restart(self) -> None:
        """Look whether something was stopped where the command writes now."""
        begun = self._begun()
        self.restart.setVisible(begun)
        if not begun:
            self.restart.setChecked(False)
        self._name_button()

    def _name_button(self) -> None:
        resumes = self._begun() and not self.restart.isChecked()
        self.set_title("Resume" if resumes else self._anew)

    def _begun(self) -> bool:
        return any(out.with_name(f"{out.name}{PARTIAL_SUFFIX}").is_dir() for out in self._outputs())
