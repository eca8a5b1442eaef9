"""Encoders for tasks, here and in other processes."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.giver import given_to
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.recipe import Recipe


@pytest.fixture(scope="module")
def encoders(make_scan):
    scan = make_scan(rows=5, cols=7, corner=3, noise=1)
    return [finish(fit_linear([scan], Recipe(size=(12, 12)), latent=n)) for n in (3, 4)]


@pytest.fixture
def elsewhere():
    with ThreadPoolExecutor(1) as executor:
        yield executor


def test_threads_have_the_encoder_itself(encoders, tmp_path):
    assert given_to(None, encoders[0], tmp_path / "model.safetensors")() is encoders[0]
    assert not list(tmp_path.iterdir())


def test_other_processes_read_it_once_from_a_file(encoders, elsewhere, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    giver = pickle.dumps(given_to(elsewhere, encoders[0], Path("model.safetensors")))
    assert len(giver) < 1000
    monkeypatch.chdir(tmp_path.parent)
    found = pickle.loads(giver)()
    assert pickle.loads(giver)() is found
    features = np.eye(3)
    np.testing.assert_array_equal(found.decode(features), encoders[0].decode(features))


def test_the_model_of_a_job_that_came_later_is_not_taken_for_its_own(encoders, elsewhere, tmp_path):
    file = tmp_path / "model.safetensors"
    former, later = (given_to(elsewhere, encoder, file) for encoder in encoders)
    with pytest.raises(ValueError, match="expected the model that this job began with"):
        former()
    assert later().latent == 4
