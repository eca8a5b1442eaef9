"""Encoders."""

import json

import numpy as np
import torch
from mutations import mutate_bytes, mutate_json

from formats.kind import Format, made_scan
from napari_kikuchi.io.weights import ModelFileError
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.latent.presets import Architecture
from napari_kikuchi.latent.vae import Vae, VaeEncoder
from napari_kikuchi.recipe import Recipe


class Models(Format):
    """Encoders, and the recipes that they carry."""

    refusals = (ModelFileError,)

    def make(self, folder):
        finish(fit_linear([made_scan()], Recipe(size=(12, 12)), latent=3)).save(
            folder / "linear.safetensors"
        )
        mask = np.ones((60, 60), bool)
        recipe = Recipe(mask=mask, full_scale=0.5)
        torch.manual_seed(0)
        for design in ("quick", "principal"):
            vae = Vae(Architecture(design, 2), mask).eval()
            VaeEncoder(vae, recipe).save(folder / f"{design}.safetensors")

    def seeds(self, folder):
        # The one that takes least time most often.
        linear = folder / "linear.safetensors"
        return [*[linear] * 6, folder / "quick.safetensors", folder / "principal.safetensors"]

    def spoil(self, seed, place, random):
        content = seed.read_bytes()
        length = int.from_bytes(content[:8], "little")
        table, values = content[8 : 8 + length], content[8 + length :]
        match random.randrange(10):
            case 0 | 1:
                content = mutate_bytes(content, random)
            case 2:
                false = random.choice(
                    (0, 1, length - 1, length + 1, 2**31, 2**62, 2**63, 2**64 - 1)
                )
                content = false.to_bytes(8, "little") + content[8:]
            case 3 | 4 | 5:
                content = model_bytes(mutate_json(table.decode(), random), values)
            case _:
                found = json.loads(table)
                metadata = found["__metadata__"]
                ours = mutate_json(metadata["napari-kikuchi"], random)
                metadata["napari-kikuchi"] = ours.decode(errors="replace")
                content = model_bytes(json.dumps(found).encode(), values)
        path = place / seed.name
        path.write_bytes(content)
        return path

    def use(self, path):
        encoder = load_encoder(path, device="cpu")
        features = encoder.encode(np.zeros((2, *encoder.recipe.size), np.float32))
        assert features.shape == (2, encoder.latent)
        assert encoder.decode(features).shape == (2, *encoder.recipe.size)


def model_bytes(table, values):
    return len(table).to_bytes(8, "little") + table + values
