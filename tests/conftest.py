"""What all tests share."""

import os

import pytest
from hypothesis import settings

from napari_kikuchi.io import open_scan
from napari_kikuchi.samples import sample_folder

# How long an example takes says more about the machine than about the code.
settings.register_profile("machine of any speed", deadline=None)
settings.load_profile("machine of any speed")


def pytest_configure(config):
    # numba crashes where two processes fill one cache at once: what the one has compiled and what
    # the other has do not fit together.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    os.environ["NUMBA_CACHE_DIR"] = str(config.cache.mkdir(f"numba-{worker}"))


@pytest.fixture(scope="session")
def silicon():
    """Three real patterns of silicon at three camera lengths."""
    return open_scan(sample_folder() / "silicon_moving_screen.up1")
