"""What a file says is bounded and checked before it is acted on."""

import json
import os

import pytest

from napari_kikuchi.untrusted import (
    MOST_BYTES,
    MOST_VALUES,
    integer,
    is_plain_name,
    number,
    own_file,
    parse_json,
    positive,
    read_json,
    same_json,
    shown,
    text,
)


def test_json_is_read_as_it_was_written():
    document = {"a": [1, 2.5, None, True, "µm"], "b": {"c": []}}
    assert parse_json(json.dumps(document)) == document
    assert parse_json(json.dumps(document, ensure_ascii=False).encode()) == document
    assert parse_json("[" * 60 + "]" * 60)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" * 100 + "]" * 100, "at most 64 levels"),
        ("[" * 100_000, "at most 64 levels"),
        ('{"a": 1, "a": 2}', "each name once in JSON, found 'a' twice"),
        (f"[{'1,' * (MOST_VALUES + 1)}1]", f"at most {MOST_VALUES} values"),
        (" " * (MOST_BYTES + 1), f"at most {MOST_BYTES} bytes"),
        ("9" * 5000, "one of 5000 digits"),
        ('"\\ud800"', "text in Unicode"),
        (b"\xff\xfe", "in UTF-8"),
        ("", "expected JSON"),
        ("{", "expected JSON"),
    ],
)
def test_json_that_is_never_written_is_refused(text, told):
    with pytest.raises(ValueError, match=told):
        parse_json(text)


def test_a_file_is_not_read_beyond_its_bounds(tmp_path):
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(ValueError, match=f"at most {MOST_BYTES} bytes of JSON, found"):
        read_json(tmp_path / "large.json")


@pytest.mark.parametrize("name", ["background", "mask of a µ-scan", ".hidden", "a.b"])
def test_plain_names(name):
    assert is_plain_name(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a", "a/b", "/a", "a\\b", "C:", "c:a", "a\0b", "a\n", "...", "x" * 300, 3],
)
def test_names_that_lead_elsewhere_or_that_no_system_has(name):
    assert not is_plain_name(name)


@pytest.mark.parametrize("value", [True, "1", None, [], float("nan"), float("inf"), 10**400])
def test_what_is_no_number(value):
    with pytest.raises(ValueError, match="expected x as a finite number, found"):
        number(value, "x")
    with pytest.raises(ValueError, match="expected x as a whole number from 1 to 5, found"):
        integer(value, "x", 1, 5)


def test_numbers_within_limits():
    assert number(3, "x") == 3.0
    assert integer(5, "x", 1, 5) == 5
    assert positive(1e-3, "x") == 1e-3
    for wrong in (0, 6, 2.0):
        with pytest.raises(ValueError, match=f"found {wrong}"):
            integer(wrong, "x", 1, 5)
    for wrong in (0, -1.5):
        with pytest.raises(ValueError, match="greater than 0"):
            positive(wrong, "x")


def test_text_is_not_without_end():
    assert text("µ" * 4096, "a name") == "µ" * 4096
    with pytest.raises(ValueError, match="a name in at most 4096 characters, found 4097"):
        text("µ" * 4097, "a name")


def test_json_tells_apart_what_python_takes_for_the_same():
    assert same_json({"a": (1,), "b": 2}, {"b": 2, "a": [1]})
    assert not same_json([1], [1.0])
    assert not same_json([1], [True])


def test_errors_show_a_line_at_most():
    for value in ("x" * 10**6, [[1] * 1000] * 1000, {str(i): i for i in range(1000)}, 10**399):
        assert len(shown(value)) < 400
    assert shown("\ud800").encode()


def test_a_file_of_a_folder_is_a_file_within_it(tmp_path):
    (tmp_path / "outside").write_text("secret")
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / "own").write_text("own")
    assert own_file(folder, folder / "own") == folder / "own"
    for absent in ("nothing", "."):
        with pytest.raises(FileNotFoundError, match="expected a file"):
            own_file(folder, folder / absent)
    with pytest.raises(ValueError, match="leads out of its folder"):
        own_file(folder, folder / ".." / "outside")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "zarr.json")
    with pytest.raises(FileNotFoundError, match="expected a file"):
        own_file(tmp_path, tmp_path / "zarr.json")
