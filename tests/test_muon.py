import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.training.muon import Muon, orthogonal


@given(rows=st.integers(2, 40), cols=st.integers(2, 40), seed=st.integers(0, 99))
def test_singular_values_come_near_to_one(rows, cols, seed):
    """Those that are not far below the largest; the singular vectors stay."""
    rng = np.random.default_rng(seed)
    matrix = torch.from_numpy(rng.standard_normal((rows, cols)))
    left, values, right = np.linalg.svd(matrix.numpy(), full_matrices=False)
    found = left.T @ orthogonal(matrix).numpy() @ right.T
    kept = values > 0.05 * np.linalg.norm(values)
    assert np.diag(found)[kept] == pytest.approx(0.95, abs=0.3)
    assert np.abs(found - np.diag(np.diag(found))).max() < 1e-6


def test_matrices_of_torch_are_stepped_as_torch_steps_them():
    """In its scale for rates of Adam; it works in bfloat16."""
    torch.manual_seed(0)
    ours, theirs = (torch.nn.Parameter(torch.ones(20, 30)) for _ in range(2))
    optimizers = (
        Muon([ours], lr=0.1),
        torch.optim.Muon([theirs], lr=0.1, weight_decay=0, adjust_lr_fn="match_rms_adamw"),
    )
    for _ in range(4):
        gradient = torch.randn(20, 30)
        for parameter, optimizer in zip((ours, theirs), optimizers, strict=True):
            parameter.grad = gradient.clone()
            optimizer.step()
    moved = theirs.detach() - 1
    assert float((ours.detach() - theirs.detach()).norm() / moved.norm()) < 0.03


@pytest.mark.parametrize("shape", [(8, 3, 3, 3), (64, 8, 1, 1)])
def test_convolutions_are_matrices_however_they_lie_in_memory(shape):
    torch.manual_seed(0)
    gradients = torch.randn(3, *shape)
    moved = []
    for layout in (torch.contiguous_format, torch.channels_last):
        parameter = torch.nn.Parameter(torch.zeros(shape).to(memory_format=layout))
        optimizer = Muon([parameter], lr=0.1)
        for gradient in gradients:
            parameter.grad = gradient.to(memory_format=layout)
            optimizer.step()
        moved.append(parameter.detach())
    matrix = torch.nn.Parameter(torch.zeros(shape[0], gradients[0, 0].numel()))
    optimizer = Muon([matrix], lr=0.1)
    for gradient in gradients:
        matrix.grad = gradient.flatten(1)
        optimizer.step()
    torch.testing.assert_close(moved[0], moved[1])
    torch.testing.assert_close(moved[0].flatten(1), matrix.detach())


def test_what_is_no_matrix_is_stepped_as_adam_steps_it():
    torch.manual_seed(0)
    ours, theirs = (torch.nn.Parameter(torch.zeros(7)) for _ in range(2))
    optimizers = Muon([ours], lr=0.1), torch.optim.Adam([theirs], lr=0.1)
    for _ in range(5):
        gradient = torch.randn(7)
        for parameter, optimizer in zip((ours, theirs), optimizers, strict=True):
            parameter.grad = gradient.clone()
            optimizer.step()
    torch.testing.assert_close(ours, theirs)
