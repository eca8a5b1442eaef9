"""Patterns onto the square that symmetry repeats, and back; compiled.

A pattern sees most directions of the square several times over. Where it stands as its crystal
does, what it sees of one direction agrees: that agreement tells the orientation of a crystal that
nobody has named.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from napari_kikuchi.symmetry.sector import SIDE

# Difference of angles, in radians, over which slopes are taken.
_SLOPE = 0.005
_QUARTER = 4 / math.pi
# Pixels that say something of a direction, beside the one whose direction it is.
_SEEN = 0.5


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _angle(slope):
    """Arc tangent of 0 to 1 within 1e-5, in units of 45°: the library's takes most of the time."""
    squared = slope * slope
    return (
        slope
        * _QUARTER
        * (
            0.9998660
            + squared
            * (-0.3302995 + squared * (0.1801410 + squared * (-0.0851330 + squared * 0.0208351)))
        )
    )


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _place(rotation, a, b, c, last):
    """Row and column of a direction in the square, of nodes 0 to ``last`` along an edge."""
    x = abs(rotation[0, 0] * a + rotation[0, 1] * b + rotation[0, 2] * c)
    y = abs(rotation[1, 0] * a + rotation[1, 1] * b + rotation[1, 2] * c)
    z = abs(rotation[2, 0] * a + rotation[2, 1] * b + rotation[2, 2] * c)
    # The largest first, the others in cyclic order.
    largest = max(x, max(y, z))
    first = y if x == largest else (z if y == largest else x)
    second = z if x == largest else (x if y == largest else y)
    row, col = _angle(first / largest) * last, _angle(second / largest) * last
    i, j = min(int(row), last - 1), min(int(col), last - 1)
    return i, j, np.float32(row - i), np.float32(col - j)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _nearest_axis(rotation, a, b, c):
    """Which of a crystal's axes, 0 to 2, a direction is nearest to."""
    x = abs(rotation[0, 0] * a + rotation[0, 1] * b + rotation[0, 2] * c)
    y = abs(rotation[1, 0] * a + rotation[1, 1] * b + rotation[1, 2] * c)
    z = abs(rotation[2, 0] * a + rotation[2, 1] * b + rotation[2, 2] * c)
    largest = max(x, max(y, z))
    return 0 if x == largest else (1 if y == largest else 2)


@njit(nogil=True, cache=True, fastmath=True)
def look_up(square, rotation, directions, out):
    """Intensities that a detector sees.

    Parameters
    ----------
    square
        Intensities at the nodes, of shape (side, side).
    rotation
        From the directions' frame to the crystal's, of shape (3, 3).
    directions
        Of the pixels, of shape (3, pixels).
    out
        To be filled, of shape (pixels,).
    """
    last = square.shape[0] - 1
    for k in range(directions.shape[1]):
        a, b, c = directions[0, k], directions[1, k], directions[2, k]
        i, j, down, right = _place(rotation, a, b, c, last)
        out[k] = (1 - down) * ((1 - right) * square[i, j] + right * square[i, j + 1]) + down * (
            (1 - right) * square[i + 1, j] + right * square[i + 1, j + 1]
        )


@njit(nogil=True, cache=True, fastmath=True)
def look_up_all(modes, rotation, directions, out):
    """As :func:`look_up`, of several squares at once.

    Parameters
    ----------
    modes
        Of shape (side, side, modes).
    rotation, directions
        As there.
    out
        To be filled, of shape (pixels, modes).
    """
    last, number = modes.shape[0] - 1, modes.shape[2]
    for k in range(directions.shape[1]):
        a, b, c = directions[0, k], directions[1, k], directions[2, k]
        i, j, down, right = _place(rotation, a, b, c, last)
        one, other = (1 - down) * (1 - right), (1 - down) * right
        third, fourth = down * (1 - right), down * right
        for m in range(number):
            out[k, m] = (
                one * modes[i, j, m]
                + other * modes[i, j + 1, m]
                + third * modes[i + 1, j, m]
                + fourth * modes[i + 1, j + 1, m]
            )


