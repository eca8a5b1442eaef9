"""The verifier: what it may depend on, its loss and its file."""

import numpy as np
import pytest
import torch

from napari_kikuchi.io.weights import ModelFileError, read_tensors, write_tensors
from napari_kikuchi.orientation.evidence import PARTS, REFLECTIONS, UNEXPLAINED, evidence_of
from napari_kikuchi.orientation.verifier import Verifier, verifier_loss

PIECES = REFLECTIONS + UNEXPLAINED


@pytest.fixture(scope="module")
def verifier():
    torch.manual_seed(1)
    return Verifier().eval()


@pytest.fixture(scope="module")
def known():
    generator = torch.Generator().manual_seed(2)
    evidence = torch.rand(6, 5, PIECES, PARTS, generator=generator)
    # Reflections that are neither expected nor seen are none.
    evidence[..., 30:, :2] = 0
    return evidence, torch.rand(6, 5, generator=generator)


@torch.inference_mode()
def test_hypotheses_are_weighed_in_any_order(verifier, known):
    evidence, scores = known
    weighed = verifier(evidence, scores)
    torch.testing.assert_close(weighed.exp().sum(1), torch.ones(6))
    order = torch.tensor([3, 0, 4, 1, 2])
    turned = verifier(evidence[:, order], scores[:, order])
    torch.testing.assert_close(turned[:, :-1], weighed[:, order], atol=1e-4, rtol=0)
    pieces = torch.randperm(PIECES, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(verifier(evidence[:, :, pieces], scores), weighed)


@torch.inference_mode()
def test_what_is_no_evidence_says_nothing(verifier, known):
    evidence, scores = known
    other = evidence.clone()
    other[..., 30:, 2:] = 7.0
    torch.testing.assert_close(verifier(other, scores), verifier(evidence, scores))


@torch.inference_mode()
def test_a_hypothesis_without_a_score_is_none(verifier, known):
    evidence, scores = known
    scores = scores.clone()
    scores[:, 2] = 0
    scores[5] = 0
    weighed = verifier(evidence, scores).exp()
    assert weighed[:, 2].max() < 1e-6
    assert weighed[5, -1] > 0.999


def test_the_loss_counts_all_that_are_right():
    probabilities = torch.tensor([[0.5, 0.2, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]])
    angles = torch.tensor([[1.0, 1.9, 3.0], [50.0, 2.1, torch.inf]])
    expected = -(np.log(0.7) + np.log(0.4)) / 2
    assert float(verifier_loss(probabilities.log(), angles)) == pytest.approx(expected)


def test_evidence_is_the_strongest_of_each_kind():
    """Of more reflections and spots than there is room for."""
    generator = torch.Generator().manual_seed(3)
    count = REFLECTIONS + 10
    expected, seen, nearness, radius = torch.rand(4, 2, 3, count, generator=generator)
    unexplained = torch.rand(2, 3, UNEXPLAINED + 4, 2, generator=generator)
    found = evidence_of(expected, seen, nearness, radius, unexplained)
    assert found.shape == (2, 3, PIECES, PARTS)
    most = np.maximum(expected, seen)[1, 2].numpy()
    chosen = np.argsort(-most)[:REFLECTIONS]
    np.testing.assert_array_equal(found[1, 2, :REFLECTIONS, 1], seen[1, 2][chosen])
    np.testing.assert_array_equal(found[1, 2, :REFLECTIONS, 3], radius[1, 2][chosen])
    spots = unexplained[1, 2][unexplained[1, 2, :, 0].argsort(descending=True)[:UNEXPLAINED]]
    np.testing.assert_array_equal(found[1, 2, REFLECTIONS:, 1], spots[:, 0])
    np.testing.assert_array_equal(found[1, 2, REFLECTIONS:, 3], spots[:, 1])
    assert (found[:, :, REFLECTIONS:, [0, 2]] == 0).all()


def test_evidence_of_few_is_padded():
    few = torch.ones(1, 1, 3)
    found = evidence_of(few, few, few, few, torch.ones(1, 1, 2, 2))
    assert (found.abs().sum(-1) > 0).sum() == 5
    assert found.shape == (1, 1, PIECES, PARTS)


def test_a_verifier_is_saved_and_loaded(verifier, known, tmp_path):
    verifier.save(tmp_path / "verifier.safetensors")
    with torch.inference_mode():
        torch.testing.assert_close(
            Verifier.load(tmp_path / "verifier.safetensors")(*known), verifier(*known)
        )


@pytest.mark.parametrize("broken", ["missing", "shape"])
def test_another_file_is_refused(verifier, tmp_path, broken):
    path = tmp_path / "verifier.safetensors"
    verifier.save(path)
    tensors, header = read_tensors(path, "verifier of orientations")
    if broken == "missing":
        tensors.popitem()
    else:
        tensors["none"] = np.zeros(2, np.float32)
    write_tensors(path, tensors, header)
    with pytest.raises(ModelFileError, match=r"verifier\.safetensors"):
        Verifier.load(path)
