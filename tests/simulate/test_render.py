"""Rendered patterns are those of kikuchipy."""

import kikuchipy
import numpy as np
import pytest
from orix.quaternion import Rotation

from napari_kikuchi.simulate import Detector
from napari_kikuchi.simulate.master import (
    MasterPattern,
    lambert_directions,
    nickel,
    niobium_carbide,
)
from napari_kikuchi.simulate.render import Renderer, render


@pytest.fixture(scope="module")
def kikuchipy_nickel():
    master = kikuchipy.data.nickel_ebsd_master_pattern_small(projection="lambert")
    master.change_dtype(np.float32)  # Of the same type as the patterns: not rescaled.
    return master


@pytest.mark.parametrize(
    ("detector", "shape"),
    [
        (Detector(), (60, 60)),
        (Detector(pc=(0.5, 0.3, 0.6), tilt=7.5, sample_tilt=65.0), (36, 48)),
        (Detector(pc=(0.55, 0.6, 0.45), tilt=-3.0), (50, 40)),
    ],
)
def test_equals_kikuchipy(kikuchipy_nickel, detector, shape):
    rotations = Rotation.random(20)
    expected = kikuchipy_nickel.get_patterns(
        rotations,
        kikuchipy.detectors.EBSDDetector(
            shape=shape,
            pc=detector.pc,
            tilt=detector.tilt,
            sample_tilt=detector.sample_tilt,
            convention="bruker",
        ),
        energy=20,
        dtype_out="float32",
        compute=True,
        show_progressbar=False,
    ).data
    expected = (expected - kikuchipy_nickel.data.mean()) / kikuchipy_nickel.data.std(dtype=float)
    rendered = render(rotations.data, nickel(), detector, shape).numpy()
    # In standard deviations of the master pattern; float32 against float64.
    assert np.abs(rendered - expected).max() < 2e-3
    assert np.abs(rendered - expected).mean() < 2e-5


def test_directions_are_those_of_kikuchipys_detector():
    detector = Detector(pc=(0.4, 0.3, 0.7), tilt=5.0, sample_tilt=68.0)
    reference = kikuchipy.detectors.EBSDDetector(
        shape=(6, 8), pc=detector.pc, tilt=5.0, sample_tilt=68.0, convention="bruker"
    )
    gnomonic_x = np.linspace(*reference.x_range.squeeze(), 17)[1::2]
    gnomonic_y = np.linspace(*reference.y_range.squeeze(), 13)[1::2][::-1]
    y, x = np.meshgrid(gnomonic_y, gnomonic_x, indexing="ij")
    on_screen = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3)
    expected = on_screen @ reference.sample_to_detector.to_matrix().squeeze()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(detector.directions((6, 8)), expected, atol=1e-6)


def test_batches_do_not_matter(monkeypatch):
    rotations = Rotation.random(7).data
    whole = Renderer(nickel(), Detector(), (20, 20))(rotations)
    monkeypatch.setattr("napari_kikuchi.simulate.render._BATCH_PIXELS", {"cpu": 400})
    one_by_one = Renderer(nickel(), Detector(), (20, 20))(rotations)
    np.testing.assert_allclose(whole, one_by_one, atol=2e-3)


def test_poles_and_equator_are_finite_and_alike_in_equal_directions():
    """Both hemispheres meet at the equator; the poles are where the projection divides by zero."""
    quarter = np.sqrt(0.5)
    rotations = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [quarter, quarter, 0, 0]], np.float32)
    straight = Detector(pc=(0.5, 0.5, 1.0), sample_tilt=90.0)
    patterns = Renderer(nickel(), straight, (3, 3))(rotations).numpy()
    assert np.isfinite(patterns).all()
    # Nickel is cubic: the middle pixel looks along a cube axis each time.
    np.testing.assert_allclose(patterns[:, 1, 1], patterns[0, 1, 1], atol=0.02)


def test_masters_are_standardised_and_differ():
    for master in (nickel(), niobium_carbide()):
        assert master.hemispheres.shape == (2, 401, 401)
        assert master.hemispheres.mean() == pytest.approx(0, abs=1e-4)
        assert master.hemispheres.std() == pytest.approx(1, abs=1e-4)
    rotations = Rotation.random(5).data
    matrix, carbide = (render(rotations, m).numpy() for m in (nickel(), niobium_carbide()))
    correlations = [
        np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(matrix, carbide, strict=True)
    ]
    # Both are fcc: bands in the same places, but of other widths and strengths.
    assert 0 < np.mean(correlations) < 0.95


def test_directions_of_a_master_pattern_are_those_of_kikuchipy():
    from kikuchipy.signals.util._master_pattern import _vector2lambert

    size = 21
    vectors = lambert_directions(size)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1)
    assert (vectors[:, 2] >= -1e-12).all()
    row, column = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size), indexing="ij")
    places = _vector2lambert(vectors) / np.sqrt(np.pi / 2)
    np.testing.assert_allclose(places, np.stack([column.ravel(), row.ravel()], axis=1), atol=1e-7)


def test_a_crystal_that_is_sampled_is_rendered_as_it_stands():
    def crystal(vectors):
        x, y, z = vectors.T
        return x * y + 2 * y * z - x**2

    detector, shape = Detector(pc=(0.5, 0.3, 0.6)), (20, 24)
    rotations = Rotation.random(5)
    rendered = render(
        rotations.data, MasterPattern.of_directions(crystal, "it"), detector, shape
    ).numpy()
    for pattern, rotation in zip(rendered, rotations.to_matrix(), strict=True):
        expected = crystal(detector.directions(shape) @ rotation.T)
        # Brightness and contrast are those of the whole sphere.
        slope, _ = np.polyfit(expected, pattern.ravel(), 1)
        assert slope > 0
        assert np.corrcoef(expected, pattern.ravel())[0, 1] > 0.9999
