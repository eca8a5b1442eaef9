"""A whole session with real widgets: from a sample to latent maps that are saved and reopened."""

import numpy as np

from napari_kikuchi.ui import PATTERN_VIEWER
from napari_kikuchi.ui.child import JobState
from napari_kikuchi.ui.link import link_of, scan_of
from napari_kikuchi.ui.pattern_views import View
from napari_kikuchi.ui.session import session_of

PLUGIN = "napari-kikuchi"
PATIENCE_MS = 120_000


def test_sample_to_saved_maps(make_napari_viewer, tmp_path, monkeypatch, qtbot):
    monkeypatch.setattr("napari_kikuchi.io.places.user_folder", lambda: tmp_path)
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)

    # Open a sample: a map of it, and the pattern viewer beside.
    (navigator,) = viewer.open_sample(PLUGIN, "additive")
    scan = scan_of(navigator)
    _, patterns = viewer.window.add_plugin_dock_widget(PLUGIN, PATTERN_VIEWER)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Latent maps")

    # Prepare: what is chosen in the form is what the preprocessed view shows.
    dock.prepare.background.value = "none"
    assert session_of(viewer).recipe(scan).background == "none"
    dock.prepare.background.value = "sample"
    patterns.controls.choose(View.RAW, View.PREPROCESSED)
    qtbot.waitUntil(
        lambda: patterns.panes.shown == [View.RAW, View.PREPROCESSED], timeout=PATIENCE_MS
    )

    # Train some steps.
    train = dock.train
    train.model.value = "quick-16"
    train.more.epochs.value = 2
    train.folder.value = tmp_path / "run"
    train.panel.button.click()
    qtbot.waitUntil(lambda: not train.panel.job.active, timeout=PATIENCE_MS)
    assert train.panel.job.state == JobState.DONE, train.panel.job.message

    # Encode with what was trained: sixteen features, the best map shown.
    encode = dock.encode
    encode.model.choose(tmp_path / "run" / "model.safetensors")
    encode.out.value = tmp_path / "maps.zarr"
    encode.panel.button.click()

    def features():
        return [layer for layer in viewer.layers if layer.name.startswith("feature")]

    qtbot.waitUntil(lambda: len(features()) == 16, timeout=PATIENCE_MS)
    # The best of all maps stands on top and is the one shown.
    channels = link_of(features()[0]).stack.channels
    names = {channel.name for channel in channels}
    *others, best = (layer for layer in viewer.layers if layer.name in names)
    assert len(others) + 1 == len(channels)
    assert best.name == max(channels, key=lambda channel: channel.score).name
    assert best.visible
    assert [layer.name for layer in others if layer.visible] == []

    # Toggle a layer.
    second = features()[-2]
    second.visible = True
    assert link_of(second).source.scan is scan

    # Draw a region and read its mean pattern.
    corners = np.array([[10, 12], [10, 20], [16, 20], [16, 12]]) * np.array(scan.step)
    viewer.add_shapes([corners], shape_type="polygon", name="wall")
    patterns.region_button.click()
    qtbot.waitUntil(lambda: "mean of" in patterns.position.text(), timeout=PATIENCE_MS)
    assert session_of(viewer).held
    count = session_of(viewer).subject.count
    mean = session_of(viewer).subject.pattern
    inside = np.stack([scan.read(r, c) for r in range(10, 17) for c in range(12, 21)])
    assert 6 * 8 <= count <= 7 * 9
    assert np.abs(mean - inside.mean(axis=0)).mean() < 0.05 * inside.mean()

    # Save features and region through napari, and open them again.
    viewer.layers.selection = {*features(), viewer.layers["wall"]}
    saved = tmp_path / "saved.zarr"
    kept = {layer.name: np.asarray(layer.data) for layer in features()}
    viewer.layers.save(str(saved), selected=True, plugin=PLUGIN)
    viewer.layers.clear()
    viewer.open(str(saved), plugin=PLUGIN)
    assert [layer.name for layer in features()][-1] == max(
        link_of(features()[-1]).stack.channels, key=lambda channel: channel.score
    ).name
    for layer in features():
        np.testing.assert_array_equal(layer.data, kept[layer.name])
    np.testing.assert_allclose(viewer.layers["regions"].data[0], corners, atol=1e-6)
    qtbot.waitUntil(lambda: scan_of(features()[-1]) is not None, timeout=PATIENCE_MS)
    reopened = scan_of(features()[-1])
    np.testing.assert_array_equal(reopened.read(3, 4), scan.read(3, 4))
