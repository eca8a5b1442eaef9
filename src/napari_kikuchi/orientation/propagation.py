"""Beams behind a foil without its Bloch waves, for many orientations near each other at once.

The amplitudes exp(2πi A t) are a Chebyshev series in the matrix A, whose coefficients are Bessel
functions of the thickness t. What orientations near each other share, the couplings, is multiplied
with the beams of all of them at once, several times faster than each is solved for its waves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Terms of the series whose coefficients are all below this are left out.
_LEAST = 1e-8
# Terms at a time, an even number: few enough to stay near a processor.
_TERMS = 32
# The series diverges beyond the matrices' spectrum: room for rounding errors.
_ROOM = 1.001


def intensities_behind(
    couplings: NDArray[np.float64 | np.complex128],
    errors: NDArray[np.float64],
    beams: NDArray[np.bool_],
    thicknesses: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Intensities behind a foil that does not absorb, in single precision.

    Parameters
    ----------
    couplings
        Of each reflection with each other, hermitian, in 1/Å, of shape (reflections, reflections);
        the diagonal is not looked at. The first is the direct beam.
    errors
        Excitation errors of the reflections of each orientation, in 1/Å, of shape
        (n, reflections).
    beams
        Which of them are beams, of the same shape; the direct one always is.
    thicknesses
        In Å, of shape (m,).

    Returns
    -------
    numpy.ndarray
        Shares of the incident beam, of shape (n, m, reflections).
    """
    coupled = couplings - np.diag(np.diag(couplings))
    diagonal = np.where(beams, errors, 0).T
    # Bounds the moduli of all eigenvalues: leaving out what is no beam does not raise it.
    widest = np.abs(diagonal).max() + np.abs(np.linalg.eigvalsh(coupled)[[0, -1]]).max()
    widest = max(widest * _ROOM, np.finfo(np.float32).tiny)
    coefficients = _coefficients(2 * np.pi * widest * thicknesses)
    single = np.complex64 if np.iscomplexobj(coupled) else np.float32
    # Twice the matrix, as the recurrence of the polynomials has it.
    twice = (2 / widest * coupled).astype(single)
    diagonal = (2 / widest * diagonal).astype(np.float32)
    inside = beams.T.astype(np.float32)
    terms = np.zeros((_TERMS + 2, *diagonal.shape), single)
    along = np.empty(diagonal.shape, single)
    flat = terms[2:].reshape(_TERMS, -1)
    # The coefficients of even terms are real, those of odd ones imaginary.
    even = np.zeros((len(thicknesses), flat.shape[1]), single)
    odd = np.zeros_like(even)
    for start in range(0, coefficients.shape[1], _TERMS):
        for number, term in enumerate(terms[2:], start):
            before, last = terms[number - start], terms[number - start + 1]
            if number == 0:
                term[0] = 1
                continue
            np.matmul(twice, last, out=term)
            term *= inside
            term += np.multiply(diagonal, last, out=along)
            if number == 1:
                term /= 2
            else:
                term -= before
        part = coefficients[:, start : start + _TERMS]
        count = part.shape[1]
        even += part[:, ::2].real @ flat[:count:2]
        odd += part[:, 1::2].imag @ flat[1:count:2]
        terms[:2] = terms[-2:]
    found = np.abs(even + 1j * odd) ** 2
    return found.reshape(len(thicknesses), *diagonal.shape).transpose(2, 0, 1)


def _coefficients(phases: NDArray[np.float64]) -> NDArray[np.complex64]:
    """Of exp(i phase x) for x from -1 to 1, of shape (phases, terms)."""
    # Beyond as many terms as the phase is large they vanish faster than exponentially.
    samples = 2 ** int(np.ceil(np.log2(2.5 * phases.max(initial=0) + 64)))
    angles = 2 * np.pi / samples * np.arange(samples)
    series = np.fft.fft(np.exp(1j * phases[:, None] * np.cos(angles)), axis=1)[:, : samples // 2]
    series *= 2 / samples
    series[:, 0] /= 2
    heard = np.flatnonzero((np.abs(series) > _LEAST).any(axis=0))
    # No thickness leaves the first term.
    return series[:, : heard[-1] + 1].astype(np.complex64)
