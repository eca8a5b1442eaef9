"""Simulated scans whose truth is known."""

from napari_kikuchi.simulate.additive import Additive
from napari_kikuchi.simulate.detector import Detector
from napari_kikuchi.simulate.make import make_structure
from napari_kikuchi.simulate.scan import simulate_scan, simulated_detector, truth_path
from napari_kikuchi.simulate.structure import Structure
from napari_kikuchi.simulate.wrought import Wrought

__all__ = [
    "Additive",
    "Detector",
    "Structure",
    "Wrought",
    "make_structure",
    "simulate_scan",
    "simulated_detector",
    "truth_path",
]
