"""Files of networks: what these are built from, and their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import nn

from napari_kikuchi.io.weights import damage_told, read_tensors, require_tensors, write_tensors
from napari_kikuchi.untrusted import mapping

if TYPE_CHECKING:
    from numpy.typing import NDArray

Architecture = TypeVar("Architecture")
Network = TypeVar("Network", bound=nn.Module)


def write_network(
    path: Path | str,
    network: nn.Module,
    content: str,
    architecture: Mapping[str, Any],
    provenance: Mapping[str, Any],
    **told: Any,
) -> None:
    """Write a network to a file that :func:`read_network` reads, whole or not at all.

    Parameters
    ----------
    path
        Of the file.
    network
        On any device.
    content
        What the file is.
    architecture
        All that is needed to build the network again; fit for JSON.
    provenance
        Settings, version and date; fit for JSON.
    **told
        More for the header; fit for JSON.
    """
    header = {
        "content": content,
        "architecture": dict(architecture),
        **told,
        "provenance": dict(provenance),
    }
    write_tensors(path, weights_of(network), header)


def read_network(
    path: Path | str,
    content: str,
    kind: str,
    architecture_of: Callable[[Mapping[str, Any]], Architecture],
    build: Callable[[Architecture], Network],
) -> tuple[Network, Mapping[str, Any]]:
    """Read what :func:`write_network` wrote.

    Parameters
    ----------
    path
        Of the file.
    content
        What the file should be.
    kind
        Of the network, for errors.
    architecture_of
        Reads the architecture that the header tells; a ValueError says what is wrong with it.
    build
        Makes a network of it, with any weights.

    Returns
    -------
    network, header
        For inference, on the processor; and all that was told of it, whose ``provenance`` is a
        mapping.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it is no such network, was written by a newer version, or is damaged.
    """
    tensors, header = read_tensors(path, content)
    with damage_told(path):
        architecture = architecture_of(mapping(header.get("architecture"), "the architecture"))
        mapping(header.get("provenance"), "the provenance")
    return with_weights(lambda: build(architecture), tensors, path, kind), header


def weights_of(network: nn.Module) -> dict[str, NDArray[Any]]:
    """What a file keeps of a network, by name."""
    return {name: value.cpu().numpy() for name, value in _kept(network).items()}


def with_weights(
    build: Callable[[], Network], weights: Mapping[str, NDArray], path: Path | str, kind: str
) -> Network:
    """A network with the weights of a file, for inference, on the processor.

    Parameters
    ----------
    build
        Makes the network, with any weights; called twice.
    weights
        By name, as :func:`weights_of` gives them; others are let be.
    path
        The file, named in errors.
    kind
        Of the network, for errors.

    Raises
    ------
    ModelFileError
        If weights are missing or of another shape.
    """
    # Without memory: what the header asks for is made once the file is known to fill it.
    with damage_told(path), torch.device("meta"):
        expected = {name: tuple(value.shape) for name, value in _kept(build()).items()}
    require_tensors(path, kind, weights, expected)
    network = build()
    known = {name: torch.from_numpy(weights[name]) for name in expected}
    network.load_state_dict(known, strict=False)
    return network.eval()


def _kept(network: nn.Module) -> dict[str, torch.Tensor]:
    """All but the whole numbers: how many batches a normalisation has seen is of no use later."""
    state = network.state_dict()
    return {name: value for name, value in state.items() if value.is_floating_point()}
