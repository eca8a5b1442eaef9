import numpy as np
import pytest
import torch

from napari_kikuchi.io.weights import ModelFileError
from napari_kikuchi.jobs import finish
from napari_kikuchi.microstructure.filling import fill, generate
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.microstructure.noising import PROCESSES
from napari_kikuchi.microstructure.pictures import random_pictures
from napari_kikuchi.microstructure.regions import even_regions


@pytest.fixture(scope="module", params=sorted(PROCESSES))
def generator(request):
    torch.manual_seed(0)
    architecture = GeneratorArchitecture((8, 16), block=2, process=request.param)
    return MicrostructureGenerator(GeneratorNetwork(architecture).eval())


@pytest.fixture
def pictures():
    return torch.rand(2, 4, 24, 16) * 2 - 1


@pytest.fixture
def unknown():
    unknown = torch.zeros(2, 1, 24, 16)
    unknown[0, :, 5:17, 3:9] = unknown[1, :, ::2] = 1
    return unknown


def test_what_is_known_is_kept_bit_by_bit(generator, pictures, unknown):
    filled = finish(generator.filled(pictures, unknown, steps=4))
    known = unknown.expand_as(pictures) == 0
    assert torch.equal(filled[known], pictures[known])
    assert not torch.isclose(filled[~known], pictures[~known]).all()
    assert filled.abs().max() <= 1


def test_what_is_unknown_has_no_say(generator, pictures, unknown):
    others = torch.where(unknown > 0, torch.rand_like(pictures), pictures)
    one, other = (finish(generator.filled(some, unknown, steps=3)) for some in (pictures, others))
    assert torch.equal(one, other)


def test_what_is_known_has_a_say(generator, pictures, unknown):
    others = torch.where(unknown > 0, pictures, -pictures)
    one, other = (finish(generator.filled(some, unknown, steps=3)) for some in (pictures, others))
    inside = unknown.expand_as(pictures) > 0
    assert not torch.isclose(one[inside], other[inside]).all()


def test_equal_seeds_give_equal_results(generator, pictures, unknown):
    one, same, other = (
        finish(generator.filled(pictures, unknown, steps=3, seed=seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_with_little_noise_little_changes(generator, pictures, unknown, monkeypatch):
    # Whoever takes noise for latents leaves all of it.
    monkeypatch.setattr(GeneratorNetwork, "forward", lambda self, noised, unknown, times: noised)
    little, much = (
        (finish(generator.filled(pictures, unknown, steps=20, start=start)) - pictures).abs().mean()
        for start in (0.05, 1.0)
    )
    assert 0 < little < 0.3 * much


def test_every_step_is_told(generator, pictures, unknown):
    updates = list(generator.filled(pictures, unknown, steps=3))
    assert [(one.done, one.total) for one in updates] == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_file_keeps_all_of_it(generator, pictures, unknown, tmp_path):
    generator.save(tmp_path / "made.safetensors")
    read = MicrostructureGenerator.load(tmp_path / "made.safetensors", "cpu")
    assert read.network.architecture == generator.network.architecture
    one, other = (finish(some.filled(pictures, unknown, steps=2)) for some in (generator, read))
    assert torch.equal(one, other)


@pytest.mark.parametrize(
    "changed",
    [
        {"widths": []},
        {"widths": [12]},
        {"widths": "8"},
        {"process": "magic"},
        {"layers": 0},
        {"block": 0},
        {"rounds": -1},
        {"rounds": 10**9},
    ],
)
def test_a_file_of_something_else_is_named(generator, tmp_path, changed, monkeypatch):
    path = tmp_path / "odd.safetensors"
    settings = {**generator.network.architecture.settings(), **changed}
    monkeypatch.setattr(GeneratorArchitecture, "settings", lambda self: settings)
    generator.save(path)
    with pytest.raises(ModelFileError, match=r"odd\.safetensors"):
        MicrostructureGenerator.load(path)


def test_the_generator_that_comes_along_makes_grains():
    """About as many as there are in pictures of the kind that it has learned from."""
    generator = MicrostructureGenerator.chosen(None, "cpu")
    assert generator.picture_size == 64
    made = finish(generate(generator, 8, (64, 64)))
    real = finish(random_pictures(48, 1, 64, seed=99)).values / np.float32(255)
    of_made, of_real = (np.mean([even_regions(one).max() for one in some]) for some in (made, real))
    assert 0.7 < of_made / of_real < 1.5
    phase = made[:, 3]
    assert ((phase < 0.1) | (phase > 0.9)).mean() > 0.9


def test_a_hole_is_filled_in_as_its_surroundings_are():
    """In a map whose halves are of either phase, with a hole across both."""
    generator = MicrostructureGenerator.chosen(None, "cpu")
    (real,) = finish(random_pictures(1, 1, 64, seed=5)).values / np.float32(255)
    real[3] = np.arange(64) >= 32
    holed = real.copy()
    holed[:, 22:42, 22:42] = np.nan
    phase = finish(fill(generator, holed))[3, 22:42, 22:42] > 0.5
    assert phase[:, 10:].mean() - phase[:, :10].mean() > 0.3
