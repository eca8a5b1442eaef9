"""Pixels become vectors of the sample's frame, and vectors pixels."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.orientation.spot_calibration import Descan, SpotCalibration

coordinates = st.floats(-200, 200)
gradients = st.floats(-0.5, 0.5)
descans = st.builds(
    Descan,
    st.tuples(coordinates, coordinates),
    st.tuples(st.tuples(gradients, gradients), st.tuples(gradients, gradients)),
)
calibrations = st.builds(
    SpotCalibration,
    centre=st.tuples(coordinates, coordinates),
    scale=st.floats(1e-3, 1),
    rotation=st.floats(-180, 180),
    flipped=st.booleans(),
    ratio=st.floats(1, 1.5),
    ratio_angle=st.floats(-90, 90),
    descan=st.none() | descans,
)


def spots_at(*places):
    """One pattern of spots at given columns and rows."""
    return np.array([[(*place, 1.0) for place in places]], np.float32)


@given(calibrations, st.integers(0, 2**32 - 1))
def test_there_and_back_again(calibration, seed):
    rng = np.random.default_rng(seed)
    pixels = rng.uniform(-100, 300, (4, 5, 3)).astype(np.float32)
    pixels[..., 2] = rng.integers(0, 3, (4, 5))
    positions = rng.integers(0, 500, (4, 2))
    spots = calibration.to_spots(pixels, positions)
    column, row = calibration.to_pixels(spots.kx, spots.ky, positions)
    seen = pixels[..., 2] > 0
    np.testing.assert_array_equal(spots.intensity, np.where(seen, pixels[..., 2], 0))
    np.testing.assert_allclose(column[seen], pixels[seen, 0], atol=1e-3)
    np.testing.assert_allclose(row[seen], pixels[seen, 1], atol=1e-3)
    assert (spots.values[~seen] == 0).all()


@given(calibrations)
def test_settings_come_back_from_json(calibration):
    settings = json.loads(json.dumps(calibration.settings()))
    assert SpotCalibration.from_settings(settings) == calibration


sides = st.integers(10, 300)


@given(calibrations, sides, sides, st.floats(-1, 2), st.floats(-1, 2))
def test_a_window_is_what_the_detector_shows(calibration, height, width, down, right):
    """Wherever the direct beam is; against the vectors of the corner pixels."""
    rows, cols = height - 1, width - 1
    there = replace(calibration, centre=(down * rows, right * cols), descan=None)
    window = there.window((height, width))
    around = spots_at((0, 0), (cols, 0), (cols, rows), (0, rows))
    corners = there.to_spots(around).values[0, :, :2].astype(np.float64)
    along = np.roll(corners, -1, axis=0) - corners
    moments = corners[:, 0] * along[:, 1] - corners[:, 1] * along[:, 0]
    to_edges = np.abs(moments) / np.linalg.norm(along, axis=1)
    inside = 0 <= down <= 1 and 0 <= right <= 1
    # Spots are kept as 32-bit numbers.
    roundings = 1e-3 * there.scale
    np.testing.assert_allclose(
        window.nearest, to_edges.min() if inside else 0, rtol=1e-4, atol=roundings
    )
    np.testing.assert_allclose(
        window.furthest, np.linalg.norm(corners, axis=1).max(), rtol=1e-4, atol=roundings
    )


@given(calibrations, sides, sides, st.integers(0, 2**32 - 1))
def test_a_window_shows_vectors_whose_pixels_there_are(calibration, height, width, seed):
    there = replace(calibration, centre=(0.3 * height, 0.6 * width), descan=None)
    kx, ky = np.random.default_rng(seed).normal(0, 100 * there.scale, (2, 200))
    column, row = there.to_pixels(kx, ky)
    # How far inside of the edges; on an edge, roundings decide.
    inside = np.min([row, height - 1 - row, column, width - 1 - column], axis=0)
    shown = there.window((height, width)).shows(kx, ky)
    np.testing.assert_array_equal(shown[np.abs(inside) > 1e-6], inside[np.abs(inside) > 1e-6] > 0)


def test_x_is_down_and_y_to_the_right_as_the_scan_has_them():
    calibration = SpotCalibration((50.0, 60.0), 0.02)
    spots = calibration.to_spots(spots_at((60, 100), (110, 50)))
    np.testing.assert_allclose(spots.values[0, :, :2], [(1, 0), (0, 1)], atol=1e-6)


def test_a_turned_detector_is_turned_back_and_a_mirrored_one_first_mirrored():
    # Down on this detector is 30° from the sample's x, towards y.
    down, right = spots_at((60, 100)), spots_at((110, 50))
    turned = SpotCalibration((50.0, 60.0), 0.02, rotation=30)
    sine, cosine = 0.5, np.sqrt(3) / 2
    np.testing.assert_allclose(turned.to_spots(down).values[0, 0, :2], (cosine, sine), atol=1e-6)
    np.testing.assert_allclose(turned.to_spots(right).values[0, 0, :2], (-sine, cosine), atol=1e-6)
    mirrored = SpotCalibration((50.0, 60.0), 0.02, rotation=30, flipped=True)
    np.testing.assert_allclose(mirrored.to_spots(down).values[0, 0, :2], (cosine, sine), atol=1e-6)
    np.testing.assert_allclose(
        mirrored.to_spots(right).values[0, 0, :2], (sine, -cosine), atol=1e-6
    )


def test_the_image_of_a_circle_becomes_round():
    angles = np.linspace(0, 2 * np.pi, 40)
    # An ellipse whose longer axis is turned by 25° from rows towards columns.
    along, across = 50 * 1.2**0.5 * np.cos(angles), 50 * 1.2**-0.5 * np.sin(angles)
    turn = np.deg2rad(25)
    rows = along * np.cos(turn) - across * np.sin(turn)
    columns = along * np.sin(turn) + across * np.cos(turn)
    calibration = SpotCalibration((7.0, 9.0), 0.02, ratio=1.2, ratio_angle=25)
    spots = calibration.to_spots(spots_at(*zip(columns + 9, rows + 7, strict=True)))
    np.testing.assert_allclose(np.hypot(spots.kx, spots.ky), 1, rtol=1e-5)


def test_the_direct_beam_is_left_out_wherever_it_is():
    descan = Descan((10.0, 10.0), ((1.0, 0.0), (0.0, -2.0)))
    calibration = SpotCalibration((50.0, 60.0), 0.02, beam_radius=3, descan=descan)
    beam_at_the_end = spots_at((60 - 20, 50 + 10), (62, 50), (80, 50))
    counts = calibration.to_spots(np.repeat(beam_at_the_end, 2, axis=0), [(10, 10), (20, 20)])
    np.testing.assert_array_equal(counts.intensity > 0, [(True, False, True), (False, True, True)])
    np.testing.assert_allclose(calibration.centres([(20, 20)]), [(60, 40)])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"scale": 0}, "scale"),
        ({"scale": "0.02"}, "scale"),
        ({"centre": [1]}, "centre"),
        ({"centre": None}, "centre"),
        ({"rotation": float("nan")}, "rotation"),
        ({"flipped": 1}, "flipped"),
        ({"ratio": 0.5}, "ratio"),
        ({"beam_radius": -1}, "direct beam"),
        ({"descan": {"origin": [0, 0], "gradient": [1, 2]}}, "gradient"),
        ({"descan": 3}, "descan"),
    ],
)
def test_settings_that_mean_nothing_are_refused(changes, told):
    settings = SpotCalibration((50.0, 60.0), 0.02).settings() | changes
    with pytest.raises(ValueError, match=told):
        SpotCalibration.from_settings(settings)
