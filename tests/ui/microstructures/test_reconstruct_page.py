"""Maps made anew, in the real dock."""

import numpy as np
from making import hole, layer_of, make, stacks_in

from napari_kikuchi.microstructure.grains import picture_of
from napari_kikuchi.microstructure.measured import read_measured
from napari_kikuchi.ui.link import link_of


def test_without_noise_nothing_is_lost(dock, viewer, stack, scan, qtbot):
    page = dock.reconstruct
    make(page, qtbot)
    colours = viewer.layers["reconstructed (noise 0.00, seed 0)"]
    assert colours.rgb
    assert viewer.layers[-1] is colours
    picture = picture_of(read_measured(stack).orientations)
    np.testing.assert_array_equal(
        np.moveaxis(colours.data, -1, 0)[:, ~hole()], picture[:3][:, ~hole()]
    )
    assert page.words.text() == (
        "With noise 0.00. Colours of the orientations: no difference at all. Phase: no difference "
        "at all."
    )
    error = layer_of(viewer, stacks_in(viewer)[-1], "reconstruction error")
    assert error.visible
    assert error.contrast_limits[0] == 0
    np.testing.assert_array_equal(np.isnan(error.data), hole())
    np.testing.assert_array_equal(error.data[~hole()], 0)
    assert link_of(error).source.scan is scan


def test_with_noise_the_error_shows_what_the_generator_makes(dock, viewer, stack, qtbot):
    page = dock.reconstruct
    over = dock.stacks.layer()
    over.translate = (3.0, -2.0)
    page.noise.value = 0.8
    make(page, qtbot)
    colours = viewer.layers["reconstructed (noise 0.80, seed 0)"]
    error = layer_of(viewer, stacks_in(viewer)[-1], "reconstruction error")
    picture = picture_of(read_measured(stack).orientations)
    away = np.abs(np.moveaxis(colours.data, -1, 0) - picture[:3]).max(axis=0)
    # That of the phase may be larger.
    assert (error.data[~hole()] >= away[~hole()] - 1e-6).all()
    assert error.contrast_limits[0] == 0
    assert error.contrast_limits[1] >= np.nanmax(error.data) - 1e-6
    for layer in (colours, error):
        np.testing.assert_allclose(layer.data_to_world((4, 5)), over.data_to_world((4, 5)))
    rms = np.sqrt(((np.moveaxis(colours.data, -1, 0) - picture[:3])[:, ~hole()] ** 2).mean())
    told = page.words.text().replace("\N{NO-BREAK SPACE}", " ")
    assert f"Colours of the orientations: PSNR {-20 * np.log10(rms):.1f} dB" in told
    # An error of a map is no map of orientations.
    assert dock.stacks.count() == 1
