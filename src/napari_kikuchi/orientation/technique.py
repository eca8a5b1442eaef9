"""Which scans have spots: those of Kikuchi patterns have none."""

from __future__ import annotations

from pathlib import Path

_KIKUCHI = "EBSD"


def check_spots_expected(technique: str | None, path: Path) -> None:
    """Check that a scan may have diffraction spots.

    Parameters
    ----------
    technique
        Of the scan; None if nobody knows.
    path
        Of what was opened, for the words.

    Raises
    ------
    ValueError
        If it is a scan of Kikuchi patterns.
    """
    if technique == _KIKUCHI:
        raise ValueError(
            f"{path}: expected a 4D-STEM scan, found Kikuchi patterns ({technique}). "
            "Index these with: napari-kikuchi maps SCAN --maps indexing"
        )
