"""Solutions come back from the file as they were found."""

import numpy as np
import torch
from orix.quaternion.symmetry import D6h, Oh
from scipy.spatial.transform import Rotation

from napari_kikuchi.orientation.indexing import Solutions
from napari_kikuchi.orientation.map_solutions import MapSolutions, quaternions_of
from napari_kikuchi.orientation.settling import settle
from napari_kikuchi.scan import Block


def solutions_of(patterns, count, seed=0):
    """Random ones, of which the last pattern has the first only."""
    rng = np.random.default_rng(seed)
    rotations = Rotation.random(patterns * count, rng=rng).as_matrix()
    rotations = rotations.reshape(patterns, count, 3, 3)
    phases = rng.integers(0, 3, (patterns, count))
    probabilities = -np.sort(-rng.uniform(size=(patterns, count)), axis=1)
    rotations[-1:, 1:], phases[-1:, 1:], probabilities[-1:, 1:] = np.nan, -1, 0
    return Solutions(*map(torch.from_numpy, (probabilities, phases, rotations)))


def test_blocks_of_solutions_come_back(tmp_path):
    kept = MapSolutions.make(tmp_path / "file", (4, 5), 3)
    assert kept.is_whole()
    block = Block(slice(1, 3), slice(0, 5))
    spots = np.arange(10.0).reshape(2, 5)
    spots[1, 2] = np.nan
    indexed = spots >= 3
    indexed[1, 0] = True
    found = solutions_of(indexed.sum(), 6)
    checksum = kept.write(block, spots, indexed, found)
    assert checksum == kept.values.checksum(block)
    read = MapSolutions.at(tmp_path / "file", (4, 5), 3).read(block)
    np.testing.assert_array_equal(read.spots, spots)
    np.testing.assert_allclose(
        read.probabilities[:, indexed].T, found.probabilities[:, :3], rtol=1e-6
    )
    np.testing.assert_array_equal(read.phases[:, indexed].T, found.phases[:, :3] + 1)
    expected = quaternions_of(found.rotations[:, :3].numpy())
    np.testing.assert_allclose(np.moveaxis(read.quaternions[:, indexed], 0, 1), expected, atol=1e-6)
    assert not read.phases[:, ~indexed].any()
    assert not read.probabilities[:, ~indexed].any()
    assert np.isnan(read.quaternions[:, ~indexed]).all()


def test_a_block_without_a_pattern_to_index_has_no_solution(tmp_path):
    kept = MapSolutions.make(tmp_path / "file", (2, 3), 3)
    (block,) = kept.blocks(100)
    spots = np.array([[0, 1, 2], [np.nan] * 3])
    kept.write(block, spots, np.zeros((2, 3), bool), solutions_of(0, 4))
    read = kept.read(block)
    np.testing.assert_array_equal(read.spots, spots)
    assert not read.phases.any()
    assert not read.probabilities.any()


def test_room_for_more_solutions_than_there_are_stays_empty(tmp_path):
    kept = MapSolutions.make(tmp_path / "file", (1, 4), 5)
    (block,) = kept.blocks(100)
    kept.write(block, np.full((1, 4), 9.0), np.ones((1, 4), bool), solutions_of(4, 2))
    read = kept.read(block)
    assert (read.phases[:1] > 0).all()
    assert not read.phases[2:].any()
    assert read.phases[1].tolist()[0][-1] == 0


def test_rows_are_settled_as_all_of_the_map_is(tmp_path):
    shape, rng = (11, 6), np.random.default_rng(3)
    kept = MapSolutions.make(tmp_path / "file", shape, 3)
    # A few orientations, so that neighbours agree here and there.
    few = Rotation.random(4, rng=rng).as_matrix()
    rotations = few[rng.integers(0, 4, (66, 3))]
    probabilities = rng.dirichlet([2, 1, 1, 1], 66)[:, :3]
    order = np.argsort(-probabilities, axis=1)
    probabilities = np.take_along_axis(probabilities, order, axis=1).astype(np.float32)
    phases = rng.integers(0, 2, (66, 3))
    found = Solutions(*map(torch.from_numpy, (probabilities, phases, rotations)))
    (whole,) = kept.blocks(1000)
    spots = rng.integers(5, 9, shape).astype(float)
    kept.write(whole, spots, np.ones(shape, bool), found)
    at_once = kept.read_settled(whole, [Oh, D6h])
    settled = settle(
        torch.from_numpy(probabilities).reshape(11, 6, 3),
        torch.from_numpy(phases).reshape(11, 6, 3),
        torch.from_numpy(quaternions_of(rotations)).float().reshape(11, 6, 3, 4),
        [Oh, D6h],
    )
    np.testing.assert_allclose(at_once.probabilities[0], settled.amax(-1), atol=1e-5)
    assert (np.diff(at_once.probabilities, axis=0) <= 0).all()
    assert np.abs(at_once.probabilities[0] - kept.read(whole).probabilities[0]).max() > 0.1
    parts = [kept.read_settled(block, [Oh, D6h]) for block in kept.blocks(12)]
    assert len(parts) == 6
    for name, axis in (("spots", 0), ("probabilities", 1), ("phases", 1), ("quaternions", 1)):
        joined = np.concatenate([getattr(part, name) for part in parts], axis=axis)
        np.testing.assert_allclose(joined, getattr(at_once, name), atol=1e-6, err_msg=name)


def test_blocks_are_whole_rows_that_cover_the_map(tmp_path):
    for positions in (1, 10, 21, 1000):
        blocks = MapSolutions.at(tmp_path / "file", (7, 10), 2).blocks(positions)
        rows = [row for block in blocks for row in range(block.rows.start, block.rows.stop)]
        assert rows == list(range(7))
        assert all(block.cols == slice(0, 10) for block in blocks)
        assert max(block.shape[0] for block in blocks) == max(1, min(7, positions // 10))


def test_quaternions_are_those_of_orix(random_rotations):
    from orix.quaternion import Orientation

    rotations = random_rotations(6).reshape(2, 3, 3, 3)
    rotations[1, 2] = np.nan
    found = quaternions_of(rotations)
    known = np.isfinite(found).all(axis=-1)
    assert known.sum() == 5
    np.testing.assert_allclose(Orientation(found[known]).to_matrix(), rotations[known], atol=1e-12)