@njit(nogil=True, cache=True, fastmath=True)
def unfold(pattern, weights, rotation, directions, total, count):
    """Add a pattern to the square.

    Parameters
    ----------
    pattern, weights
        Intensities of the pixels and how much each counts, of shape (pixels,).
    rotation, directions
        As for :func:`look_up`.
    total, count
        Weighted sums of intensities, and of weights, at the nodes: to be added to, of shape
        (side, side).
    """
    last = total.shape[0] - 1
    for k in range(directions.shape[1]):
        if weights[k] == 0:
            continue
        a, b, c = directions[0, k], directions[1, k], directions[2, k]
        i, j, down, right = _place(rotation, a, b, c, last)
        for p in range(2):
            for q in range(2):
                share = (down if p else 1 - down) * (right if q else 1 - right) * weights[k]
                total[i + p, j + q] += share * pattern[k]
                count[i + p, j + q] += share


@njit(nogil=True, cache=True, fastmath=True)
def repeated(pattern, weights, rotation, directions, out):
    """How much of a pattern symmetries repeat.

    Parameters
    ----------
    pattern, weights, rotation, directions
        As for :func:`unfold`.
    out
        To be filled, of shape (3,): for m-3m, for m-3, and for what the threefold axes of both add
        to the mirrors of m-3, which other crystals have as well, the mean product of each pixel
        with what all other pixels say of its direction. Of a crystal of the symmetry it is the
        variance of the bands, whatever the noise; of others it is less.
    """
    pixels, last = directions.shape[1], SIDE - 1
    corners, shares = np.empty((pixels, 2), np.int64), np.empty((pixels, 2, 2), np.float32)
    # By which of the crystal's axes is nearest: threefold axes lead from one to another.
    axes = np.empty(pixels, np.int64)
    total = np.zeros((3, SIDE, SIDE), np.float32)
    count = np.zeros((3, SIDE, SIDE), np.float32)
    for k in range(pixels):
        if weights[k] == 0:
            continue
        a, b, c = directions[0, k], directions[1, k], directions[2, k]
        i, j, down, right = _place(rotation, a, b, c, last)
        axis = _nearest_axis(rotation, a, b, c)
        corners[k, 0], corners[k, 1], axes[k] = i, j, axis
        for p in range(2):
            for q in range(2):
                share = (down if p else 1 - down) * (right if q else 1 - right)
                shares[k, p, q] = share
                total[axis, i + p, j + q] += share * weights[k] * pattern[k]
                count[axis, i + p, j + q] += share * weights[k]
    one, seen_of_one = total.sum(axis=0), count.sum(axis=0)
    both, seen_of_both = one + one.T, seen_of_one + seen_of_one.T
    products, weighed = np.zeros(3), np.zeros(3)
    others, seen = np.zeros(3), np.zeros(3)
    for k in range(pixels):
        if weights[k] == 0:
            continue
        i, j, axis = corners[k, 0], corners[k, 1], axes[k]
        others[:], seen[:] = 0, 0
        for p in range(2):
            for q in range(2):
                share, own = shares[k, p, q], shares[k, p, q] * weights[k]
                m, n = i + p, j + q
                others[2] += share * (one[m, n] - total[axis, m, n])
                seen[2] += share * (seen_of_one[m, n] - count[axis, m, n])
                others[1] += share * (one[m, n] - own * pattern[k])
                seen[1] += share * (seen_of_one[m, n] - own)
                # Near the diagonal a pixel is a witness of its mirror image.
                if 0 <= n - i <= 1 and 0 <= m - j <= 1:
                    own += shares[k, n - i, m - j] * weights[k]
                others[0] += share * (both[m, n] - own * pattern[k])
                seen[0] += share * (seen_of_both[m, n] - own)
        for which in range(3):
            if seen[which] > _SEEN:
                products[which] += weights[k] * pattern[k] * others[which] / seen[which]
                weighed[which] += weights[k]
    for which in range(3):
        out[which] = products[which] / max(weighed[which], 1e-12)


