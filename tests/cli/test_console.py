"""How jobs meet a terminal or a program."""

import json
import os
import signal
import warnings

import pytest
import typer

from napari_kikuchi.cli import samples
from napari_kikuchi.cli.console import Output, errors_told, output_for, report_result, run
from napari_kikuchi.devices import DeviceMemoryError
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.jobs import JobWarning, Progress, finish


def endless():
    while True:
        yield Progress(1, 0, "Looking at [/scan 1]")


def interrupted():
    signal.raise_signal(signal.SIGINT)
    yield from endless()


def test_a_job_that_was_stopped_says_how_to_go_on(capsys):
    with pytest.raises(typer.Exit) as stopped:
        run(interrupted(), Output.PERSON, going_on="Run it again.")
    assert stopped.value.exit_code == 3
    told = capsys.readouterr().err
    assert "Stopped. Run it again." in told
    assert "--resume" not in told


def test_names_in_messages_are_no_markup():
    def job():
        yield Progress(1, 2, "Preparing patterns of weld [/3]")
        return "done"

    assert run(job(), Output.PERSON) == "done"


@pytest.fixture
def window(monkeypatch):
    """Holds the standard input open, as the window does."""
    there, here = os.pipe()
    with os.fdopen(there) as read, os.fdopen(here, "w"):
        monkeypatch.setattr("sys.stdin", read)
        yield


def warning_job():
    yield Progress(1, 2, "Working")
    for _ in range(2):
        warnings.warn("weld [/3]: 2 patterns could not be read", JobWarning, stacklevel=1)
    return "done"


def test_what_a_job_warns_of_is_told_whoever_runs_it(capsys, window):
    assert run(warning_job(), Output.PERSON) == "done"
    told = capsys.readouterr().err
    assert told.count("Warning weld [/3]: 2 patterns could not be read\n") == 2
    assert run(warning_job(), Output.EVENTS) == "done"
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["progress", "warning", "warning"]
    assert events[1]["message"] == "weld [/3]: 2 patterns could not be read"
    assert run(warning_job(), Output.NOBODY) == "done"
    told = capsys.readouterr()
    assert told.out + told.err == ""


def test_what_libraries_warn_of_goes_the_way_it_went_before():
    def job():
        yield Progress(1, 2, "Working")
        warnings.warn("a library's", UserWarning, stacklevel=1)

    with pytest.warns(UserWarning, match="a library's"):
        run(job(), Output.PERSON)


@pytest.mark.parametrize("kind", [FloatingPointError, DeviceMemoryError])
def test_a_loss_that_is_no_number_or_no_memory_is_told_without_a_traceback(capsys, kind):
    with pytest.raises(typer.Exit), errors_told(Output.PERSON):
        raise kind("Lower the learning rate")
    assert "Lower the learning rate" in capsys.readouterr().err


def test_samples_are_encoded_whatever_an_earlier_demo_left(tmp_path):
    left = samples.encode_samples(tmp_path)
    for update in left:
        if update.message == "Encoding patterns" and update.done:
            left.close()
            break
    (manifest,) = tmp_path.glob("*.partial/manifest.json")
    manifest.write_text(json.dumps({"model": "an older one"}))
    made = finish(samples.encode_samples(tmp_path))
    # The simulated scans are known to the encoder, which compares neighbours there.
    assert [len(read_maps(path)) for path in made] == [32 + 4, 32 + 4, 32 + 2, 32 + 2]


def test_a_process_that_helps_another_says_nothing_but_errors(monkeypatch, capsys):
    monkeypatch.setenv("NAPARI_KIKUCHI_HELPERS", "1")
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert output_for(as_json=False) is Output.PERSON
    monkeypatch.setenv("LOCAL_RANK", "1")
    output = output_for(as_json=True)
    before = signal.getsignal(signal.SIGINT)
    asked = []

    def job():
        asked.append(signal.getsignal(signal.SIGINT))
        yield Progress(1, 2, "Working")
        return "done"

    report_result(output, run(job(), output), result="done")
    assert asked == [before]  # Ctrl-C is left as it was: ignored, in such a process
    told = capsys.readouterr()
    assert told.out + told.err == ""
    with pytest.raises(typer.Exit), errors_told(output):
        raise ValueError("no such file")
    assert "no such file" in capsys.readouterr().err
