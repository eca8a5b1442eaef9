import numpy as np
import pytest
import torch

from napari_kikuchi.jobs import finish
from napari_kikuchi.microstructure.pictures import Pictures, random_pictures
from napari_kikuchi.microstructure.wished_pictures import packed, random_wishes, unpacked
from napari_kikuchi.microstructure.wishes import WISHES, scaled_numbers

COUNT, SIZE = 400, 8


@pytest.fixture
def pictures():
    return torch.where(torch.rand(COUNT, 4, SIZE, SIZE) < 0.5, 1.0, -1.0)


@pytest.fixture
def numbers():
    return torch.rand(COUNT, 3)


def wished(pictures, numbers, wishes, seed=0):
    return random_wishes(pictures, numbers, wishes, torch.Generator().manual_seed(seed))


def test_rows_keep_pictures_and_their_numbers():
    made = finish(random_pictures(2, 3, 16, seed=1))
    coercivities = np.array([0, 10, 20, np.nan, 30, 40])
    rows = packed(made, coercivities)
    values, numbers = unpacked(torch.from_numpy(rows).float())
    np.testing.assert_allclose((values + 1) * 127.5, made.values, atol=1e-4)
    shares = (made.values[:, 3] == 255).mean(axis=(1, 2))
    known = np.stack([shares, made.diameters, coercivities], axis=1).astype(np.float32)
    expected = scaled_numbers(torch.from_numpy(known))
    torch.testing.assert_close(numbers, expected, atol=2e-3, rtol=0, equal_nan=True)
    _, numbers = unpacked(torch.from_numpy(packed(made, None)).float())
    assert numbers[:, 2].isnan().all()
    assert numbers[:, :2].isfinite().all()


def test_values_of_pictures_survive_in_rows():
    values = np.arange(256, dtype=np.uint8).reshape(1, 4, 8, 8)
    rows = packed(Pictures(values, np.zeros(1, np.int64), np.ones(1, np.float32)), None)
    pictures, _ = unpacked(torch.from_numpy(rows).float())
    np.testing.assert_allclose((pictures + 1) * 127.5, values, atol=1e-4)


def test_what_is_wished_for_is_true(pictures, numbers):
    planes = wished(pictures, numbers, WISHES)
    truth = torch.cat([pictures[:, 3:], numbers[..., None, None].expand(-1, -1, SIZE, SIZE)], dim=1)
    there = planes.isfinite()
    assert torch.equal(planes[there], truth[there])
    # Numbers hold everywhere or nowhere; phases at times in parts alone.
    shares = there.float().mean(dim=(2, 3))
    assert {*shares[:, 1:].unique().tolist()} == {0, 1}
    in_parts = ((shares[:, 0] > 0) & (shares[:, 0] < 1)).float().mean()
    assert 0.02 < in_parts < 0.25


def test_any_combination_is_wished_for(pictures, numbers):
    planes = wished(pictures, numbers, WISHES)
    combinations = {tuple(one) for one in planes.isfinite().any(dim=(2, 3)).tolist()}
    assert len(combinations) == 2 ** len(WISHES)
    # Nothing at all where the phase was to be wished for in no part.
    nothing = (~planes.isfinite()).flatten(1).all(dim=1).float().mean()
    assert 0 < nothing < 0.05


def test_only_what_may_be_is_wished_for(pictures, numbers):
    planes = wished(pictures, numbers, ("diameter",))
    assert planes[:, 2].isfinite().all()
    assert planes[:, [0, 1, 3]].isnan().all()


def test_what_nobody_knows_is_not_wished_for(pictures, numbers):
    numbers[::2, 2] = torch.nan
    planes = wished(pictures, numbers, ("coercivity",))
    assert planes[::2].isnan().all()
    assert planes[1::2, 3].isfinite().all()


def test_equal_seeds_wish_alike(pictures, numbers):
    one, same, other = (wished(pictures, numbers, WISHES, seed) for seed in (1, 1, 2))
    assert torch.equal(one.nan_to_num(), same.nan_to_num())
    assert not torch.equal(one.nan_to_num(), other.nan_to_num())
