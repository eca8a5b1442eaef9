"""The same work without a screen: ``napari-kikuchi``."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from napari_kikuchi.cli.commands import app

    app()
