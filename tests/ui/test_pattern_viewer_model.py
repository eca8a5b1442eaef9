"""What a model makes of the pattern shown: reconstruction, difference, traversal."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pattern_window import toned

from napari_kikuchi.io.gathered import choose
from napari_kikuchi.io.weights import read_model
from napari_kikuchi.jobs import finish
from napari_kikuchi.preprocess import prepare
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.samples import shipped_encoder
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.pattern_views import View


class Halving:
    """An encoder that gives back half of every pattern."""

    kind, latent, recipe = "halving", 25, Recipe(size=(5, 5), background="none")

    def encode(self, patterns):
        return patterns.reshape(len(patterns), -1)

    def decode(self, features):
        return features.reshape(-1, 5, 5) / 2


def add_maps(window, stack):
    for data, attributes, _ in layers_of(stack):
        window.viewer.add_image(data, **attributes)


def test_a_model_reconstructs(window, patterns):
    controls = window.patterns.controls
    controls.choose(View.RECONSTRUCTED, View.DIFFERENCE)
    assert controls.views == ()
    window.session.set_encoder(Halving(), Path("half.safetensors"))
    assert controls.model_button.text() == "half"
    controls.choose(View.RECONSTRUCTED, View.DIFFERENCE)
    window.wait_for_views(View.RECONSTRUCTED, View.DIFFERENCE)
    prepared = finish(prepare(window.session.subject.scan, Halving.recipe))(patterns[6, 8])
    panes = window.patterns.panes
    np.testing.assert_allclose(
        panes.image(View.RECONSTRUCTED), toned(View.RECONSTRUCTED, prepared / 2), atol=1e-4
    )
    np.testing.assert_allclose(
        panes.image(View.DIFFERENCE), toned(View.DIFFERENCE, -prepared / 2), atol=1e-4
    )


def test_a_feature_is_moved_and_the_pattern_changes(window):
    controls, panes = window.patterns.controls, window.patterns.panes
    assert not controls.traversal.isVisible()
    window.session.set_encoder(Halving(), Path("half.safetensors"))
    controls.choose(View.RECONSTRUCTED, View.TRAVERSAL)
    window.wait_for_views(View.RECONSTRUCTED, View.TRAVERSAL)
    assert controls.traversal.isVisible()
    assert controls.traversal.feature.maximum() == 25
    np.testing.assert_array_equal(panes.image(View.TRAVERSAL), panes.image(View.RECONSTRUCTED))
    controls.traversal.feature.setValue(14)
    controls.traversal.by.setValue(-5)

    def changed():
        return np.argwhere(panes.image(View.TRAVERSAL) != panes.image(View.RECONSTRUCTED)).tolist()

    window.qtbot.waitUntil(lambda: changed() == [[2, 3]])


def test_the_feature_of_the_selected_map_is_the_one_to_move(window, stack):
    add_maps(window, stack)
    feature = window.patterns.controls.traversal.feature
    window.viewer.layers.selection.active = window.viewer.layers["feature 3"]
    assert feature.value() == 3
    window.viewer.layers.selection.active = window.viewer.layers["feature 2"]
    assert feature.value() == 2


def test_of_maps_that_were_saved_the_feature_is_known_by_its_name(window, stack):
    feature = window.patterns.controls.traversal.feature
    add_maps(window, choose(stack, ["feature 4"]))
    assert feature.value() == 4


@pytest.mark.parametrize("together", [False, True], ids=["alone", "with others"])
def test_a_model_that_has_moved_is_known_by_its_weights(window, stack, together):
    weights = read_model(shipped_encoder()).digest()
    made = {"model": {"path": "/gone/mine.safetensors", "weights": weights}}
    told = {"together": [{"method": "physics"}, made]} if together else made
    add_maps(window, replace(stack, provenance=stack.provenance | told))
    controls = window.patterns.controls
    window.qtbot.waitUntil(lambda: controls.model_button.toolTip().startswith("Reconstructs by"))
    assert shipped_encoder().stem in controls.model_button.toolTip()
    controls.choose(View.TRAVERSAL)
    assert controls.views == (View.TRAVERSAL,)


def test_it_is_said_which_model_is_missing_until_another_is_chosen(window, stack):
    controls = window.patterns.controls
    model = {"path": "/gone/mine.safetensors", "kind": "vae", "latent": 4, "weights": "0" * 64}
    add_maps(window, replace(stack, provenance=stack.provenance | {"model": model}))
    box = controls.box(View.TRAVERSAL)
    window.qtbot.waitUntil(lambda: "made with mine (vae, 4 features)" in box.toolTip())
    assert str(Path(model["path"])) in box.toolTip()
    assert not box.isEnabled()
    window.session.set_encoder(Halving(), Path("half.safetensors"))
    assert box.isEnabled()
    assert "mine" not in box.toolTip()


def test_a_model_leaves_the_recipes_of_the_scans_alone(window, patterns):
    scan = window.session.subject.scan
    drawn = Recipe(size=(10, 10), mask=np.eye(10, dtype=bool))
    window.session.set_recipe(scan, drawn)
    window.patterns.controls.choose(View.PREPROCESSED, View.RECONSTRUCTED)
    window.session.set_encoder(Halving(), Path("half.safetensors"))
    window.wait_for_views(View.PREPROCESSED, View.RECONSTRUCTED)
    assert window.session.recipe(scan) is drawn
    assert window.patterns.panes.image(View.PREPROCESSED).shape == (10, 10)
    assert window.patterns.panes.image(View.RECONSTRUCTED).shape == (5, 5)


def test_the_model_of_the_maps_that_came_last_reconstructs_unless_one_was_chosen(
    window, tmp_path, monkeypatch
):
    loaded = []

    def load(path):
        loaded.append(path)
        return Halving()

    monkeypatch.setattr("napari_kikuchi.latent.encoder.load_encoder", load)
    first, second, third = (tmp_path / f"{name}.safetensors" for name in "abc")
    for path in (first, second, third):
        path.touch()
    button = window.patterns.controls.model_button
    window.session.offer_encoder(first)
    assert button.text() == "a"
    window.patterns.controls.choose(View.RECONSTRUCTED)
    window.wait_for_views(View.RECONSTRUCTED)
    window.session.offer_encoder(second)
    assert button.text() == "b"
    window.qtbot.waitUntil(lambda: window.session.encoder is not None)
    assert loaded == [first, second]
    # The same one again is no news; written anew, it is.
    window.session.offer_encoder(second)
    assert window.session.encoder is not None
    os.utime(second, ns=(0, 0))
    window.session.offer_encoder(second)
    window.qtbot.waitUntil(lambda: window.session.encoder is not None)
    assert loaded == [first, second, second]

    window.session.set_encoder(Halving(), first)
    window.session.offer_encoder(third)
    assert button.text() == "a"

    long = "a-name-with-too-many-letters-for-a-button"
    window.session.set_encoder(Halving(), tmp_path / f"{long}.safetensors")
    start, end = button.text().split("…")
    assert long.startswith(start)
    assert long.endswith(end)
    assert button.fontMetrics().horizontalAdvance(button.text()) < button.width()
