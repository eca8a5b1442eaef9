"""Latent vectors in few dimensions: components against scikit-learn's, UMAP against the truth."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest
from latent_stacks import encoded, grains, grainy
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from napari_kikuchi.child_process import ChildError
from napari_kikuchi.explore import embedding
from napari_kikuchi.explore.embedding import principal_components, umap
from napari_kikuchi.explore.features import latent_vectors
from napari_kikuchi.explore.umap_layout import UmapLayout
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


@pytest.fixture(scope="module")
def laid_out():
    """Vectors of grains, their layout by a child, its updates; the sample, laid out without one."""
    pytest.importorskip("umap")
    found = vectors(grainy(noise=0.5))
    updates = []
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(embedding, "_UMAP_SAMPLE", 400)
        patch.setattr(embedding, "_BLOCK", 500)
        child = pool.submit(finish, umap(found, seed=3), updates.append)
        # Meanwhile: each of the two compiles umap-learn for seconds.
        sample = found.sample(400, 3)
        learned = UmapLayout(lambda fraction: None, 15, 2, 3).learn(found.values[sample])
        return found, child.result(), updates, sample, learned


def test_umap_in_a_process_of_its_own_lays_out_as_it_does_here(laid_out):
    _, laid, _, sample, learned = laid_out
    np.testing.assert_array_equal(laid.coordinates[sample], learned)
    assert laid.names == ("UMAP 1", "UMAP 2")


def test_umap_lays_grains_apart_and_puts_the_others_among_the_sample(laid_out):
    found, laid, _, sample, _ = laid_out
    number = grains()[tuple(found.positions.T)]
    others = np.delete(np.arange(len(found)), sample)
    near = KNeighborsClassifier(5).fit(laid.coordinates[sample], number[sample])
    assert near.score(laid.coordinates[others], number[others]) > 0.99


def test_umap_tells_how_far_it_is(laid_out):
    _, _, updates, _, _ = laid_out
    assert (updates[0].done, updates[0].total) == (0, 0)
    done = [update.done for update in updates]
    assert done == sorted(done)
    assert any(0 < count < 400 for count in done)
    assert {400, 900, 1200} <= set(done)
    assert {update.total for update in updates} == {0, 1200}


def test_umap_that_is_cancelled_leaves_no_process(laid_out):
    found, *_ = laid_out
    before = set(psutil.Process().children(recursive=True))
    job = umap(found)
    next(job)
    (child,) = set(psutil.Process().children(recursive=True)) - before
    begin = time.monotonic()
    job.close()
    assert time.monotonic() - begin < 1
    assert not child.is_running()


def test_a_failure_of_umap_is_told():
    pytest.importorskip("umap")
    found = vectors(grainy())
    found.values[:] = np.inf
    with pytest.raises(ChildError, match=r"UMAP failed: Input.* contains infinity"):
        finish(umap(found))


def test_umap_that_cannot_be_loaded_is_told(monkeypatch, tmp_path):
    (tmp_path / "umap.py").write_text("import a_library_that_is_missing")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(ChildError, match=r"UMAP failed: .*a_library_that.*pip install"):
        finish(umap(vectors(grainy())))


def test_umap_of_too_few_positions_is_refused():
    pytest.importorskip("umap")
    with pytest.raises(ValueError, match="more than 15"):
        finish(umap(vectors(np.ones((2, 3, 5)))))


def test_without_umap_it_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setattr(embedding, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install \"napari-kikuchi\[umap\]\""):
        finish(umap(vectors(grainy())))
