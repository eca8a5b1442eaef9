"""Recipes, wherever they are kept."""

import json
import shutil

from mutations import mutate_json

from formats.kind import Format
from formats.maps import MapStores
from formats.models import Models, model_bytes


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
        path.write_bytes(model_bytes(json.dumps(table).encode(), content[end:]))
        return path

    def use(self, path):
        (self._stores if path.is_dir() else self._models).use(path)


def _spoil_recipe(holder, random):
    spoilt = mutate_json(json.dumps({"recipe": holder.pop("recipe")}), random)
    try:
        holder.update(json.loads(spoilt))
    except (ValueError, TypeError, RecursionError):  # no JSON: that is the models' and stores' part
        holder["recipe"] = spoilt.decode(errors="replace")[:1000]
