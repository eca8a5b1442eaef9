"""What all tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

from napari_kikuchi.compiled import own_compilation_cache
from napari_kikuchi.io import open_scan
from napari_kikuchi.samples import sample_folder

# How long an example takes says more about the machine than about the code.
settings.register_profile("machine of any speed", deadline=None)
settings.load_profile("machine of any speed")


def pytest_configure(config):
    own_compilation_cache(Path(config.cache.mkdir("compiled")))


@pytest.fixture(scope="session")
def silicon():
    """Three real patterns of silicon at three camera lengths."""
    return open_scan(sample_folder() / "silicon_moving_screen.up1")
