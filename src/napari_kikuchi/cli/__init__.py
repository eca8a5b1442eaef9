"""The same work without a screen: ``napari-kikuchi``."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    import os
    import signal

    from napari_kikuchi.compiled import own_compilation_cache
    from napari_kikuchi.devices import helps_another

    if helps_another():  # Ctrl-C reaches it as well; whoever started it says when to stop.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Threads that wait for work by spinning keep it from those that have it: beside one busy
    # process, training on two cores becomes ten times slower. Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    own_compilation_cache()

    from napari_kikuchi.cli.commands import app

    app()
