"""What orientations are found with: spots, libraries of templates, and models of spots."""

import numpy as np
import torch

from formats.models import Models
from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.io.tensor_places import HEADER_BYTES
from napari_kikuchi.io.weights import ModelFileError
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.evidence import PARTS
from napari_kikuchi.orientation.matching import Matcher
from napari_kikuchi.orientation.network import SpotArchitecture, SpotTransformer
from napari_kikuchi.orientation.scan_spots import ScanSpots
from napari_kikuchi.orientation.spot_model import SpotModel
from napari_kikuchi.orientation.spot_writer import SpotWriter
from napari_kikuchi.orientation.spots import SpotFileError, Spots
from napari_kikuchi.orientation.template_library import Library
from napari_kikuchi.orientation.templates import kinematical_library
from napari_kikuchi.orientation.verifier import Verifier
from napari_kikuchi.scan import Block


class SpotFiles(Models):
    """Files of the spots of a scan."""

    refusals = (ModelFileError, SpotFileError)

    def make(self, folder):
        detection = Detection(2.0, most=5)
        writer = SpotWriter.open(folder / "weld.spots", (3, 4), detection, {})
        rng = np.random.default_rng(0)
        spots = rng.uniform(1, 50, (1, 3, 4, 5, 3)).astype(np.float32)
        block = Block(slice(0, 3), slice(0, 4))
        writer.confirm(block, writer.spots.write(block, spots))
        finish(writer.finish({"scan": {"name": "weld", "fingerprint": {}}}))

    def seeds(self, folder):
        return [folder / "weld.spots"]

    def spoil(self, seed, place, random):
        if random.random() < 0.7:
            return super().spoil(seed, place, random)
        return _with_other_values(seed, place, HEADER_BYTES, random)

    def use(self, path):
        spots = ScanSpots.open(path)
        rows, cols = spots.shape
        assert spots.rows(0, rows).shape == (rows, cols, spots.most, 3)
        spots.at(rows - 1, cols - 1)
        assert spots.fingerprint is None or dict(spots.fingerprint) is not None


class OrientationModels(Models):
    """Libraries of templates, spot models and verifiers."""

    def make(self, folder):
        copper = Crystal.built_in("cu")
        library = finish(
            kinematical_library(copper, thicknesses=(100.0,), k_max=1.2, step=12.0, fine_step=6.0)
        )
        library.save(folder / "library.safetensors")
        torch.manual_seed(0)
        network = SpotTransformer(SpotArchitecture(16, layers=1, heads=2, hypotheses=3, spots=12))
        SpotModel(network, "cu", 300.0).save(folder / "model.safetensors")
        Verifier().save(folder / "verifier.safetensors")

    def seeds(self, folder):
        return [folder / f"{name}.safetensors" for name in ("library", "model", "verifier")]

    def spoil(self, seed, place, random):
        if random.random() < 0.5:
            return super().spoil(seed, place, random)
        length = int.from_bytes(seed.read_bytes()[:8], "little")
        return _with_other_values(seed, place, 8 + length, random)

    def use(self, path):
        spots = torch.rand(2, 20, 3, generator=torch.Generator().manual_seed(0))
        match path.stem:
            case "library":
                library = Library.load(path)
                found = Matcher(library, hypotheses=2)(Spots(spots.numpy()))
                assert found.rotations.shape == (2, 2, 3, 3)
                assert library.within(0.8).amplitudes.isfinite().all()
            case "model":
                rotations, scores = SpotModel.load(path, device="cpu").propose(spots, frames=2)
                assert rotations.shape == (*scores.shape, 3, 3)
            case _:
                verifier = Verifier.load(path)
                assert verifier(torch.rand(2, 3, 40, PARTS), torch.rand(2, 3)).shape == (2, 4)


def _with_other_values(seed, place, begin, random):
    """What comes behind the header, where most of a file is."""
    content = bytearray(seed.read_bytes())
    for _ in range(random.choice((1, 1, 8))):
        content[random.randrange(begin, len(content))] = random.randrange(256)
    (place / seed.name).write_bytes(content)
    return place / seed.name
