import numpy as np
from napari.layers import Image

from napari_kikuchi.io import open_scan
from napari_kikuchi.ui.pattern_stack import pattern_stack


def test_the_stack_is_lazy_in_micrometres_and_pixels(scan_file, patterns):
    data, attributes, kind = pattern_stack(open_scan(scan_file))
    assert kind == "image"
    assert hasattr(data, "dask")
    np.testing.assert_array_equal(data[3, 5].compute(), patterns[3, 5])
    layer = Image(data, **attributes)
    assert tuple(layer.scale) == (0.5, 0.25, 1, 1)
    assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer", "pixel", "pixel"]
    low, high = layer.contrast_limits
    assert patterns.min() <= low < high <= patterns.max()
    assert high - low > 0.5 * np.ptp(patterns)


def test_it_opens_in_a_viewer_of_its_own(make_napari_viewer, scan_file, monkeypatch, patterns):
    viewer, other = make_napari_viewer(), make_napari_viewer()
    monkeypatch.setattr("napari.Viewer", lambda title: other)
    told = []
    monkeypatch.setattr("napari_kikuchi.ui.messages.show_error", told.append)
    from napari._app_model import get_app_model

    def run():
        get_app_model().commands.execute_command("napari-kikuchi.add_pattern_stack").result()

    monkeypatch.setattr("napari.viewer.current_viewer", lambda: viewer)
    viewer.add_image(np.zeros((2, 2)))
    run()
    assert "Select a layer" in told.pop()
    viewer.open(scan_file, plugin="napari-kikuchi")
    run()
    assert other.layers[0].data.shape == patterns.shape
