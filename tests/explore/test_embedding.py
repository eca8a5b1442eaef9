"""Latent vectors in few dimensions: components against scikit-learn's, UMAP against the truth."""

import numpy as np
import pytest
from latent_stacks import encoded, grains, grainy
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from napari_kikuchi.explore import embedding
from napari_kikuchi.explore.embedding import principal_components, umap
from napari_kikuchi.explore.features import latent_vectors
from napari_kikuchi.jobs import finish

# umap-learn tells that its parametric kind, which is not used, needs another package.
pytestmark = pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")


def vectors(values):
    return finish(latent_vectors(encoded(values)))


@pytest.mark.parametrize("offset", [0, 1000])
def test_components_are_those_of_scikit_learn(monkeypatch, offset):
    monkeypatch.setattr(embedding, "_BLOCK", 500)
    found = vectors(grainy(noise=1) + offset)
    laid = finish(principal_components(found, 3))
    reference = PCA(3).fit(found.values.astype(float))
    expected = reference.transform(found.values.astype(float))
    weights = reference.components_
    heaviest = weights[range(3), np.abs(weights).argmax(axis=1)]
    np.testing.assert_allclose(laid.coordinates, expected * np.sign(heaviest), atol=5e-3)
    shares = reference.explained_variance_ratio_
    assert laid.names == tuple(f"component {i + 1} ({share:.0%})" for i, share in enumerate(shares))


def test_there_are_no_more_components_than_features():
    laid = finish(principal_components(vectors(grainy(features=2)), 3))
    assert laid.coordinates.shape == (grains().size, 2)


def test_vectors_that_are_all_alike_lie_in_one_place():
    laid = finish(principal_components(vectors(np.ones((3, 4, 5)))))
    assert (laid.coordinates == 0).all()


def test_components_come_in_updates(monkeypatch):
    monkeypatch.setattr(embedding, "_BLOCK", 500)
    updates = []
    finish(principal_components(vectors(grainy())), updates.append)
    assert [update.done for update in updates] == [500, 1000, 1200, 1700, 2200, 2400]
    assert {update.total for update in updates} == {2400}


def test_umap_lays_grains_apart_and_puts_the_others_among_the_sample(monkeypatch):
    pytest.importorskip("umap")
    monkeypatch.setattr(embedding, "_UMAP_SAMPLE", 400)
    monkeypatch.setattr(embedding, "_UMAP_BLOCK", 500)
    found = vectors(grainy(noise=0.5))
    updates = []
    laid = finish(umap(found), updates.append)
    assert laid.coordinates.shape == (len(found), 2)
    assert laid.names == ("UMAP 1", "UMAP 2")
    assert [update.done for update in updates] == [0, 400, 900]
    number = grains()[tuple(found.positions.T)]
    sample = np.zeros(len(found), bool)
    sample[found.sample(400)] = True
    near = KNeighborsClassifier(5).fit(laid.coordinates[sample], number[sample])
    assert near.score(laid.coordinates[~sample], number[~sample]) > 0.99


def test_umap_of_too_few_positions_is_refused():
    pytest.importorskip("umap")
    with pytest.raises(ValueError, match="more than 15"):
        finish(umap(vectors(np.ones((2, 3, 5)))))


def test_without_umap_it_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setattr(embedding, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install \"napari-kikuchi\[umap\]\""):
        finish(umap(vectors(grainy())))
