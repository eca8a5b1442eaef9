"""What is opened: files as this package writes them, ways to spoil them, and their basic use."""

import json
import shutil
from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import torch
from mutations import EXTREMES, mutate_bytes, mutate_json

from napari_kikuchi.io import PatternFileError, open_scan, write_scan
from napari_kikuchi.io.journal import ResumeError
from napari_kikuchi.io.map_marks import update_mark
from napari_kikuchi.io.map_store import (
    MapStoreError,
    is_map_store,
    read_maps,
    read_provenance,
    update_regions,
)
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.io.tensor_places import HEADER_BYTES
from napari_kikuchi.io.up2 import LONG_HEADER, SHORT_HEADER
from napari_kikuchi.io.weights import ModelFileError
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.decode import reconstructed_scan
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.latent.maps import advice, encode_scan, preprocessor_of
from napari_kikuchi.latent.presets import Architecture
from napari_kikuchi.latent.vae import Vae, VaeEncoder
from napari_kikuchi.maps import Mark, Region
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.scan_spots import ScanSpots
from napari_kikuchi.orientation.spot_writer import SpotWriter
from napari_kikuchi.orientation.spots import SpotFileError
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Block, Scan


class Format(ABC):
    """A kind of file that others may have written.

    Attributes
    ----------
    refusals
        Errors with which it may be refused.
    """

    refusals: tuple[type[Exception], ...] = ()

    @abstractmethod
    def make(self, folder: Path) -> None:
        """Write valid files of the kind into a folder, each a seed for others."""

    @abstractmethod
    def seeds(self, folder: Path) -> list[Path]:
        """Those files, each as often as it is to be chosen."""

    @abstractmethod
    def spoil(self, seed: Path, place: Path, random: Random) -> Path:
        """Write one of the seeds to a place, with something wrong about it."""

    @abstractmethod
    def use(self, path: Path) -> None:
        """Open it, and do with it what is done with every such file."""


def _scan(rows=4, cols=5, size=(60, 60), dtype=np.uint16):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: size[0], : size[1]]
    strength = rng.normal(size=(rows, cols, 1, 1)) * 30
    patterns = 120 + strength * np.cos(0.3 * x + 0.1 * y) + rng.normal(size=(rows, cols, *size))
    return Scan(ArraySource(patterns.clip(0, 255).astype(dtype)), step=(0.5, 0.25), name="weld")


