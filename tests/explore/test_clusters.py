"""Clusters of latent vectors."""

import numpy as np
import pytest
from latent_stacks import encoded, grains, grainy
from sklearn.metrics import adjusted_rand_score

from napari_kikuchi.explore import clusters
from napari_kikuchi.explore.clusters import find_clusters
from napari_kikuchi.explore.features import latent_vectors
from napari_kikuchi.jobs import finish


def vectors(values):
    return finish(latent_vectors(encoded(values)))


def test_clusters_are_the_grains_the_largest_first():
    values = grainy()
    values[:, 5, :7] = np.nan
    found = finish(find_clusters(vectors(values), 5))
    known = np.isfinite(values[0])
    assert adjusted_rand_score(grains()[known], found[known]) == 1
    assert (found[~known] == 0).all()
    sizes = np.bincount(found[known])
    assert sizes[0] == 0
    assert (np.diff(sizes[1:]) <= 0).all()


def test_the_same_seed_finds_the_same_from_a_sample_in_blocks(monkeypatch):
    monkeypatch.setattr(clusters, "_SAMPLE", 300)
    monkeypatch.setattr(clusters, "_BLOCK", 500)
    values = vectors(grainy(noise=3))
    updates = []
    found = finish(find_clusters(values, 4, seed=1), updates.append)
    assert [update.done for update in updates] == [0, 0, 500, 1000, 1200]
    np.testing.assert_array_equal(found, finish(find_clusters(values, 4, seed=1)))


@pytest.mark.parametrize("count", [0, 1201])
def test_a_number_of_clusters_that_cannot_be_is_refused(count):
    with pytest.raises(ValueError, match="ask for 1 to 1200"):
        finish(find_clusters(vectors(grainy()), count))
