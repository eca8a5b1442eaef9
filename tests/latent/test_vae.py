"""The encoder that training leaves."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_kikuchi.devices import DeviceMemoryError
from napari_kikuchi.io.weights import ModelFileError, StoredModel, read_model, write_model
from napari_kikuchi.jobs import JobWarning
from napari_kikuchi.latent import vae as vae_module
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.presets import preset
from napari_kikuchi.latent.vae import VaeEncoder
from napari_kikuchi.recipe import Recipe

ARCHITECTURE = preset("quick-16")


def encoder_of(vae, mask):
    return VaeEncoder(vae, Recipe(size=(60, 60), mask=mask), {"scans": [{"name": "nickel"}]})


def test_features_are_posterior_means_in_batches_of_any_size(vae, patterns, mask):
    encoder = encoder_of(vae, mask)
    many = np.tile(patterns, (25, 1, 1))  # more than a batch
    features = encoder.encode(many)
    assert features.shape == (300, 16)
    assert features.dtype == np.float32
    mean = vae.encode(torch.from_numpy(patterns))[0].detach().numpy()
    np.testing.assert_allclose(features, np.tile(mean, (25, 1)), atol=1e-5)
    decoded = encoder.decode(features[:2])
    assert decoded.shape == (2, 60, 60)
    assert (decoded[:, ~mask] == 0).all()
    assert encoder.encode(patterns[:0]).shape == (0, 16)
    assert encoder.decode(features[:0]).shape == (0, 60, 60)


def test_half_precision_and_read_only_patterns_are_encoded(vae, patterns, mask):
    half = patterns.astype(np.float16)
    half.setflags(write=False)
    encoder = encoder_of(vae, mask)
    np.testing.assert_allclose(encoder.encode(half), encoder.encode(patterns), atol=2e-2)


def test_a_saved_encoder_loads_with_the_same_features(vae, patterns, mask, tmp_path):
    path = tmp_path / "model.safetensors"
    encoder = encoder_of(vae, mask)
    encoder.save(path)
    loaded = load_encoder(path, device="cpu")
    assert (loaded.kind, loaded.latent, loaded.architecture) == ("vae", 16, ARCHITECTURE)
    assert loaded.provenance == {"scans": [{"name": "nickel"}]}
    np.testing.assert_array_equal(loaded.recipe.mask, mask)
    features = encoder.encode(patterns)
    np.testing.assert_array_equal(loaded.encode(patterns), features)
    np.testing.assert_array_equal(loaded.decode(features), encoder.decode(features))


def test_an_encoder_travels_to_another_process(vae, patterns, mask):
    encoder = encoder_of(vae, mask)
    copy = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(copy.encode(patterns), encoder.encode(patterns))


def test_a_model_file_that_lacks_weights_is_refused(vae, mask, tmp_path):
    path = tmp_path / "model.safetensors"
    encoder_of(vae, mask).save(path)
    model = read_model(path)
    tensors = dict(model.tensors)
    lost = sorted(tensors)[0]
    del tensors[lost]
    write_model(path, StoredModel("vae", model.architecture, model.recipe, tensors))
    with pytest.raises(ModelFileError, match=f"1 are missing.*{lost}"):
        load_encoder(path)


def test_an_absent_device_is_named(vae, mask, tmp_path):
    encoder_of(vae, mask).save(tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"device 'abacus' is not available.*cpu or auto"):
        load_encoder(tmp_path / "model.safetensors", device="abacus")


@pytest.mark.parametrize(
    ("architecture", "told"),
    [
        ({"design": "quick"}, "expected latent in the architecture.*found None"),
        ({"design": "of tomorrow", "latent": 16}, "'of tomorrow'.*Update napari-kikuchi"),
    ],
)
def test_an_architecture_that_cannot_be_built_names_the_file(mask, tmp_path, architecture, told):
    recipe = Recipe(size=(60, 60), mask=mask)
    write_model(tmp_path / "m.safetensors", StoredModel("vae", architecture, recipe, {}))
    with pytest.raises(ModelFileError, match=rf"m\.safetensors: .*{told}"):
        load_encoder(tmp_path / "m.safetensors")


def test_what_lies_outside_the_mask_does_not_count(vae, patterns, mask):
    # Nothing is decoded there: a decoder that is wrong outside the mask costs nothing.
    decoded = vae.decode(torch.randn(4, 16)).detach().numpy()
    assert (decoded[:, ~mask] == 0).all()
    assert (decoded[:, mask] != 0).any()


@pytest.mark.parametrize("latent", [4096, 10**9, -1, 2.5, "16", None])
@pytest.mark.parametrize("design", ["quick", "principal", "published"])
def test_no_network_is_made_that_the_file_does_not_fill(
    mask, tmp_path, monkeypatch, design, latent
):
    size = (120, 120) if design == "published" else (60, 60)
    recipe = Recipe(size=size, mask=np.ones(size, bool))
    architecture = {"design": design, "latent": latent}
    write_model(tmp_path / "m.safetensors", StoredModel("vae", architecture, recipe, {}))

    def without_memory(*given):
        # Made for the largest, it would take gigabytes.
        assert torch.empty(0).device.type == "meta"
        return vae_of(*given)

    vae_of = vae_module.Vae
    monkeypatch.setattr(vae_module, "Vae", without_memory)
    with pytest.raises(ModelFileError, match=r"m\.safetensors: .*(are missing|whole number)"):
        load_encoder(tmp_path / "m.safetensors")


def test_a_recipe_for_another_network_is_refused(vae, tmp_path):
    path = tmp_path / "m.safetensors"
    encoder_of(vae, np.ones((60, 60), bool)).save(path)
    model = read_model(path)
    recipe = Recipe(size=(30, 30), mask=np.ones((30, 30), bool))
    write_model(path, replace(model, recipe=recipe))
    with pytest.raises(ModelFileError, match=r"bins patterns to \(60, 60\).*found \(30, 30\)"):
        load_encoder(path)


def test_where_memory_is_short_fewer_patterns_at_a_time_give_the_same(
    vae, patterns, mask, monkeypatch
):
    encoder = encoder_of(vae, mask)
    many = np.tile(patterns, (25, 1, 1))
    expected = encoder.encode(many)
    encode, sizes = vae.encode, []

    def short(x):
        sizes.append(len(x))
        if len(x) > 70:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return encode(x)

    monkeypatch.setattr(vae, "encode", short)
    with pytest.warns(UserWarning, match="too little memory for 256 patterns") as told:
        np.testing.assert_allclose(encoder.encode(many), expected, atol=1e-5)
    assert len(told) == 1
    assert sizes == [256, 128, 64, 64, 64, 64, 44]
    encoder.encode(many[:128])  # What was learned is not tried again.
    assert sizes[7:] == [64, 64]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"),
    ],
)
@pytest.mark.parametrize("way", ["encode", "decode"])
def test_memory_that_is_too_small_for_one_pattern_is_an_error_that_says_what_to_do(
    vae, patterns, mask, monkeypatch, way, error
):
    sizes = []

    def never(x):
        sizes.append(len(x))
        raise error

    monkeypatch.setattr(vae, way, never)
    values = patterns if way == "encode" else np.zeros((12, 16), np.float32)
    with (
        pytest.warns(JobWarning, match="little memory"),
        pytest.raises(DeviceMemoryError, match=r"for one pattern at a time\. Close .* smaller"),
    ):
        getattr(encoder_of(vae, mask), way)(values)
    assert sizes == [12, 12, 12, 12, 12, 8, 4, 2, 1]


def test_a_model_for_which_a_device_has_no_memory_is_named(vae, mask, tmp_path, monkeypatch):
    path = tmp_path / "large.safetensors"
    encoder_of(vae, mask).save(path)
    moved = vae_module.Vae.to

    def move(self, *place, **options):
        if place:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return moved(self, *place, **options)

    monkeypatch.setattr(vae_module.Vae, "to", move)
    with pytest.raises(DeviceMemoryError, match=r"memory for the model .*large.safetensors"):
        load_encoder(path, "cpu")
