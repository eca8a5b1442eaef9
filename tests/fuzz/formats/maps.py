"""Stores of maps."""

import json
import shutil
from dataclasses import replace

import numpy as np
from mutations import mutate_bytes, mutate_json

from formats.kind import Format, made_scan
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
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.decode import reconstructed_scan
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.latent.maps import advice, encode_scan, preprocessor_of
from napari_kikuchi.maps import Mark, Region
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Block


class MapStores(Format):
    """Stores of maps, finished ones and such as are to be gone on with."""

    refusals = (MapStoreError, ResumeError, FileExistsError)
    _SHAPE = (2, 3, 4)
    _IDENTITY = {"scan": {"name": "weld"}}  # noqa: RUF012

    def make(self, folder):
        scan = made_scan()
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
                    spoil_json(file, random)
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


def spoil_json(file, random):
    text = file.read_text(encoding="utf-8", errors="replace")
    try:
        json.loads(text)
    except (ValueError, RecursionError):  # spoilt already
        file.write_bytes(mutate_bytes(file.read_bytes(), random))
    else:
        file.write_bytes(mutate_json(text, random))
