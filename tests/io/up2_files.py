"""UP1 and UP2 files made byte by byte, independently of the package."""

import numpy as np


def patterns_of(count, height=3, width=4, dtype="<u2", seed=0):
    """Random patterns, all different."""
    return np.random.default_rng(seed).integers(1, 255, (count, height, width)).astype(dtype)


def version_1(path, patterns, offset=16):
    height, width = patterns.shape[1:]
    head = np.array([1, width, height, offset], "<u4").tobytes().ljust(offset, b"\0")
    path.write_bytes(head + patterns.tobytes())
    return path


def version_3(
    path, patterns, rows, cols, *, version=3, extra=0, hexagonal=0, step=(0.5, 0.25), offset=42
):
    height, width = patterns.shape[1:]
    head = b"".join(
        [
            np.array([version, width, height, offset], "<u4").tobytes(),
            np.array([extra], "u1").tobytes(),
            np.array([cols, rows], "<u4").tobytes(),
            np.array([hexagonal], "u1").tobytes(),
            np.array(step[::-1], "<f8").tobytes(),
        ]
    )
    path.write_bytes(head.ljust(offset, b"\0") + patterns.tobytes())
    return path


def ang(path, rows, odd, even, grid="SqrGrid", step=(0.2, 0.1)):
    path.write_text(
        "# TEM_PIXperUM          1.000000\n"
        "# x-star                0.500000\n"
        "#\n"
        "# Phase 1\n"
        "# MaterialName  \tNickel\n"
        f"# GRID: {grid}\n"
        f"# XSTEP: {step[1]:.6f}\n"
        f"# YSTEP: {step[0]:.6f}\n"
        f"# NCOLS_ODD: {odd}\n"
        f"# NCOLS_EVEN: {even}\n"
        f"# NROWS: {rows}\n"
        "#\n"
        "# OPERATOR: \tmüller\n"
        "  0.10000   0.20000   0.30000      0.00000      0.00000 1.0  0.5  0  1  1.0\n",
        encoding="latin-1",
    )
    return path
