"""What all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from napari_kikuchi.compiled import own_compilation_cache
from napari_kikuchi.io import open_scan
from napari_kikuchi.samples import sample_folder

# How long an example takes says more about the machine than about the code.
# Continuous integration tries the same examples each time: what it finds is of the change it tests.
# Everywhere else new ones are drawn.
settings.register_profile("any machine", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("any machine")


def pytest_configure(config):
    own_compilation_cache(Path(config.cache.mkdir("compiled")))


@pytest.fixture(scope="session")
def silicon():
    """Three real patterns of silicon at three camera lengths."""
    return open_scan(sample_folder() / "silicon_moving_screen.up1")
