"""How fast the published network encodes on a processor, and decodes what maps compare.

    python benchmarks/encoding.py [--latent 32 128] [--patterns 256] [--repeats 7]

Encodes patterns of noise in memory, which cost what real ones do, and decodes their features again:
the map of the reconstruction error needs both. The first line of the table is the network as
everyone calls it: float32, channels first, each operation spread over all cores. The others are
called by one thread for each core, as the maps are: the same network, the same with the channels
last, what this package makes of it, and OpenVINO in float32 if it is installed. All take turns, so
that whatever else the machine does hits them alike; the best turn counts, and the time of the
processor tells what a pattern costs where others use the cores as well. Differences are the largest
from the first line, over its range.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_kikuchi.latent.networks import build_networks
from napari_kikuchi.latent.presets import preset
from napari_kikuchi.latent.vae import Vae, VaeEncoder
from napari_kikuchi.recipe import Recipe

SIZE = (120, 120)
Function = Callable[[np.ndarray], np.ndarray]


@dataclass
class Way:
    """A way to run the networks, and the best that was seen of it."""

    name: str
    encode: Function
    decode: Function
    threads: bool = True
    wall: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)

    def measure(self, what: str, function: Function, values: np.ndarray) -> np.ndarray:
        """Run once, keep the times if they are the best."""
        wall, processor = time.perf_counter(), time.process_time()
        results = in_threads(function, values) if self.threads else function(values)
        taken = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
        for name, seconds in taken.items():
            best = getattr(self, name)
            best[what] = min(seconds / len(values), best.get(what, np.inf))
        return results


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latent", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--patterns", type=int, default=256)
    parser.add_argument("--batch", type=int, default=32, help="of the networks called plainly")
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    patterns = np.random.default_rng(0).uniform(-1, 1, (given.patterns, *SIZE)).astype(np.float32)
    for latent in given.latent:
        show(latent, compare(ways_of(latent, given.batch), patterns, given.repeats))
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, "
          f"{torch.backends.cpu.get_cpu_capability()}; {given.patterns} patterns, "
          f"best of {given.repeats}")  # fmt: skip


def ways_of(latent: int, batch: int) -> list[Way]:
    torch.manual_seed(0)
    architecture = preset(f"published-{latent}")
    encoder, decoder = build_networks(architecture)
    vae = Vae(architecture, np.ones(SIZE, bool)).eval()
    vae.encoder.load_state_dict(encoder.state_dict())
    vae.decoder.load_state_dict(decoder.state_dict())
    ours = VaeEncoder(vae, Recipe(size=SIZE, mask=np.ones(SIZE, bool)))
    plain = plainly(encoder, latent, batch), plainly(decoder, None, batch)
    last = plainly(vae.encoder, latent, batch), plainly(vae.decoder, None, batch)
    ways = [
        Way("plain", *plain, threads=False),
        Way("plain, a thread for each core", *plain),
        Way("channels last, a thread for each core", *last),
        Way("this package", ours.encode, ours.decode),
    ]
    if find_spec("openvino"):
        converted = with_openvino(encoder, SIZE, batch), with_openvino(decoder, (latent,), batch)
        encode, decode = converted
        ways.append(Way("OpenVINO", lambda x: encode(x[:, None])[:, :latent], decode))
    return ways


def plainly(network: nn.Module, latent: int | None, batch: int) -> Function:
    """Encodes with a network as it is, if a number of features is given; else decodes."""

    @torch.inference_mode()
    def run(values: np.ndarray) -> np.ndarray:
        found = []
        for part in torch.from_numpy(values).split(batch):
            if latent is None:
                found.append(network(part)[:, 0])
            else:
                found.append(network(part[:, None])[:, :latent])
        return torch.cat(found).numpy()

    return run


def with_openvino(network: nn.Module, shape: tuple[int, ...], batch: int) -> Function:
    import openvino

    inputs = torch.zeros(batch, *((1, *shape) if len(shape) == 2 else shape))
    model = openvino.convert_model(network.eval(), example_input=inputs)
    options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    # One for each thread that calls it.
    compiled = [openvino.compile_model(model, "CPU", options) for _ in range(os.cpu_count() or 1)]
    free = [model.create_infer_request() for model in compiled]

    def run(values: np.ndarray) -> np.ndarray:
        request = free.pop()
        found = [
            request.infer({0: values[i : i + batch]})[0].copy()
            for i in range(0, len(values), batch)
        ]
        free.append(request)
        # Of a pattern the one channel.
        return np.concatenate(found).reshape(
            len(values), *found[0].shape[-1 - (found[0].ndim == 4) :]
        )

    return run


def in_threads(function: Function, values: np.ndarray) -> np.ndarray:
    """Run a function in a thread for each core, as the maps do."""
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as threads:
        return np.concatenate(list(threads.map(function, np.array_split(values, cores))))


def compare(ways: list[Way], patterns: np.ndarray, repeats: int) -> list[tuple[Way, float, float]]:
    """Each way with its largest differences from the first, of features and of patterns."""
    features, decoded = {}, {}
    for _ in range(repeats):
        for way in ways:
            features[way.name] = way.measure("encode", way.encode, patterns)
            # All decode the same features.
            given = features[ways[0].name]
            decoded[way.name] = way.measure("decode", way.decode, given)
    return [
        (way, *(difference(f[way.name], f[ways[0].name]) for f in (features, decoded)))
        for way in ways
    ]


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.ptp(expected))


def show(latent: int, measured: list[tuple[Way, float, float]]) -> None:
    first = measured[0][0]
    columns = f"{'patterns/s':>11}{'ratio':>7}{'core ms':>9}{'ratio':>7}{'differs':>9}  "
    print(f"\n{f'published-{latent}':<38}{'encode':>{len(columns) - 2}}  "
          f"{'encode and decode':>{len(columns) - 2}}")  # fmt: skip
    print(f"{'':<38}{columns}{columns}")
    for way, *differences in measured:
        print(f"{way.name:<38}", end="")
        for whats, largest in zip((["encode"], ["encode", "decode"]), differences, strict=True):
            wall, reference, core, core_reference = (
                sum(times[what] for what in whats)
                for times in (way.wall, first.wall, way.processor, first.processor)
            )
            print(f"{1 / wall:>11,.0f}{reference / wall:>7.2f}{core * 1e3:>9.2f}"
                  f"{core_reference / core:>7.2f}{largest:>9.0e}", end="  ")  # fmt: skip
        print()


if __name__ == "__main__":
    main()
