"""Model files: what is written is read back, and nothing else is taken for a model."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from napari_kikuchi.io import weights
from napari_kikuchi.io.weights import ModelFileError, StoredModel, read_model, write_model
from napari_kikuchi.recipe import Recipe


def stored(**changes):
    mask = np.tri(6, 8, dtype=bool)
    recipe = Recipe(size=(6, 8), background="exact", background_sample=17, mask=mask, seed=5)
    given = {
        "kind": "linear",
        "architecture": {"latent": 2},
        "recipe": recipe,
        "tensors": {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(2, np.float16)},
        "provenance": {"scans": [{"name": "nickel µm"}], "metrics": {"loss": 0.5}},
    }
    return StoredModel(**(given | changes))


def test_a_model_comes_back_as_it_was(tmp_path):
    path = tmp_path / "new folder" / "model.safetensors"
    write_model(path, stored())
    model = read_model(path)
    assert (model.kind, model.architecture) == ("linear", {"latent": 2})
    assert model.provenance == stored().provenance
    assert model.recipe.settings() == stored().recipe.settings()
    np.testing.assert_array_equal(model.recipe.mask, stored().recipe.mask)
    assert set(model.tensors) == {"a", "b"}
    for name, tensor in stored().tensors.items():
        assert model.tensors[name].dtype == tensor.dtype
        np.testing.assert_array_equal(model.tensors[name], tensor)


def test_a_model_kept_in_half_precision_is_the_one_that_is_used():
    kept = stored()
    used = stored(tensors={name: one.astype(np.float32) for name, one in kept.tensors.items()})
    assert kept.digest() == used.digest()
    other = stored(tensors={name: one + 1 for name, one in kept.tensors.items()})
    assert kept.digest() != other.digest()


def test_a_transposed_tensor_is_written_in_its_own_order(tmp_path):
    tensor = np.arange(6, dtype=np.float32).reshape(2, 3).T
    write_model(tmp_path / "m.safetensors", stored(tensors={"a": tensor}))
    np.testing.assert_array_equal(read_model(tmp_path / "m.safetensors").tensors["a"], tensor)


def test_a_model_without_a_mask_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="signal mask"):
        write_model(tmp_path / "m.safetensors", stored(recipe=Recipe()))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_model_and_no_litter(tmp_path):
    path = tmp_path / "m.safetensors"
    write_model(path, stored())
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        write_model(path, stored(provenance={"loss": float("nan")}))
    with pytest.raises(Exception, match=r"dtype|type|supported"):
        write_model(path, stored(tensors={"a": np.array(["text"])}))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.safetensors"):
        read_model(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("content", [b"", b"no safetensors at all", bytes(64)])
def test_a_file_of_another_format_is_refused(tmp_path, content):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"m\.safetensors: expected a model"):
        read_model(path)


def test_a_truncated_model_is_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    write_model(path, stored())
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ModelFileError, match="damaged"):
        read_model(path)


def test_weights_of_another_program_are_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    save_file({"a": np.ones(2, np.float32)}, path)
    with pytest.raises(ModelFileError, match="without its header"):
        read_model(path)


def test_a_newer_format_asks_for_an_update(tmp_path, monkeypatch):
    path = tmp_path / "m.safetensors"
    monkeypatch.setattr(weights, "FORMAT_VERSION", 99)
    write_model(path, stored())
    monkeypatch.undo()
    with pytest.raises(ModelFileError, match=r"format 99.*Update"):
        read_model(path)


def test_a_checkpoint_is_not_a_model(tmp_path):
    path = tmp_path / "c.safetensors"
    weights.write_tensors(path, {"a": np.ones(2, np.float32)}, {"content": "checkpoint"})
    with pytest.raises(ModelFileError, match="expected a model, found a checkpoint"):
        read_model(path)


def test_a_header_without_its_parts_is_damaged(tmp_path):
    path = tmp_path / "m.safetensors"
    header = {"version": 1, "content": "model", "kind": "linear"}
    mask = {"recipe.mask": np.ones((2, 2), bool)}
    save_file(mask, path, metadata={"napari-kikuchi": json.dumps(header)})
    with pytest.raises(
        ModelFileError, match=r"expected the architecture as a JSON object, found None"
    ):
        read_model(path)


def test_whoever_may_read_a_file_made_there_may_read_a_model(tmp_path):
    write_model(tmp_path / "model.safetensors", stored())
    (tmp_path / "plain").touch()
    assert (tmp_path / "model.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_mask_of_another_size_than_the_recipe_is_damage(tmp_path):
    path = tmp_path / "m.safetensors"
    write_model(path, stored(recipe=Recipe(size=(6, 9), mask=np.tri(6, 8, dtype=bool))))
    with pytest.raises(
        ModelFileError, match=r"m\.safetensors: its signal mask.*\(6, 8\).*\(6, 9\)"
    ):
        read_model(path)


def spoilt(path, change):
    """The file with something else in its table of tensors."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    table = json.loads(content[8:end])
    change(table)
    text = json.dumps(table).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[end:])


