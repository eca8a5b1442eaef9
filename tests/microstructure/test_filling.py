import numpy as np
import pytest
import torch

from napari_kikuchi.jobs import Progress, finish
from napari_kikuchi.microstructure import filling
from napari_kikuchi.microstructure.filling import fill, generate, interpolate
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    return MicrostructureGenerator(GeneratorNetwork(GeneratorArchitecture((8, 16), block=2)).eval())


@pytest.fixture
def picture():
    return np.random.default_rng(0).random((4, 19, 14)).astype(np.float32)


def test_what_is_known_stays_and_what_is_not_is_filled_in(generator, picture):
    holed = picture.copy()
    holed[:, 4:9, 2:8] = np.nan
    # Unknown where one channel is.
    holed[2, 15, 3] = np.nan
    filled = finish(fill(generator, holed, steps=3))
    known = ~np.isnan(holed).any(axis=0)
    np.testing.assert_array_equal(filled[:, known], picture[:, known])
    assert np.isfinite(filled).all()
    assert filled.min() >= 0
    assert filled.max() <= 1
    again, other = (finish(fill(generator, holed, steps=3, seed=seed)) for seed in (0, 1))
    np.testing.assert_array_equal(filled, again)
    assert not np.array_equal(filled, other)


@pytest.mark.parametrize("chosen", [0, 2])
def test_the_most_typical_candidate_is_taken(generator, picture, monkeypatch, chosen):
    monkeypatch.setattr(filling, "_AT_A_TIME", 700)
    picture[:, 4:12, 2:10] = np.nan
    seen = []

    def choose(pictures):
        seen.extend(pictures)
        yield Progress(0, 1, "")
        return chosen

    monkeypatch.setattr(filling, "most_typical", choose)
    filled = finish(fill(generator, picture, steps=3, candidates=3))
    assert len(seen) == len({one.tobytes() for one in seen}) == 3
    np.testing.assert_array_equal(filled, seen[chosen])
    with pytest.raises(ValueError, match="expected candidates and a scale of 1 or more"):
        finish(fill(generator, picture, candidates=0))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_at_a_coarser_scale_all_is_filled_in(generator, picture, scale):
    holed = picture.copy()
    holed[:, 4:12, 2:10] = np.nan
    holed[:, 17, 13] = np.nan
    job = fill(generator, holed, scale=scale, steps=5)
    shares = [0.0]
    while True:
        try:
            update = next(job)
        except StopIteration as end:
            filled = end.value
            break
        shares.append(update.done / update.total)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    known = ~np.isnan(holed).any(axis=0)
    np.testing.assert_array_equal(filled[:, known], picture[:, known])
    assert np.isfinite(filled).all()


def test_a_coarser_scale_makes_larger_grains(monkeypatch):
    """Of a generator that makes every pixel another, and leaves in place what there is."""
    rng = np.random.default_rng(0)

    class Pixels:
        network = GeneratorNetwork(GeneratorArchitecture((8,), block=1))
        picture_size = 64

        def filled(self, pictures, unknown, *, seed, steps, start, wished):
            yield Progress(0, 1, "")
            new = torch.from_numpy(rng.choice([-1, 1], pictures.shape)).float()
            return torch.where(unknown > 0, new, pictures) if start == 1 else pictures

    picture = np.full((4, 24, 20), 0.5)
    picture[:, 3:, 4:] = np.nan
    filled = finish(fill(Pixels(), picture, scale=4))[:, 4:, 4:].reshape(4, 5, 4, 4, 4)
    assert (filled == filled[:, :, :1, :, :1]).all()
    assert set(np.unique(filled)) == {0, 1}


class Centred:
    """Fills holes with the mean of what is known, as far as it sees, and remembers what it saw."""

    network = GeneratorNetwork(GeneratorArchitecture((8,), block=4))
    picture_size = 16

    def __init__(self):
        self.seen, self.seeds = [], []

    def filled(self, pictures, unknown, *, seed, steps, start, wished):
        self.seen.append(unknown[0, 0].numpy() > 0)
        self.seeds.append(seed)
        known = pictures[:1, :, unknown[0, 0] == 0].mean(dim=2)[..., None, None]
        yield Progress(0, 2, "")
        yield Progress(1, 2, "")
        noise = torch.rand(len(pictures), 1, 1, 1, generator=torch.Generator().manual_seed(seed))
        return torch.where(unknown > 0, (known + 0.1 * noise).clamp(-1, 1), pictures)


@pytest.fixture
def far_holes():
    """Of which each lies in grains of its own."""
    picture = np.full((4, 150, 131), 0.2, np.float32)
    picture[:, 75:] = 0.7
    picture[:, 20:25, 30:36] = picture[:, 120:141, 100:103] = np.nan
    return picture


def test_holes_are_filled_in_by_what_lies_around_them(far_holes):
    generator = Centred()
    job = fill(generator, far_holes, candidates=2)
    shares = [one.done / one.total for one in job]
    assert shares == sorted(shares)
    filled = finish(fill(generator, far_holes))
    known = ~np.isnan(far_holes).any(axis=0)
    np.testing.assert_array_equal(filled[:, known], far_holes[:, known])
    np.testing.assert_allclose(filled[:, ~known][:, :30], 0.2, atol=0.11)
    np.testing.assert_allclose(filled[:, ~known][:, 30:], 0.7, atol=0.11)
    assert max(one.size for one in generator.seen) < 0.2 * known.size
    assert len(set(generator.seeds[-2:])) == 2


