import pytest

from napari_kikuchi.jobs import Progress, finish


def job(updates):
    for i in range(updates):
        yield Progress(i + 1, updates)
    return "result"


def test_finish_reports_each_update_and_returns_the_result():
    seen = []
    assert finish(job(3), seen.append) == "result"
    assert seen == [Progress(1, 3), Progress(2, 3), Progress(3, 3)]


def test_a_job_without_updates_has_a_result_too():
    assert finish(job(0)) == "result"


def test_an_error_of_the_job_comes_through():
    def failing():
        yield Progress(0, 1)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        finish(failing())