@pytest.mark.parametrize("length", [0, 2**31, 2**63, 2**64 - 1])
def test_a_header_that_does_not_fit_the_file_is_not_read(tmp_path, length):
    path = tmp_path / "m.safetensors"
    write_model(path, stored())
    path.write_bytes(length.to_bytes(8, "little") + path.read_bytes()[8:])
    with pytest.raises(
        ModelFileError, match=rf"m\.safetensors: .*header that fits.*one of {length} "
    ):
        read_model(path)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"shape": [2**62, 2**62]}, "a side of tensor 'a'"),
        ({"shape": [0, 400, 400, 400]}, "tensor 'a' to fit the file"),
        ({"shape": [1] * 70}, "tensor 'a' to fit the file"),
        ({"shape": [-2, 3]}, "a side of tensor 'a'"),
        ({"dtype": "BF16"}, "tensor 'a' of one of the types"),
        ({"dtype": 3}, "the type of tensor 'a' as text"),
        ({"data_offsets": [0, 10**12]}, "damaged"),
    ],
)
def test_tensors_are_checked_before_room_is_made_for_them(tmp_path, entry, told):
    path = tmp_path / "m.safetensors"
    write_model(path, stored())
    spoilt(path, lambda table: table["a"].update(entry))
    with pytest.raises(ModelFileError, match=told):
        read_model(path)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("kind", ["linear"], "the kind of the model as text"),
        ("version", "1", "the version of the format"),
        ("content", {}, "what the file holds as text"),
        ("recipe", {"size": [10**9, 10**9]}, "a side in the recipe as a whole number from 1 to"),
        ("recipe", {"size": [6, 8], "background": "exact"}, "rescale in the recipe as text"),
        ("provenance", "me", "the provenance as a JSON object"),
    ],
)
def test_a_header_is_of_the_types_it_should_be(tmp_path, name, value, told):
    path = tmp_path / "m.safetensors"
    write_model(path, stored())

    def change(table):
        header = json.loads(table["__metadata__"]["napari-kikuchi"])
        table["__metadata__"]["napari-kikuchi"] = json.dumps({**header, name: value})

    spoilt(path, change)
    with pytest.raises(ModelFileError, match=rf"m\.safetensors: .*{told}"):
        read_model(path)


def test_a_header_may_not_be_nested_without_end(tmp_path):
    path = tmp_path / "m.safetensors"
    write_model(path, stored())
    nested = "[" * 100_000
    spoilt(path, lambda table: table["__metadata__"].update({"napari-kikuchi": nested}))
    with pytest.raises(ModelFileError, match="at most 64 levels"):
        read_model(path)


def test_a_model_whose_mask_is_empty_is_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    write_model(path, stored(recipe=Recipe(size=(6, 8), mask=np.zeros((6, 8), bool))))
    with pytest.raises(ModelFileError, match="its signal mask is empty"):
        read_model(path)
