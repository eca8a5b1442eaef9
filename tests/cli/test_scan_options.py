"""Every command that opens a scan opens it alike."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.cli.flattened import flattened

OF_SCANS = {
    "info": [],
    "encode": ["--linear"],
    "train": ["--out", "model"],
    "maps": [],
    "virtual": [],
    "spots": [],
    "orient": ["--phase", "cu"],
}


@pytest.fixture
def opened(monkeypatch):
    """With what scans are opened; none is."""
    asked = []

    def refuse(path, **options):
        asked.append((path, options))
        raise ValueError("This is as far as it goes.")

    monkeypatch.setattr("napari_kikuchi.io.open_scan", refuse)
    return asked


def run(*arguments, code=1):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result


@pytest.mark.parametrize("command", OF_SCANS)
def test_scans_are_opened_as_is_asked(opened, command):
    taken = ["--shape", "3x4", "--step", "0.5,2", "--scan", "Area 2", "--allow-partial"]
    expected = {"shape": (3, 4), "step": (0.5, 2.0), "scan": "Area 2", "allow_partial": True}
    if command != "orient":  # Of spots, which are found in the patterns as they are.
        taken += ["--crop", "--flip"]
        expected |= {"crop": True, "flip": True}
    told = run(command, "scan.h5", *OF_SCANS[command], *taken).stderr
    assert "as far as it goes" in told
    assert opened == [(Path("scan.h5"), expected)]


@pytest.mark.parametrize("command", OF_SCANS)
def test_what_is_not_asked_is_left_to_the_file(opened, command):
    run(command, "scan.h5", *OF_SCANS[command])
    assert opened == [(Path("scan.h5"), {})]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--shape", "3"], "--shape needs 2 numbers separated by commas, not '3'"),
        (["--shape", "3,4.5"], "--shape needs 2 numbers separated by commas, not '3,4.5'"),
        (["--step", "a,b"], "--step needs 2 numbers separated by commas, not 'a,b'"),
    ],
)
def test_what_is_no_pair_of_numbers_is_named(opened, given, told):
    assert told in run("spots", "scan.h5", *given).stderr
    assert opened == []


def test_help_tells_what_is_done_where_nothing_is_asked(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # so that no line is broken
    lines = run("orient", "--help", code=0).output.splitlines()
    for option, default in {
        "--radius": "found out",
        "--thickness": "100-800; with --kinematical 100",
        "--out": "SCAN.orientations.zarr beside the scan",
        "--workers": "as many as cores",
    }.items():
        (line,) = (line for line in lines if f" {option} " in line.split("<")[0])
        assert f"[default: ({default})]" in line


@dataclass(frozen=True)
class Sizes:
    width: Annotated[int, typer.Option(help="From side to side.")]
    height: Annotated[int, typer.Option(help="From top to bottom.")] = 7


def test_fields_are_options_in_their_place():
    seen = []
    small = typer.Typer()

    @small.command()
    @flattened
    def paint(colour: str, coats: int = 1, *, sizes: Sizes, dry: bool = False) -> None:
        """Paint a wall."""
        seen.append((colour, coats, sizes, dry))

    def ask(*arguments):
        return CliRunner().invoke(small, arguments)

    assert ask("red", "--width", "3").exit_code == 0
    assert ask("blue", "--height", "4", "--coats", "2", "--width", "5", "--dry").exit_code == 0
    assert seen == [("red", 1, Sizes(3, 7), False), ("blue", 2, Sizes(5, 4), True)]
    assert "--width" in ask("red").stderr  # which has no default
    told = ask("--help").output
    places = [told.index(text) for text in ("Paint a wall.", "--coats", "--width", "--dry")]
    assert places == sorted(places)
    assert "From top to bottom." in told


def test_two_options_of_one_name_are_refused():
    def paint(width: int, *, sizes: Sizes) -> None:
        """Paint a wall."""

    with pytest.raises(ValueError, match="width"):
        flattened(paint)
