"""The training loop on a small model whose solution is known."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from napari_kikuchi.devices import DeviceMemoryError
from napari_kikuchi.io.output import OutputInUseError
from napari_kikuchi.io.weights import ModelFileError
from napari_kikuchi.jobs import finish
from napari_kikuchi.training import (
    TrainingData,
    TrainingSettings,
    TrainingUpdate,
    check_folder,
    loop,
    train,
)
from napari_kikuchi.training.checkpoint import write_checkpoint
from regression import (
    TRUTH,
    RegressionTask,
    assert_same_files,
    files,
    settings,
    stop_after,
)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return TrainingData(
        rng.normal(size=(70, 3)).astype(np.float16), rng.normal(size=(20, 3)).astype(np.float32)
    )


def test_training_finds_the_solution(data, tmp_path):
    model = finish(train(RegressionTask(noise=0), data, settings(epochs=80), tmp_path))
    assert model == tmp_path / "model.safetensors"
    np.testing.assert_allclose(load_file(model)["weight"], TRUTH, atol=0.02)


def test_updates_tell_how_the_training_goes(data, tmp_path):
    updates = []
    finish(train(RegressionTask(), data, settings(), tmp_path), updates.append)
    updates = [update for update in updates if isinstance(update, TrainingUpdate)]
    # 70 patterns are 4 batches of 16: 5 epochs of 4 steps, a validation after each.
    validations = [update for update in updates if update.validation_loss is not None]
    assert [update.step for update in validations] == [4, 8, 12, 16, 20]
    assert [update.epoch for update in validations] == [1, 2, 3, 4, 5]
    assert len(updates) == 20 + 5
    assert all(update.epochs == 5 and update.total == 1000 for update in updates)
    assert validations[-1].done == 1000
    assert validations[0].best
    losses = [update.validation_loss for update in validations]
    assert [update.best for update in validations] == [
        loss == min(losses[: i + 1]) for i, loss in enumerate(losses)
    ]
    assert validations[0].metrics["parts"] == 2
    assert all(update.patterns_per_second > 0 for update in updates)


def test_train_loss_is_the_mean_since_the_last_validation(data, tmp_path):
    updates = []
    finish(train(RegressionTask(), data, settings(), tmp_path), updates.append)
    updates = [update for update in updates if isinstance(update, TrainingUpdate)]
    by_step = {}
    for update in updates:
        if update.validation_loss is None:
            by_step[update.step] = update.train_loss
    # Means of 1, 2 and 3 losses; the fourth completes the epoch.
    second = 2 * by_step[2] - by_step[1]
    third = 3 * by_step[3] - 2 * by_step[2]
    fourth = 4 * by_step[4] - 3 * by_step[3]
    validation = next(update for update in updates if update.validation_loss is not None)
    assert validation.train_loss == pytest.approx(np.mean([by_step[1], second, third, fourth]))
    assert by_step[5] != pytest.approx(validation.train_loss)


def test_log_has_a_line_for_every_validation(data, tmp_path):
    finish(train(RegressionTask(), data, settings(), tmp_path))
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [4, 8, 12, 16, 20]
    assert lines[0]["validation"]["parts"] == 2
    assert lines[0]["best"]
    assert lines[-1]["train_loss"] < lines[0]["train_loss"]


def test_the_model_kept_is_the_best_one(data, tmp_path):
    class Worsening(RegressionTask):
        def validate(self, batches):
            metrics = yield from super().validate(batches)
            return metrics | {"loss": [3.0, 1.0, 2.0, 1.0, 5.0][len(self.seen) - 1]}

        @property
        def seen(self):
            self.count = getattr(self, "count", 0) + 1
            return range(self.count)

    task = Worsening()
    finish(train(task, data, settings(), tmp_path))
    assert [metrics["step"] for metrics in task.saved] == [4, 8]


@pytest.mark.parametrize("steps", [1, 4, 7, 13])
def test_a_resumed_training_ends_bit_for_bit_where_an_uninterrupted_one_ends(data, tmp_path, steps):
    finish(train(RegressionTask(), data, settings(), tmp_path / "whole"))
    stop_after(train(RegressionTask(), data, settings(), tmp_path / "parts"), steps)
    finish(train(RegressionTask(), data, settings(), tmp_path / "parts", resume=True))
    assert_same_files(tmp_path / "whole", tmp_path / "parts")


def test_a_training_stopped_while_validating_validates_again(data, tmp_path):
    finish(train(RegressionTask(), data, settings(), tmp_path / "whole"))
    job = train(RegressionTask(), data, settings(), tmp_path / "parts")
    for update in job:
        if update.message == "Validating":
            job.close()
            break
    finish(train(RegressionTask(), data, settings(), tmp_path / "parts", resume=True))
    assert_same_files(tmp_path / "whole", tmp_path / "parts")
    logs = [tmp_path / part / "log.jsonl" for part in ("whole", "parts")]
    steps = [[json.loads(line)["step"] for line in log.read_text().splitlines()] for log in logs]
    assert steps[0] == steps[1]


def test_a_training_killed_at_any_moment_goes_on_as_if_it_never_was(data, tmp_path, monkeypatch):
    whole, killed = tmp_path / "whole", []

    def kill():
        killed.append(tmp_path / f"killed-{len(killed)}")
        shutil.copytree(whole, killed[-1])

    def write(*arguments):
        kill()
        write_checkpoint(*arguments)
        kill()

    monkeypatch.setattr(loop, "write_checkpoint", write)
    for _ in train(RegressionTask(), data, settings(epochs=3), whole):
        kill()
    monkeypatch.undo()
    assert len(killed) > 20
    lines = log_of(whole)
    assert [line["step"] for line in lines] == [4, 8, 12]
    for folder in killed[1:]:  # The first has nothing yet to go on from.
        finish(train(RegressionTask(), data, settings(epochs=3), folder, resume=True))
        assert_same_files(whole, folder)
        assert log_of(folder) == lines


def test_a_line_of_the_log_that_a_crash_cut_short_is_written_again(data, tmp_path):
    finish(train(RegressionTask(), data, settings(epochs=2), tmp_path))
    with (tmp_path / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"epoch": 3, "st')
    finish(train(RegressionTask(), data, settings(epochs=3), tmp_path, resume=True))
    assert [line["step"] for line in log_of(tmp_path)] == [4, 8, 12]


def log_of(folder):
    """The lines of a log, without what tells the time."""
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [
        {k: value for k, value in line.items() if k not in ("seconds", "patterns_per_second")}
        for line in lines
    ]


def test_another_seed_takes_another_way(data, tmp_path):
    finish(train(RegressionTask(), data, settings(), tmp_path / "0"))
    finish(train(RegressionTask(), data, settings(seed=1), tmp_path / "1"))
    first, second = (load_file(tmp_path / name / "model.safetensors") for name in "01")
    assert not np.array_equal(first["weight"], second["weight"])


def test_a_stop_before_the_first_validation_leaves_a_model(data, tmp_path):
    stop_after(train(RegressionTask(), data, settings(), tmp_path), 1)
    assert {path.name for path in tmp_path.iterdir()} == {
        "model.safetensors",
        "checkpoint.safetensors",
    }


def test_a_stop_keeps_the_best_model_and_not_the_last(data, tmp_path):
    task = RegressionTask()
    stop_after(train(task, data, settings(), tmp_path), 6)
    assert [metrics["step"] for metrics in task.saved] == [4]
    kept = load_file(tmp_path / "model.safetensors")["weight"]
    assert not np.array_equal(kept, task.module.linear.weight.detach().numpy())


def test_a_finished_training_resumed_is_finished_at_once(data, tmp_path):
    finish(train(RegressionTask(), data, settings(), tmp_path))
    updates = []
    finish(train(RegressionTask(), data, settings(), tmp_path, resume=True), updates.append)
    assert updates == []


def test_more_epochs_go_on_from_a_finished_training(data, tmp_path):
    finish(train(RegressionTask(), data, settings(epochs=2), tmp_path))
    updates = []
    job = train(RegressionTask(), data, settings(epochs=3), tmp_path, resume=True)
    finish(job, updates.append)
    steps = [update.step for update in updates if isinstance(update, TrainingUpdate)]
    assert (steps[0], steps[-1]) == (9, 12)


def test_minutes_end_a_training_over_all_its_sessions(data, tmp_path, monkeypatch):
    clock = iter(np.arange(0, 1e6, 2.5))  # A step or a validation takes 2.5 s.
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    timed = settings(epochs=None, minutes=0.5)
    stop_after(train(RegressionTask(), data, timed, tmp_path), 3)
    updates = []
    finish(train(RegressionTask(), data, timed, tmp_path, resume=True), updates.append)
    last = [update for update in updates if isinstance(update, TrainingUpdate)][-1]
    # 30 s are ten steps and two validations; another one closes the training.
    assert (last.step, last.epochs) == (10, None)
    assert last.validation_loss is not None


def test_a_trained_model_is_validated_before_it_is_changed(data, tmp_path):
    task = RegressionTask()
    task.module.linear.weight.data = TRUTH.clone()
    finish(train(task, data, settings(), tmp_path, validate_first=True))
    assert task.saved[0]["step"] == 0


def test_learning_rate_rises_and_then_falls_to_nothing(data, tmp_path, monkeypatch):
    rates = []

    def remember(self, closure=None):
        rates.append(self.param_groups[0]["lr"])

    monkeypatch.setattr(torch.optim.Adam, "step", remember)
    finish(train(RegressionTask(), data, settings(), tmp_path))
    half_cosine = 0.05 * 0.5 * (1 + np.cos(np.pi * np.arange(20) / 20))
    expected = half_cosine * np.minimum(1, np.arange(1, 21) / 3)
    np.testing.assert_allclose(rates, expected)


def test_gradients_are_clipped(data, tmp_path, monkeypatch):
    norms = []

    def remember(self, closure=None):
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        norms.append(float(torch.cat([g.flatten() for g in gradients]).norm()))

    monkeypatch.setattr(torch.optim.Adam, "step", remember)
    finish(train(RegressionTask(), data, settings(clip=0.01), tmp_path))
    assert max(norms) == pytest.approx(0.01, rel=1e-3)


def test_threads_are_set_and_given_back(data, tmp_path):
    before = torch.get_num_threads()
    job = train(RegressionTask(), data, settings(threads=before + 1), tmp_path)
    next(job)
    assert torch.get_num_threads() == before + 1
    job.close()
    assert torch.get_num_threads() == before


def test_a_folder_with_a_training_is_not_overwritten(data, tmp_path):
    stop_after(train(RegressionTask(), data, settings(), tmp_path), 2)
    with pytest.raises(FileExistsError, match=r"holds a training already.*Resume it"):
        finish(train(RegressionTask(), data, settings(), tmp_path))
    with pytest.raises(FileExistsError):
        check_folder(tmp_path, resume=False)


def test_two_trainings_in_one_folder_refuse_each_other(data, tmp_path):
    first = train(RegressionTask(), data, settings(), tmp_path)
    next(first)
    with pytest.raises(OutputInUseError, match="another job is writing this"):
        finish(train(RegressionTask(), data, settings(), tmp_path, resume=True))
    finish(first)
    finish(train(RegressionTask(), data, settings(), tmp_path, resume=True))


def test_nothing_to_resume_is_an_error(data, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint\.safetensors to resume from"):
        finish(train(RegressionTask(), data, settings(), tmp_path / "new", resume=True))


def test_a_checkpoint_of_another_training_says_what_differs(data, tmp_path):
    stop_after(train(RegressionTask(), data, settings(), tmp_path), 2)
    other = settings(batch=8, seed=0)
    with pytest.raises(ValueError, match="batch was 16, is 8") as error:
        finish(train(RegressionTask(name="other"), data, other, tmp_path, resume=True))
    assert "task was 'regression', is 'other'" in str(error.value)
    assert "seed was" not in str(error.value)
    assert "truth was" not in str(error.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"moments/0/exp_avg"', b'"moments/9/exp_avg"'),
        (b'"moments/0/exp_avg"', b'"moments/x/exp_avg"'),
        (b'"shape":[1,3]', b'"shape":[3,1]'),
        (b'\\"step\\": 2', b'\\"step\\":-2'),
        (b'\\"metrics\\": {', b'\\"metricx\\": {'),
    ],
)
def test_a_checkpoint_that_someone_has_changed_is_refused(data, tmp_path, old, new):
    stop_after(train(RegressionTask(), data, settings(), tmp_path), 2)
    file = tmp_path / "checkpoint.safetensors"
    content = file.read_bytes()
    assert old in content
    file.write_bytes(content.replace(old, new))
    with pytest.raises(ModelFileError, match=r"checkpoint\.safetensors: .*found"):
        finish(train(RegressionTask(), data, settings(), tmp_path, resume=True))


def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoint(data, tmp_path):
    task = RegressionTask()
    job = train(task, data, settings(), tmp_path)
    for update in job:
        if isinstance(update, TrainingUpdate) and update.step == 5:
            task.module.linear.weight.data[:] = np.nan
            break
    with pytest.raises(
        FloatingPointError, match=r"step 6 the loss became nan.*Lower the learning rate"
    ):
        next(job)
    assert all(np.isfinite(tensor).all() for tensor in files(tmp_path).values())


def test_a_device_without_memory_ends_a_training_that_can_be_resumed(data, tmp_path, monkeypatch):
    finish(train(RegressionTask(), data, settings(), tmp_path / "whole"))
    task, short = RegressionTask(), tmp_path / "short"
    solve, calls = task.module.linear.forward, []

    def crowded(x):
        calls.append(len(x))
        if len(calls) == 11:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return solve(x)

    monkeypatch.setattr(task.module.linear, "forward", crowded)
    with pytest.raises(DeviceMemoryError, match=r"train with 16 patterns .*short keeps the best"):
        finish(train(task, data, settings(), short))
    finish(train(RegressionTask(), data, settings(), short, resume=True))
    assert_same_files(tmp_path / "whole", short)


def test_a_validation_loss_that_is_no_number_stops_and_keeps_the_best_model(data, tmp_path):
    class Diverging(RegressionTask):
        def validate(self, batches):
            metrics = yield from super().validate(batches)
            return metrics if len(self.saved) < 2 else {**metrics, "loss": np.inf}

    with pytest.raises(FloatingPointError, match="the validation loss became inf"):
        finish(train(Diverging(), data, settings(), tmp_path))
    assert all(np.isfinite(tensor).all() for tensor in files(tmp_path).values())


def test_no_patterns_are_an_error(data, tmp_path):
    empty = TrainingData(data.train, data.validation[:0])
    with pytest.raises(ValueError, match="70 patterns to learn from and 0 to validate on"):
        finish(train(RegressionTask(), empty, settings(), tmp_path))


def test_a_training_without_end_is_refused():
    with pytest.raises(ValueError, match="epochs, minutes, or both"):
        TrainingSettings(epochs=None)
    with pytest.raises(ValueError, match="batch must be more than 0, not 0"):
        TrainingSettings(batch=0)


def test_an_absent_device_is_named(data, tmp_path):
    with pytest.raises(ValueError, match=r"device 'tpu' is not available.*cpu or auto"):
        finish(train(RegressionTask(), data, settings(device="tpu"), tmp_path))