class PatternFiles(Format):
    """UP1 and UP2, some with an ``.ang`` file beside."""

    refusals = (PatternFileError,)

    def make(self, folder):
        for name, dtype in (("a.up1", np.uint8), ("b.up2", np.uint16)):
            finish(write_scan(folder / name, _scan(size=(8, 9), dtype=dtype)))
        patterns = (folder / "b.up2").read_bytes()[LONG_HEADER.size :]
        version_1 = SHORT_HEADER.pack(1, 9, 8, 16) + patterns
        (folder / "c.up2").write_bytes(version_1)
        (folder / "c.ang").write_text(
            "# x-star 0.5\n# y-star 0.7\n# z-star 0.6\n# GRID: SqrGrid\n# XSTEP: 0.25\n"
            "# YSTEP: 0.5\n# NCOLS_ODD: 5\n# NCOLS_EVEN: 5\n# NROWS: 4\n# \n 0.1 0.2 0.3 1 2\n"
        )
        hexagonal = LONG_HEADER.pack(3, 9, 8, LONG_HEADER.size, 0, 5, 4, 1, 0.25, 0.5)
        (folder / "d.up2").write_bytes(hexagonal + patterns[: 18 * 144])

    def spoil(self, seed, place, random):
        for file in seed.parent.glob(f"{seed.stem}.*"):
            content = file.read_bytes()
            if file.suffix == ".ang":
                content = _spoiled_ang(content, random)
            elif random.random() < 0.5:
                content = _spoiled_header(content, random)
            else:
                content = mutate_bytes(content, random)
            (place / file.name).write_bytes(content)
        return place / seed.name

    def use(self, path):
        refusal = None
        for allow_partial in (True, False):
            try:
                scan = open_scan(path, allow_partial=allow_partial)
            except PatternFileError as error:
                refusal = error
                continue
            rows, cols = scan.map_shape
            assert scan.read(rows // 2, cols - 1).shape == scan.pattern_shape
            scan.read_positions(scan.draw(4))
            scan.fingerprint()
            next(scan.blocks())
            assert scan.patterns.shape == scan.shape
        if refusal is not None:
            raise refusal

    def seeds(self, folder):
        return sorted(folder.glob("*.up?"))


def _spoiled_header(content, random):
    """A field of the header at its limits."""
    version = int.from_bytes(content[:4], "little")
    header = SHORT_HEADER if version == 1 else LONG_HEADER
    fields = list(header.unpack_from(content))
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randrange(len(fields))
        wide = at not in (4, 7, 8, 9)
        fields[at] = random.choice(EXTREMES if wide else (0, 1, 255))
        if at > 7:
            fields[at] = random.choice((0.0, -1.0, 1e-320, 1e308, float("nan"), float("inf")))
    return header.pack(*fields) + content[header.size :]


def _spoiled_ang(content, random):
    if random.random() < 0.3:
        return mutate_bytes(content, random)
    lines = content.split(b"\n")
    at = random.randrange(len(lines))
    value = random.choice((b"-1", b"0", b"1e9", b"1000000000", b"9" * 5000, b"nan", b"x" * 10**6))
    lines[at] = lines[at].rpartition(b" ")[0] + b" " + value
    return b"\n".join(lines)


class MapStores(Format):
    """Stores of maps, finished ones and such as are to be gone on with."""

    refusals = (MapStoreError, ResumeError, FileExistsError)
    _SHAPE = (2, 3, 4)
    _IDENTITY = {"scan": {"name": "weld"}}  # noqa: RUF012

    def make(self, folder):
        scan = _scan()
        encoder = finish(fit_linear([scan], Recipe(size=(12, 12)), latent=3))
        encoder.save(folder / "model.safetensors")
        path = folder / "maps.zarr"
        finish(encode_scan(scan, encoder, path, model=folder / "model.safetensors"))
        stack = read_maps(path)
        regions = [
            Region("weld", "polygon", ((0.0, 1.5), (2.0, 3.0), (4.0, 0.5))),
            Region("line", "line", ((0.0, 1.5), (2.0, 3.0))),
        ]
        update_regions(path, regions)
        update_mark(path, 0, _starred(stack.channels[0]))
        writer = MapWriter.open(folder / "begun.zarr", self._SHAPE, self._IDENTITY)
        block = Block(slice(0, 2), slice(0, 4))
        writer.confirm(block, writer.maps.write(block, np.ones((2, 2, 4))))

    def seeds(self, folder):
        return [folder / "maps.zarr", folder / "begun.zarr.partial"]

    def spoil(self, seed, place, random):
        target = place / seed.name
        shutil.copytree(seed, target)
        files = sorted(file for file in target.rglob("*") if file.is_file())
        for _ in range(random.choice((1, 1, 1, 2))):
            file = random.choice(files)
            if random.random() < 0.5:  # the one that says most
                file = target / ("zarr.json" if seed.suffix == ".zarr" else "manifest.json")
            match random.randrange(12):
                case 0:
                    file.unlink(missing_ok=True)
                case 1:
                    other = random.choice(files)
                    if other.exists():
                        file.write_bytes(other.read_bytes())
                case _ if file.exists() and file.suffix in (".json", ".jsonl"):
                    _spoil_json(file, random)
                case _ if file.exists():
                    file.write_bytes(mutate_bytes(file.read_bytes(), random))
        return target

    def use(self, path):
        if path.suffix == ".partial":
            self._go_on(path.with_suffix(""))
        else:
            self._look_at(path)

    def _go_on(self, path):
        writer = MapWriter.open(path, self._SHAPE, self._IDENTITY)
        for rows in (slice(0, 2), slice(2, 3)):
            block = Block(rows, slice(0, 4))
            if not writer.is_done(block):
                values = np.ones((2, *block.shape))
                writer.confirm(block, writer.maps.write(block, values))

    def _look_at(self, path):
        is_map_store(path)
        read_provenance(path)
        stack = read_maps(path)
        for index in (0, len(stack) - 1):
            assert stack.map(index).shape == stack.map_shape
        stack.ranking(), stack.shown_first(), advice(stack)
        preprocessor = preprocessor_of(stack)
        if preprocessor is not None:
            preprocessor(np.ones((2, 60, 60), np.uint16))
        update_mark(path, 0, _starred(stack.channels[0]))
        update_regions(path, stack.regions)
        read_maps(path)
        model = (stack.provenance.get("model") or {}).get("path")
        if model == str(_model_beside(path)):
            reconstructed_scan(path, load_encoder(model, device="cpu")).read(0, 0)


def _starred(channel):
    return replace(channel, mark=Mark.STARRED)


def _model_beside(path):
    return path.parent.parent / "seeds" / "model.safetensors"


def _spoil_json(file, random):
    text = file.read_text(encoding="utf-8", errors="replace")
    try:
        json.loads(text)
    except (ValueError, RecursionError):  # spoilt already
        file.write_bytes(mutate_bytes(file.read_bytes(), random))
    else:
        file.write_bytes(mutate_json(text, random))


class Models(Format):
    """Encoders, and the recipes that they carry."""

    refusals = (ModelFileError,)

    def make(self, folder):
        finish(fit_linear([_scan()], Recipe(size=(12, 12)), latent=3)).save(
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
                content = _model(mutate_json(table.decode(), random), values)
            case _:
                found = json.loads(table)
                metadata = found["__metadata__"]
                ours = mutate_json(metadata["napari-kikuchi"], random)
                metadata["napari-kikuchi"] = ours.decode(errors="replace")
                content = _model(json.dumps(found).encode(), values)
        path = place / seed.name
        path.write_bytes(content)
        return path

    def use(self, path):
        encoder = load_encoder(path, device="cpu")
        features = encoder.encode(np.zeros((2, *encoder.recipe.size), np.float32))
        assert features.shape == (2, encoder.latent)
        assert encoder.decode(features).shape == (2, *encoder.recipe.size)


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
        # What comes behind the header, where most of a file is.
        content = bytearray(seed.read_bytes())
        for _ in range(random.choice((1, 1, 8))):
            content[random.randrange(HEADER_BYTES, len(content))] = random.randrange(256)
        (place / seed.name).write_bytes(content)
        return place / seed.name

    def use(self, path):
        spots = ScanSpots.open(path)
        rows, cols = spots.shape
        assert spots.rows(0, rows).shape == (rows, cols, spots.most, 3)
        spots.at(rows - 1, cols - 1)
        assert spots.fingerprint is None or dict(spots.fingerprint) is not None


def _model(table, values):
    return len(table).to_bytes(8, "little") + table + values


class Recipes(Format):
    """Recipes: in the header of a model, and in the provenance of maps."""

    refusals = (*Models.refusals, *MapStores.refusals)
    _models, _stores = Models(), MapStores()

    def make(self, folder):
        self._models.make(folder)
        self._stores.make(folder)

    def seeds(self, folder):
        return [folder / "linear.safetensors", folder / "maps.zarr"]

    def spoil(self, seed, place, random):
        path = place / seed.name
        if seed.is_dir():
            shutil.copytree(seed, path)
            document = json.loads((path / "zarr.json").read_text())
            _spoil_recipe(document["attributes"]["napari-kikuchi"]["provenance"], random)
            (path / "zarr.json").write_text(json.dumps(document))
            return path
        content = seed.read_bytes()
        end = 8 + int.from_bytes(content[:8], "little")
        table = json.loads(content[8:end])
        header = json.loads(table["__metadata__"]["napari-kikuchi"])
        _spoil_recipe(header, random)
        table["__metadata__"]["napari-kikuchi"] = json.dumps(header)
        path.write_bytes(_model(json.dumps(table).encode(), content[end:]))
        return path

    def use(self, path):
        (self._stores if path.is_dir() else self._models).use(path)


def _spoil_recipe(holder, random):
    spoilt = mutate_json(json.dumps({"recipe": holder.pop("recipe")}), random)
    try:
        holder.update(json.loads(spoilt))
    except (ValueError, TypeError, RecursionError):  # no JSON: that is the models' and stores' part
        holder["recipe"] = spoilt.decode(errors="replace")[:1000]


FORMATS = {
    "up2": PatternFiles(),
    "maps": MapStores(),
    "models": Models(),
    "recipes": Recipes(),
    "spots": SpotFiles(),
}
