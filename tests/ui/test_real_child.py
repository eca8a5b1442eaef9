"""The docks with the real command line behind them, not a pretended one."""

import numpy as np
import pytest

from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.maps import preprocessor_of
from napari_kikuchi.ui.child import JobState
from napari_kikuchi.ui.latent_maps import LatentMaps

# A process of its own imports torch first, and the machine may have other things to do.
PATIENCE_MS = 120_000


@pytest.fixture
def dock(make_napari_viewer, tmp_path, write_scan, monkeypatch):
    monkeypatch.setattr("napari_kikuchi.io.places.user_folder", lambda: tmp_path / "user")
    patterns = np.random.default_rng(0).integers(100, 4000, (12, 16, 60, 60)).astype(np.uint16)
    viewer = make_napari_viewer()
    viewer.open(write_scan(tmp_path / "weld.up2", patterns), plugin="napari-kikuchi")
    dock = LatentMaps(viewer)
    viewer.window.add_dock_widget(dock)
    return dock


def test_train_stop_resume_and_encode(dock, tmp_path, qtbot):
    scan, panel = dock.scan, dock.train.panel
    seen = []
    panel.reported.connect(seen.append)
    dock.train.model.value = "quick-16"
    dock.train.more.epochs.value = 25
    panel.button.click()
    qtbot.waitUntil(lambda: bool(dock.train.plot.validation), timeout=PATIENCE_MS)
    panel.button.click()
    qtbot.waitUntil(lambda: not panel.job.active, timeout=PATIENCE_MS)
    assert panel.job.state == JobState.STOPPED
    stopped_at = max(event.get("step", 0) for event in seen)

    seen.clear()
    assert dock.train.resume.value
    panel.button.click()
    qtbot.waitUntil(lambda: not panel.job.active, timeout=PATIENCE_MS)
    assert panel.job.state == JobState.DONE, panel.job.message
    steps = [event["step"] for event in seen if event["event"] == "training"]
    assert min(steps) >= stopped_at
    assert seen[-2]["epoch"] == 25

    dock.encode.panel.button.click()
    store = tmp_path / "weld.quick-16.zarr"
    qtbot.waitUntil(lambda: len(dock.session.viewer.layers) == 2 + 18, timeout=PATIENCE_MS)
    stack = read_maps(store)
    encoder = load_encoder(tmp_path / "weld.quick-16" / "model.safetensors", device="cpu")
    expected = encoder.encode(preprocessor_of(stack)(scan.read(3, 5)[None]))[0]
    np.testing.assert_allclose(np.asarray(stack.values)[:16, 3, 5], expected, atol=1e-3)


def test_an_error_of_the_command_is_told_in_the_form(dock, qtbot):
    dock.train.model.value = "linear"
    dock.train.latent.value = 500
    panel = dock.train.panel
    panel.button.click()
    qtbot.waitUntil(lambda: not panel.job.active, timeout=PATIENCE_MS)
    assert panel.job.state == JobState.FAILED
    assert panel.message.text().startswith("500 components need more than 500 patterns")
