"""What overlap takes of a pattern, told from the pattern alone, on mixtures that are known."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from damaged import damaged
from napari_kikuchi.jobs import JobWarning, finish
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.lessons import Lessons, gather_lessons
from napari_kikuchi.latent.maps import encode_scan
from napari_kikuchi.latent.overlap import Overlap, teach
from napari_kikuchi.latent.presets import preset
from napari_kikuchi.latent.principal import shapes_of
from napari_kikuchi.latent.sample import draw_sample
from napari_kikuchi.latent.train import VaeTraining, train_vae
from napari_kikuchi.latent.vae import Vae
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.preprocess import prepare
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan
from napari_kikuchi.training import TrainingSettings

SIZE, ROWS, COLS = 60, 8, 25
GRAINS = 5


def grains(count=GRAINS, seed=3):
    """Patterns of no mean and unit variance."""
    rng = np.random.default_rng(seed)
    down, right = np.mgrid[:SIZE, :SIZE] / SIZE
    patterns = np.zeros((count, SIZE, SIZE))
    for pattern in patterns:
        for wave, phase in zip(rng.normal(size=(8, 2)) * 12, rng.uniform(0, 7, 8), strict=True):
            pattern += np.sin(wave[0] * down + wave[1] * right + phase)
    patterns -= patterns.mean(axis=(1, 2), keepdims=True)
    return patterns / patterns.std(axis=(1, 2), keepdims=True)


def scan_of(shapes, present=None, seed=5):
    noise = np.random.default_rng(seed).normal(scale=3, size=shapes.shape)
    patterns = np.clip(120 + 30 * shapes + noise, 0, 255)
    return Scan(ArraySource(patterns.astype(np.uint8)), name="grains", present=present)


@pytest.fixture(scope="module")
def mixed():
    """Five grains side by side that overlap: patterns, and what is left of their contrast."""
    # Every fifth column sees its own grain and the one before.
    grain = np.maximum(np.arange(COLS)[:, None] - [1, 0], 0) // 5
    share = np.array([0.6, 0.4])[None, :, None, None]
    pure = grains()
    row = (share * pure[grain]).sum(axis=1)
    # The static background, their mean, will be taken off.
    row -= row.mean(axis=0)
    pure -= (share * pure[grain]).sum(axis=1).mean(axis=0)
    each = pure.std(axis=(1, 2))[grain]
    kept = row.std(axis=(1, 2)) / (share[:, :, 0, 0] * each).sum(axis=1)
    return np.array([row] * ROWS), np.array([kept] * ROWS)


def begun(scan, per_scan=10_000):
    sample = finish(draw_sample([scan], Recipe(), per_scan))
    torch.manual_seed(0)
    vae = Vae(preset("principal-16"), sample.recipe.mask)
    vae.take_components(sample.patterns, trained=False)
    return vae.eval(), sample


def lessons_of(scan, per_scan=10_000):
    vae, sample = begun(scan, per_scan)
    read = partial(shapes_of, vae.encoder)
    return finish(gather_lessons([scan], sample, read)), sample


def test_neighbours_tell_what_overlap_leaves(mixed):
    shapes, expected = mixed
    lessons, _ = lessons_of(scan_of(shapes))
    assert expected.min() < 0.7
    np.testing.assert_allclose(lessons.kept.reshape(ROWS, COLS), expected, atol=0.06)


def test_neighbours_that_were_not_drawn_are_read(mixed):
    shapes, _ = mixed
    scan = scan_of(shapes)
    vae, sample = begun(scan)
    read = partial(shapes_of, vae.encoder)
    whole = finish(gather_lessons([scan], sample, read))
    positions = sample.positions[0]
    some = np.sort(np.random.default_rng(0).permutation(len(positions))[:60])
    drawn = replace(sample, patterns=sample.patterns[some], positions=[positions[some]])
    seen = []
    lessons = finish(gather_lessons([scan], drawn, read), seen.append)
    np.testing.assert_allclose(lessons.kept, whole.kept[some], atol=1e-5)
    np.testing.assert_allclose(lessons.shapes, whole.shapes[some], atol=1e-5)
    assert "Reading neighbours in grains" in seen[-1].message
    assert seen[-1].done == seen[-1].total > 60


def test_a_neighbour_that_cannot_be_read_is_as_if_there_were_none(mixed):
    shapes, _ = mixed
    vae, sample = begun(scan_of(shapes))
    read = partial(shapes_of, vae.encoder)
    some = np.arange(0, len(sample.positions[0]), 7)
    drawn = replace(sample, patterns=sample.patterns[some], positions=[sample.positions[0][some]])
    taken = {tuple(place) for place in drawn.positions[0]}
    bad = {(row, col) for row in range(ROWS) for col in range(3, 9)} - taken
    present = np.ones((ROWS, COLS), bool)
    present[tuple(np.transpose(sorted(bad)))] = False
    with pytest.warns(JobWarning, match="left out of what neighbours tell"):
        lessons = finish(gather_lessons([damaged(scan_of(shapes), bad)], drawn, read))
    expected = finish(gather_lessons([scan_of(shapes, present)], drawn, read))
    np.testing.assert_allclose(lessons.kept, expected.kept, atol=1e-5)


def test_partners_lie_near_in_the_same_scan(mixed):
    shapes, _ = mixed
    scans = [scan_of(np.tile(shapes, (8, 1, 1, 1)), seed=seed) for seed in (5, 6)]
    sample = finish(draw_sample(scans, Recipe(), 10_000))
    vae = Vae(preset("principal-16"), sample.recipe.mask)
    vae.take_components(sample.patterns, trained=False)
    lessons = finish(gather_lessons(scans, sample, partial(shapes_of, vae.encoder)))
    places = np.concatenate(
        [positions + np.array([1000 * i, 0]) for i, positions in enumerate(sample.positions)]
    )
    apart = np.abs(places[lessons.partners] - places[:, None])
    assert apart.max() <= 8 + 1
    assert (apart.max(axis=2) > 3).mean() > 0.5


def test_a_pattern_without_neighbours_teaches_nothing(mixed):
    present = np.zeros((ROWS, COLS), bool)
    present[::2, ::2] = True  # each alone, but for two
    present[0, 1] = True
    scan = scan_of(mixed[0], present)
    lessons, _ = lessons_of(scan)
    assert len(lessons) == 3
    alone = scan_of(mixed[0], present & (np.arange(COLS) != 1))
    lessons, _ = lessons_of(alone)
    assert len(lessons) == 0
    overlap = Overlap(256)
    finish(teach(overlap, lessons))
    assert (overlap(torch.randn(5, 256)) == 0).all()


def random_lessons(pure, components, seed, count=1600):
    """Mixtures of pairs of pure shapes, as strengths of components, and what is left of them."""
    rng = np.random.default_rng(seed)
    pairs = rng.integers(0, len(pure), (count, 2))
    share = rng.uniform(0, 1, (count, 1))
    vectors = share * pure[pairs[:, 0]] + (1 - share) * pure[pairs[:, 1]]
    kept = np.linalg.norm(vectors, axis=1)
    noisy = vectors + rng.normal(scale=0.02 / np.sqrt(components), size=vectors.shape)
    shapes = noisy / np.linalg.norm(noisy, axis=1, keepdims=True)
    return shapes.astype(np.float32), kept.astype(np.float32)


def test_what_is_taught_is_told_of_other_mixtures():
    components = 32
    pure = np.random.default_rng(0).normal(size=(6, components))
    pure /= np.linalg.norm(pure, axis=1, keepdims=True)
    shapes, kept = random_lessons(pure, components, 1)
    partners = np.random.default_rng(2).integers(0, len(kept), (len(kept), 8))
    torch.manual_seed(0)
    overlap = Overlap(components)
    updates = []
    finish(teach(overlap, Lessons(shapes, kept, partners)), updates.append)
    assert updates[-1].message == "Learning what overlap takes"
    assert not any(parameter.requires_grad for parameter in overlap.parameters())
    others, expected = random_lessons(pure, components, 3)
    told = overlap(torch.from_numpy(others)).exp()[:, 0].numpy()
    assert expected.min() < 0.75
    assert np.abs(told - expected).mean() < 0.25 * np.abs(expected.mean() - expected).mean()
    overlap.forget()
    assert (overlap(torch.from_numpy(others)) == 0).all()


def test_what_is_hardly_more_than_noise_hardly_counts():
    overlap = Overlap(8)
    overlap.clear_of(1.0, torch.tensor([1000.0, 80.0, 1.0]))
    shapes = overlap.shapes(torch.tensor([[1.0, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 5, 0, 0, 0, 0]]))
    clear = np.array([1000 / 1020, 0.8, 1 / 21, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(shapes[0], clear / np.linalg.norm(clear), rtol=1e-5)
    assert (shapes[1] == 0).all()
    assert torch.equal(overlap.shapes(torch.randn(2, 8).half()).norm(dim=1).round(), torch.ones(2))


def test_lessons_repeat_and_another_seed_draws_others():
    shapes = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    kept = np.random.default_rng(1).uniform(0.7, 1, 300).astype(np.float32)
    lessons = Lessons(shapes, kept, np.random.default_rng(2).integers(0, 300, (300, 4)))
    torch.manual_seed(0)
    taught = [Overlap(8) for _ in range(3)]
    for one in taught[1:]:
        one.load_state_dict(taught[0].state_dict())
    for one, seed in zip(taught, (7, 7, 8), strict=True):
        finish(teach(one, lessons, seed))
    first, again, other = (torch.cat([p.flatten() for p in one.parameters()]) for one in taught)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_first_feature_of_a_training_shows_weak_patterns_and_no_boundaries(mixed, tmp_path):
    shapes, kept = mixed
    weak = (7, slice(None))
    weaker = np.tile(shapes, (2, 1, 1, 1))
    weaker[weak] *= 0.85
    scan = scan_of(weaker)
    training = TrainingSettings(epochs=2, device="cpu")
    settings = VaeTraining(preset="principal-16", training=training)
    messages = []
    path = finish(
        train_vae([scan], None, settings, tmp_path), lambda update: messages.append(update.message)
    )
    assert "Learning what overlap takes" in messages
    encoder = load_encoder(path, device="cpu")
    preprocess = finish(prepare(scan, encoder.recipe))
    prepared, contrast = preprocess.with_contrast(scan.source.array.reshape(-1, SIZE, SIZE))
    gain = encoder.encode(prepared)[:, 0].reshape(scan.map_shape)
    contrast = np.log(contrast).reshape(scan.map_shape)

    def depths(values):
        """How far the weak row and the boundaries lie below their grains."""
        grain = np.median(np.delete(values, [6, 7, 8], axis=0), axis=0)
        inside = [col for col in range(COLS) if abs(kept[0, col] - 1) < 1e-6]
        between = [col for col in range(COLS) if kept[0, col] < 0.9]
        level = np.interp(np.arange(COLS), inside, grain[inside])
        return (level - values[7])[inside].mean(), (level - grain)[between].mean()

    row, boundary = depths(contrast)
    assert boundary > 1.5 * row  # overlap hides what is weak
    row, boundary = depths(gain)
    assert boundary < 0.3 * row
    stack = finish(encode_scan(scan, encoder, tmp_path / "maps.zarr"))
    assert stack.names[:2] == ["feature 1, contrast", "feature 2"]
    np.testing.assert_allclose(stack.map(0), gain, atol=1e-4)


def test_patterns_rescaled_one_by_one_miss_nothing_that_overlap_took(mixed, tmp_path):
    scan = scan_of(mixed[0])
    training = TrainingSettings(epochs=1, device="cpu")
    settings = VaeTraining(preset="principal-16", training=training)
    path = finish(train_vae([scan], Recipe(rescale="deviation"), settings, tmp_path))
    encoder = load_encoder(path, device="cpu")
    assert (encoder.vae.encoder.gain.overlap(torch.randn(5, 256)) == 0).all()
    stack = finish(encode_scan(scan, encoder, tmp_path / "maps.zarr"))
    assert stack.names[0] == "feature 1"