def test_tiles_see_what_was_filled_in_before(monkeypatch):
    monkeypatch.setattr("napari_kikuchi.microstructure.crops._LARGE", 9)
    picture = np.full((4, 100, 90), np.nan, np.float32)
    picture[:, :2] = 0.5
    generator = Centred()
    filled = finish(fill(generator, picture))
    np.testing.assert_allclose(filled, 0.5, atol=0.3)
    # Each has something to go on with.
    assert len(generator.seen) > 4
    assert all(not one.all() for one in generator.seen)
    np.testing.assert_array_equal(filled, finish(fill(Centred(), picture)))


def test_without_a_hole_there_is_nothing_to_do(generator, picture):
    job = fill(generator, picture.astype(np.float64))
    np.testing.assert_array_equal(finish(job), picture)


def test_pictures_of_any_size_are_made(generator):
    made = finish(generate(generator, 3, (10, 21), steps=2))
    assert made.shape == (3, 4, 10, 21)
    assert len({one.tobytes() for one in made}) == 3
    np.testing.assert_array_equal(made, finish(generate(generator, 3, (10, 21), steps=2)))


def test_tiles_go_on_into_each_other(generator):
    """A tile, moved and made of the moved noise, is the moved tile; and so it has no edges."""
    noise = {}

    def remembered(*args, **kwargs):
        return noise["now"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_kikuchi.microstructure.generator.torch.randn", remembered)
        noise["now"] = torch.rand(1, 16, 8, 8) - 0.5
        tile, flat = (
            finish(generate(generator, 1, (16, 16), tileable=one, steps=2)) for one in (True, False)
        )
        noise["now"] = noise["now"].roll((4, 2), (2, 3))
        moved, moved_flat = (
            finish(generate(generator, 1, (16, 16), tileable=one, steps=2)) for one in (True, False)
        )
    np.testing.assert_allclose(moved, np.roll(tile, (8, 4), (2, 3)), atol=1e-5)
    assert np.abs(moved_flat - np.roll(flat, (8, 4), (2, 3))).max() > 1e-3
    # Only the copy sees beyond its edges.
    modes = {getattr(one, "padding_mode", "zeros") for one in generator.network.modules()}
    assert "circular" not in modes


def test_mixtures_lie_between_their_ends(generator, picture):
    other = picture[:, ::-1]
    plain = finish(interpolate(generator, picture, other, [0, 0.25, 1], time=0))
    np.testing.assert_allclose(plain[[0, 2]], [picture, other], atol=1e-6)
    np.testing.assert_allclose(plain[1], 0.75 * picture + 0.25 * other, atol=1e-6)
    noised = finish(interpolate(generator, picture, other, [0, 0.02, 1], time=0.6, steps=4))
    assert noised.shape == (3, *picture.shape)
    # The same noise: the nearer the mixtures, the nearer what becomes of them.
    near, far = (np.abs(noised[0] - noised[number]).mean() for number in (1, 2))
    assert 0 < near < 0.2 * far
    # However many others there are.
    alone = finish(interpolate(generator, picture, other, [0.02], time=0.6, steps=4))
    np.testing.assert_array_equal(alone[0], noised[1])


def test_progress_is_that_of_all(generator, picture):
    updates = list(interpolate(generator, picture, picture, [0, 1], time=0.5, steps=4))
    assert [one.done for one in updates] == [0, 1, 2, 2, 3, 4]
    assert {one.total for one in updates} == {4}


def test_batches_have_noise_of_their_own(generator, monkeypatch):
    monkeypatch.setattr(filling, "_AT_A_TIME", 2 * 8 * 8)
    made = finish(generate(generator, 4, (8, 8), steps=2))
    other = finish(generate(generator, 4, (8, 8), steps=2, seed=2))
    assert len({one.tobytes() for one in (*made, *other)}) == 8


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda one: one[0], "4, rows, columns"),
        (lambda one: one[:3], "4, rows, columns"),
        (lambda one: one[:, :0], "4, rows, columns"),
        (lambda one: one * 255, "0 to 1"),
        (lambda one: np.where(one > 0.5, np.inf, one), "0 to 1"),
    ],
)
def test_what_is_no_picture_is_named(generator, picture, change, told):
    with pytest.raises(ValueError, match=told):
        finish(fill(generator, change(picture)))


def test_what_cannot_be_done_is_told(generator, picture):
    with pytest.raises(ValueError, match="multiples of 4 pixels"):
        finish(generate(generator, 1, (16, 10), tileable=True))
    with pytest.raises(ValueError, match="one picture or more"):
        finish(generate(generator, 0, (16, 16)))
    with pytest.raises(ValueError, match="same size"):
        finish(interpolate(generator, picture, picture[:, 1:], [0.5]))
    with pytest.raises(ValueError, match="from 0 to 1"):
        finish(interpolate(generator, picture, picture, [1.5]))
    with pytest.raises(ValueError, match="fill in their holes"):
        finish(interpolate(generator, np.full_like(picture, np.nan), picture, [0.5]))
