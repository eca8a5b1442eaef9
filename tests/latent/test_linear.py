"""The linear encoder against scikit-learn's PCA."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from napari_kikuchi.io.weights import ModelFileError, StoredModel, write_model
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.linear import fit_linear, principal_components
from napari_kikuchi.latent.sample import draw_sample
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan

RECIPE = Recipe(size=(12, 12), background="exact")


@pytest.mark.parametrize("shape", [(200, 60), (40, 150)])
def test_components_are_those_of_scikit_learn(shape):
    data = np.random.default_rng(1).normal(size=shape) @ np.diag(np.geomspace(5, 0.1, shape[1]))
    data = data.astype(np.float32)
    reference = PCA(5, svd_solver="full").fit(data)
    components, variances = principal_components(data - data.mean(axis=0), 5)
    overlap = components @ reference.components_.T
    np.testing.assert_allclose(np.abs(overlap), np.eye(5), atol=1e-3)
    np.testing.assert_allclose(variances, reference.explained_variance_, rtol=1e-4)


def test_largest_entry_of_every_component_is_positive():
    data = np.random.default_rng(2).normal(size=(50, 20)).astype(np.float32)
    data -= data.mean(axis=0)
    for given in (data, -data):
        components, _ = principal_components(given, 4)
        largest = np.abs(components).argmax(axis=1)
        assert (components[np.arange(4), largest] > 0).all()


def test_features_and_reconstructions_are_those_of_scikit_learn(make_scan):
    scan = make_scan(rows=12, cols=12, corner=4)
    encoder = finish(fit_linear([scan], RECIPE, latent=4, sample=144))
    patterns = finish(draw_sample([scan], encoder.recipe, 144)).patterns
    mask = encoder.recipe.mask
    assert 0.5 < mask.mean() < 1
    reference = PCA(4, svd_solver="full").fit(patterns[:, mask])
    expected = reference.transform(patterns[:, mask])
    features = encoder.encode(patterns)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.abs(features), np.abs(expected), atol=2e-3)
    decoded = encoder.decode(features)
    np.testing.assert_allclose(decoded[:, mask], reference.inverse_transform(expected), atol=2e-3)
    assert (decoded[:, ~mask] == 0).all()


def test_feature_variances_are_the_stored_ones(make_scan):
    scan = make_scan(rows=12, cols=12)
    encoder = finish(fit_linear([scan], RECIPE, latent=3, sample=144))
    features = encoder.encode(finish(draw_sample([scan], encoder.recipe, 144)).patterns)
    np.testing.assert_allclose(features.var(axis=0, ddof=1), encoder.variances, rtol=1e-3)
    assert (np.diff(encoder.variances) < 0).all()


def test_saved_encoder_loads_with_the_same_features(make_scan, tmp_path):
    scan = make_scan(name="wrought 1")
    encoder = finish(fit_linear([scan], RECIPE, latent=3, sample=50, seed=3))
    encoder.save(tmp_path / "linear.safetensors")
    loaded = load_encoder(tmp_path / "linear.safetensors")
    assert (loaded.kind, loaded.latent) == ("linear", 3)
    patterns = np.random.default_rng(0).uniform(-1, 1, (5, 12, 12)).astype(np.float32)
    np.testing.assert_array_equal(loaded.encode(patterns), encoder.encode(patterns))
    assert loaded.provenance["scans"] == [
        {"name": "wrought 1", "fingerprint": scan.fingerprint(), "patterns": 50}
    ]
    assert loaded.provenance["settings"] == {
        "kind": "linear", "latent": 3, "sample": 50, "seed": 3,
    }  # fmt: skip


def test_loading_a_linear_encoder_imports_no_torch(make_scan, tmp_path):
    path = tmp_path / "linear.safetensors"
    finish(fit_linear([make_scan()], RECIPE, latent=2)).save(path)
    code = (
        "import sys; from napari_kikuchi.latent.encoder import load_encoder; "
        f"load_encoder({str(path)!r}); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_same_seed_fits_the_same_encoder(make_scan):
    first, second = (
        finish(fit_linear([make_scan()], RECIPE, latent=3, sample=40, seed=1)) for _ in range(2)
    )
    np.testing.assert_array_equal(first.components, second.components)


def test_the_number_of_threads_changes_nothing():
    centred = np.random.default_rng(0).normal(size=(900, 500)).astype(np.float32)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(principal_components(centred, 5))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_blank_scan_is_told():
    scan = Scan(ArraySource(np.full((8, 9, 24, 24), 70, np.uint8)))
    with pytest.raises(ValueError, match="all patterns are alike"):
        finish(fit_linear([scan], RECIPE, latent=2))


def test_more_components_than_patterns_is_an_error(make_scan):
    with pytest.raises(ValueError, match="6 components need more than 6 patterns"):
        finish(fit_linear([make_scan(rows=2, cols=3)], RECIPE, latent=6))


def test_missing_and_misshapen_tensors_are_named(make_scan, tmp_path):
    encoder = finish(fit_linear([make_scan()], RECIPE, latent=2))
    path = tmp_path / "linear.safetensors"
    tensors = {"mean": encoder.mean, "components": encoder.components}
    write_model(path, StoredModel("linear", {"latent": 2}, encoder.recipe, tensors))
    with pytest.raises(ModelFileError, match=r"1 are missing.*variances"):
        load_encoder(path)
    tensors["variances"] = np.ones(3, np.float32)
    write_model(path, StoredModel("linear", {"latent": 2}, encoder.recipe, tensors))
    with pytest.raises(ModelFileError, match=r"variances has shape \(3,\).*needs \(2,\)"):
        load_encoder(path)


def test_an_unknown_kind_of_model_is_named(make_scan, tmp_path):
    recipe = finish(fit_linear([make_scan()], RECIPE, latent=2)).recipe
    path = tmp_path / "m.safetensors"
    write_model(path, StoredModel("transformer", {}, recipe, {"a": np.ones(1, np.float32)}))
    with pytest.raises(ModelFileError, match=r"'transformer'.*linear, vae"):
        load_encoder(path)
