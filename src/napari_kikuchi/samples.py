"""Where the sample scans and the trained encoder lie that come with the package."""

from __future__ import annotations

from pathlib import Path

SCANS = ("additive.up1", "wrought.up1", "nickel_3x3.up2", "silicon_moving_screen.up1")
ENCODER = "nickel-principal-32.safetensors"


def sample_folder() -> Path:
    """Folder of the samples: in the installed package, or at the root of a checkout."""
    package = Path(__file__).parent
    installed = package / "sample_data"
    return installed if installed.is_dir() else package.parents[1] / "sample_data"


def shipped_encoder() -> Path:
    """The trained encoder that comes with the package."""
    return sample_folder() / ENCODER
