"""A network comes back from its file, and no more is made than the file is known to fill."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_kikuchi.io.network_files import read_network, weights_of, with_weights, write_network
from napari_kikuchi.io.weights import ModelFileError, read_tensors, write_tensors
from napari_kikuchi.untrusted import integer

CONTENT = "model of apples"


def width_of(settings):
    return integer(settings.get("width"), "the width", 1)


def build(width):
    return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width), nn.Linear(width, 2))


@pytest.fixture
def network():
    """One that has seen patterns, so that its normalisation knows of them."""
    network = build(5)
    network(torch.rand(7, 3))
    return network.eval()


@pytest.fixture
def path(network, tmp_path):
    path = tmp_path / "apples.safetensors"
    write_network(path, network, CONTENT, {"width": 5}, {"made": "here"}, colour="red")
    return path


def read(path):
    return read_network(path, CONTENT, "apple", width_of, build)


def test_a_network_comes_back_with_all_that_was_told_of_it(network, path):
    again, header = read(path)
    patterns = torch.rand(4, 3)
    torch.testing.assert_close(again(patterns), network(patterns), atol=0, rtol=0)
    assert not again.training
    assert header["provenance"] == {"made": "here"}
    assert header["colour"] == "red"


def test_a_file_keeps_all_but_the_count_of_batches(network, path):
    tensors, _ = read_tensors(path, CONTENT)
    names = set(network.state_dict()) - {"1.num_batches_tracked"}
    assert set(tensors) == names
    assert set(weights_of(network)) == names


def test_nothing_is_made_before_the_file_is_known_to_fill_it(network):
    made = []

    def huge():
        made.append(build(10_000_000))
        return made[-1]

    with pytest.raises(ModelFileError, match=r"a\.safetensors: tensor 0\.weight has shape \(5, 3"):
        with_weights(huge, weights_of(network), "a.safetensors", "apple")
    assert [one[0].weight.device.type for one in made] == ["meta"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"architecture": 5}, "the architecture"),
        ({"architecture": {"width": 0}}, "the width"),
        ({"architecture": {"width": 6}}, r"needs \(6, 3\)"),
        ({"provenance": None}, "the provenance"),
        ({"content": "pears"}, "expected a model of apples, found a pears"),
    ],
)
def test_what_a_header_tells_wrongly_is_refused(path, change, expected):
    tensors, header = read_tensors(path, CONTENT)
    write_tensors(path, tensors, {**header, **change})
    with pytest.raises(ModelFileError, match=rf"apples\.safetensors: .*{expected}"):
        read(path)


def test_a_lost_tensor_is_told(path):
    tensors, header = read_tensors(path, CONTENT)
    del tensors["1.running_var"]
    write_tensors(path, {**tensors, "other": np.ones(3)}, header)
    with pytest.raises(ModelFileError, match=r"apple model .* 1 are missing .*1\.running_var"):
        read(path)
