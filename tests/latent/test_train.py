"""Training a variational autoencoder from scans: what it learns, leaves and can go on from."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from damaged import damaged
from napari_kikuchi.jobs import JobWarning, finish
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.latent.sample import draw_sample
from napari_kikuchi.latent.train import LIVE_FILE, VaeTraining, train_vae
from napari_kikuchi.recipe import Recipe, RecipeMismatchError
from napari_kikuchi.scan import Block
from napari_kikuchi.training import TrainingSettings, TrainingUpdate
from regression import stop_after

WATCH = Block(slice(1, 4), slice(2, 7))


def settings(epochs=2, seed=0, **changes):
    training = TrainingSettings(
        epochs=epochs, batch=16, warm_up=5, seed=seed, device="cpu", validate_every=2
    )
    return VaeTraining(**({"preset": "quick-16", "training": training} | changes))


@pytest.fixture(scope="module")
def scan(make_scan):
    return make_scan(rows=8, cols=9, size=(60, 60), noise=2)


@pytest.fixture(scope="module")
def trained(scan, tmp_path_factory):
    """A finished training of 8 epochs, its folder and its updates."""
    folder = tmp_path_factory.mktemp("trained")
    updates = []
    finish(train_vae([scan], None, settings(8), folder, watch=WATCH), updates.append)
    return folder, [update for update in updates if isinstance(update, TrainingUpdate)]


def test_training_lowers_the_loss_and_reports_active_features(trained):
    _, updates = trained
    validations = [update for update in updates if update.validation_loss is not None]
    assert validations[-1].validation_loss < validations[0].validation_loss - 0.1
    metrics = validations[-1].metrics
    assert set(metrics) == {"loss", "residual", "kl", "active_features", "latent"}
    assert metrics["residual"] < validations[0].metrics["residual"]
    assert metrics["latent"] == 16


def test_active_features_are_those_whose_means_vary(trained, scan):
    folder, updates = trained
    encoder = load_encoder(folder / "model.safetensors", device="cpu")
    best = [update for update in updates if update.best][-1]
    # Seven patterns are held out: the first of the seed's permutation of all 72.
    patterns = finish(draw_sample([scan], encoder.recipe, 72, dtype=np.float16)).patterns
    held_out = patterns[np.random.default_rng(0).permutation(72)[:7]]
    variances = encoder.encode(held_out).var(axis=0)
    assert best.metrics["active_features"] == (variances > 0.05).sum()


def test_the_model_tells_where_it_comes_from(trained, scan):
    folder, updates = trained
    told = load_encoder(folder / "model.safetensors", device="cpu").provenance
    assert told["scans"] == [{"name": "stripes", "fingerprint": scan.fingerprint(), "patterns": 72}]
    assert told["settings"]["preset"] == "quick-16"
    assert told["settings"]["likelihood"] == "calibrated"
    assert told["settings"]["training"]["batch"] == 16
    best = [update for update in updates if update.best][-1]
    assert told["metrics"] == {**best.metrics, "step": best.step}
    assert {"version", "date"} <= told.keys()


def test_the_watched_region_is_mapped_by_the_last_model(trained, scan):
    folder, updates = trained
    live = np.load(folder / LIVE_FILE)
    assert live.shape == (16, 3, 5)
    assert np.isfinite(live).all()
    assert updates[-1].best
    encoder = load_encoder(folder / "model.safetensors", device="cpu")
    positions = [(row, col) for row in range(1, 4) for col in range(2, 7)]
    prepared = finish(draw_sample([scan], encoder.recipe, 72)).patterns
    expected = encoder.encode(prepared[[row * 9 + col for row, col in positions]])
    np.testing.assert_allclose(live.reshape(16, -1).T, expected, atol=2e-2)
    assert list(folder.glob("*.partial")) == []


def test_watched_positions_without_a_pattern_are_missing_from_the_map(scan, tmp_path):
    present = np.ones(scan.map_shape, bool)
    present[2:, 4:] = False
    partial = replace(scan, present=present)
    finish(train_vae([partial], None, settings(), tmp_path, watch=WATCH))
    live = np.load(tmp_path / LIVE_FILE)
    missing = ~present[WATCH.rows, WATCH.cols]
    np.testing.assert_array_equal(np.isnan(live), np.broadcast_to(missing, live.shape))


@pytest.mark.parametrize(
    ("preset", "objective"),
    [
        ("quick-16", "vae"),
        ("quick-16", "contrastive"),
        ("principal-16", "vae"),
        ("principal-16", "contrastive"),
    ],
)
def test_a_resumed_training_ends_bit_for_bit_where_an_uninterrupted_one_ends(
    scan, tmp_path, preset, objective
):
    asked = settings(preset=preset, objective=objective)
    finish(train_vae([scan], None, asked, tmp_path / "whole"))
    stop_after(train_vae([scan], None, asked, tmp_path / "parts"), 5)
    finish(train_vae([scan], None, asked, tmp_path / "parts", resume=True))
    for file in ("model.safetensors", "checkpoint.safetensors"):
        whole, parts = (load_file(tmp_path / part / file) for part in ("whole", "parts"))
        assert whole.keys() == parts.keys()
        for name in whole:
            np.testing.assert_array_equal(whole[name], parts[name], err_msg=f"{file} {name}")


def test_patterns_that_cannot_be_read_are_left_out_of_a_training_that_can_be_resumed(
    scan, tmp_path
):
    bad = {(2, 2), (3, 4), (7, 8)}
    # Fewer than there are, so that neighbours have to be read, too.
    asked = settings(preset="principal-16", patterns_per_scan=40)
    folders = [tmp_path / name for name in ("whole", "parts")]

    def begin(folder, **options):
        return train_vae([damaged(scan, bad)], None, asked, folder, watch=WATCH, **options)

    with pytest.warns(JobWarning) as told:
        finish(begin(folders[0]))
    messages = " ".join(str(one.message) for one in told)
    for purpose in ("what is learned from", "what neighbours tell", "the region to watch"):
        assert purpose in messages
    with pytest.warns(JobWarning):
        stop_after(begin(folders[1]), 2)
    with pytest.warns(JobWarning):
        finish(begin(folders[1], resume=True))
    whole, parts = (load_file(folder / "model.safetensors") for folder in folders)
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name], err_msg=name)
    (origin,) = load_encoder(folders[0] / "model.safetensors", "cpu").provenance["scans"]
    drawn_bad = origin["unreadable"]["count"]
    assert drawn_bad >= 1
    assert origin["patterns"] == 40 - drawn_bad
    live = np.load(folders[0] / LIVE_FILE)
    missing = np.zeros((3, 5), bool)
    missing[1, 0] = missing[2, 2] = True
    np.testing.assert_array_equal(np.isnan(live), np.broadcast_to(missing, live.shape))


def test_a_watched_region_of_which_nothing_can_be_read_is_empty(scan, tmp_path):
    bad = [(row, col) for row in range(1, 4) for col in range(2, 7)]
    with pytest.warns(JobWarning) as told:
        finish(train_vae([damaged(scan, bad)], None, settings(), tmp_path, watch=WATCH))
    assert "15 of 15 patterns could not be read and are left out of the region" in str(told[1])
    live = np.load(tmp_path / LIVE_FILE)
    assert live.shape == (16, 3, 5)
    assert np.isnan(live).all()


def test_a_stop_while_patterns_are_prepared_leaves_nothing_and_loses_nothing(trained, scan):
    folder, _ = trained
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    job = train_vae([scan], None, settings(8), folder, resume=True)
    for update in job:
        if "Preparing" in update.message:
            job.close()
            break
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_watched_region_without_a_pattern_is_refused_before_the_work(scan, tmp_path):
    present = np.ones(scan.map_shape, bool)
    present[1:4] = False
    with pytest.raises(ValueError, match="rows 1 to 4 and columns 2 to 7, holds 0 patterns"):
        next(train_vae([replace(scan, present=present)], None, settings(), tmp_path, watch=WATCH))


def test_several_scans_give_as_many_patterns_each(make_scan, tmp_path):
    scans = [make_scan(size=(60, 60), seed=seed, name=f"scan {seed}") for seed in (1, 2)]
    path = finish(train_vae(scans, None, settings(1, patterns_per_scan=30), tmp_path))
    told = load_encoder(path, device="cpu").provenance["scans"]
    assert [(one["name"], one["patterns"]) for one in told] == [("scan 1", 30), ("scan 2", 30)]


def test_adapting_starts_from_the_model_and_keeps_it_if_nothing_is_better(trained, scan, tmp_path):
    folder, updates = trained
    start = folder / "model.safetensors"
    seen = []
    # The same seed holds out the same patterns and draws the same noise.
    one_step = settings(epochs=1, preset=None)
    job = train_vae([scan], None, one_step, tmp_path, init=start)
    finish(job, seen.append)
    first = next(update for update in seen if isinstance(update, TrainingUpdate))
    best = min(u.validation_loss for u in updates if u.validation_loss is not None)
    assert first.step == 0
    assert first.validation_loss == pytest.approx(best, abs=1e-4)
    adapted = load_encoder(tmp_path / "model.safetensors", device="cpu")
    assert adapted.architecture.name == "quick-16"
    assert adapted.provenance["started from"]["metrics"]["step"] > 0
    assert adapted.provenance["metrics"]["loss"] <= first.validation_loss


def test_adapting_takes_the_mask_of_both(trained, make_scan, tmp_path):
    start = trained[0] / "model.safetensors"
    round_screen = make_scan(size=(60, 60), corner=8)
    path = finish(train_vae([round_screen], None, settings(1, preset=None), tmp_path, init=start))
    mask = load_encoder(path, device="cpu").recipe.mask
    assert not mask[0, 0]
    assert mask[30, 30]


def test_a_preset_other_than_the_model_says_what_differs(trained, scan, tmp_path):
    start = trained[0] / "model.safetensors"
    job = train_vae([scan], None, settings(preset="quick-32"), tmp_path, init=start)
    with pytest.raises(ValueError, match="latent 16 in the model, 32 in the preset"):
        finish(job)


def test_training_does_not_start_from_a_linear_encoder(scan, tmp_path):
    path = tmp_path / "linear.safetensors"
    finish(fit_linear([scan], Recipe(), latent=4)).save(path)
    with pytest.raises(ValueError, match="this is a linear encoder"):
        finish(train_vae([scan], None, settings(preset=None), tmp_path / "run", init=path))


def test_a_recipe_of_another_size_than_the_preset_is_refused(scan, tmp_path):
    with pytest.raises(ValueError, match=r"quick-16 reads patterns of 60 x 60.*30 x 30"):
        finish(train_vae([scan], Recipe(size=(30, 30)), settings(), tmp_path))


def test_patterns_smaller_than_the_preset_reads_are_refused(make_scan, tmp_path):
    with pytest.raises(RecipeMismatchError, match="only 24 x 24"):
        finish(train_vae([make_scan()], None, settings(), tmp_path))


def test_a_region_to_watch_outside_the_scan_is_refused(scan, tmp_path):
    watch = Block(slice(20, 30), slice(0, 5))
    with pytest.raises(ValueError, match=r"rows 20 to 30 .*outside the scan of 8 rows x 9"):
        finish(train_vae([scan], None, settings(), tmp_path, watch=watch))


def test_a_folder_in_use_is_refused_before_patterns_are_read(trained, scan):
    with pytest.raises(FileExistsError, match="holds a training already"):
        next(train_vae([scan], None, settings(), trained[0]))


def test_resuming_with_another_mask_or_seed_says_so(trained, scan):
    mask = np.ones((60, 60), bool)
    mask[:3] = False
    job = train_vae([scan], Recipe(mask=mask), settings(8, seed=1), trained[0], resume=True)
    with pytest.raises(ValueError, match="seed was 0, is 1") as error:
        finish(job)
    assert "checksum of the signal mask" in str(error.value)


def test_one_pattern_cannot_be_both_learned_from_and_held_out(make_scan, tmp_path):
    with pytest.raises(ValueError, match="1 pattern to train on"):
        finish(train_vae([make_scan(rows=1, cols=1, size=(60, 60))], None, settings(), tmp_path))


def test_a_trained_model_is_adapted_in_smaller_steps_than_a_fresh_one(trained, scan, tmp_path):
    start = trained[0] / "model.safetensors"

    def step_taken(rate, folder):
        one = settings(1, preset=None, adaptation_rate=rate)
        job = train_vae([scan], None, one, folder, init=start)
        stop_after(job, 1)
        before, after = load_file(start), load_file(folder / "checkpoint.safetensors")
        name = "encoder.0.weight"
        return np.abs(after[f"model/vae.{name}"] - before[name]).max()

    full, small = (step_taken(rate, tmp_path / str(rate)) for rate in (1.0, 0.2))
    assert small == pytest.approx(0.2 * full, rel=1e-3)