@njit(nogil=True, cache=True)
def choose(scores, rotations, operators, most, apart):
    """Numbers of rotations with high scores that differ from each other.

    Parameters
    ----------
    scores
        Of shape (rotations,).
    rotations, operators
        Of a crystal, and of its symmetry, of shape (n, 3, 3).
    most
        How many are wanted.
    apart
        In radians: of two that are closer only the better one is taken.
    """
    closest = 1 + 2 * math.cos(apart)  # The trace of a rotation.
    chosen = np.empty(most, np.int64)
    count = 0
    for number in np.argsort(-scores):
        alone = True
        for other in range(count):
            between = rotations[number] @ rotations[chosen[other]].T
            for k in range(len(operators)):
                if (operators[k] * between).sum() > closest:
                    alone = False
                    break
            if not alone:
                break
        if alone:
            chosen[count] = number
            count += 1
            if count == most:
                break
    return chosen[:count]


@njit(nogil=True, cache=True, fastmath=True)
def refine(pattern, weights, rotation, directions, modes, steps):
    """Turn a crystal until a sum of modes comes as near to a pattern as it can.

    Parameters
    ----------
    pattern, weights
        As for :func:`unfold`.
    rotation
        To begin with, of shape (3, 3); changed in place.
    directions
        As for :func:`look_up`.
    modes
        What patterns are sums of, at the nodes, of shape (side, side, modes).
    steps
        Of Gauss and Newton.

    Returns
    -------
    float
        Share of the pattern's weighted sum of squares that the modes explain in the end.
    """
    pixels, number = len(pattern), modes.shape[2]
    seen = np.empty((pixels, number), np.float32)
    here, there = np.empty(pixels, np.float32), np.empty(pixels, np.float32)
    slopes = np.empty((3, pixels), np.float32)
    power = np.float32(0)
    for k in range(pixels):
        power += weights[k] * pattern[k] ** 2
    explained = 0.0
    for step in range(steps + 1):
        look_up_all(modes, rotation, directions, seen)
        weighted = (seen.T * weights).copy()
        gram = (weighted @ seen).astype(np.float64)
        for m in range(number):
            gram[m, m] += 1e-3 * gram[m, m] + 1e-9
        along = (weighted @ pattern).astype(np.float64)
        shares = np.linalg.solve(gram, along)
        explained = (shares * along).sum() / max(power, np.float32(1e-12))
        if step == steps:
            break
        model = _summed(modes, shares)
        look_up(model, rotation, directions, here)
        rest = pattern - here
        for axis in range(3):
            look_up(model, _turned(rotation, axis, _SLOPE), directions, there)
            slopes[axis] = (there - here) / np.float32(_SLOPE)
        normal = ((slopes * weights) @ slopes.T).astype(np.float64)
        for axis in range(3):
            normal[axis, axis] += 1e-2 * normal[axis, axis] + 1e-9
        turn = np.linalg.solve(normal, ((slopes * weights) @ rest).astype(np.float64))
        size = math.sqrt((turn**2).sum())
        if size > 0.03:  # Slopes hold no further.
            turn *= 0.03 / size
        for axis in range(3):
            rotation[:] = _turned(rotation, axis, turn[axis])
        # A product of many rotations stays one.
        for row in range(3):
            for other in range(row):
                rotation[row] -= (rotation[row] * rotation[other]).sum() * rotation[other]
            rotation[row] /= math.sqrt((rotation[row] ** 2).sum())
        if size < 2e-4:
            break
    return explained


@njit(nogil=True, cache=True, fastmath=True)
def _summed(modes, shares):
    side, number = modes.shape[0], modes.shape[2]
    out = np.zeros((side, side), np.float32)
    for i in range(side):
        for j in range(side):
            for m in range(number):
                out[i, j] += np.float32(shares[m]) * modes[i, j, m]
    return out


@njit(nogil=True, cache=True)
def _turned(rotation, axis, angle):
    """A rotation followed by another about one of the crystal's axes, by an angle in radians."""
    cosine, sine = math.cos(angle), math.sin(angle)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    out = rotation.copy()
    out[first] = cosine * rotation[first] - sine * rotation[second]
    out[second] = sine * rotation[first] + cosine * rotation[second]
    return out
