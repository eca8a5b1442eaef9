from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_kikuchi.geometry import Geometry
from napari_kikuchi.orientation.spot_calibration import SpotCalibration
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.physics.indexing import HoughIndexing
from napari_kikuchi.scan import Block, Scan
from napari_kikuchi.ui.orientations_request import OrientationsRequest
from napari_kikuchi.ui.requests import EncodingRequest, MapsRequest, TrainingRequest, WorkPlace


def scan(name="a", **options):
    source = ArraySource(np.zeros((4, 5, 8, 8), np.uint8))
    return Scan(source, name=name, path=Path(f"{name}.up2"), options=options)


def line(request):
    return " ".join(request.arguments())


def test_a_training_request_says_only_what_was_set():
    request = TrainingRequest(
        scans=[scan("a"), scan("b")],
        folder=Path("run"),
        minutes=10,
        watch=Block(slice(0, 4), slice(1, 5)),
        size=(60, 60),
        rescale="range",
        resume=True,
    )
    assert line(request) == (
        "train a.up2 b.up2 --out run --preset principal-32 --minutes 10 --resume --watch 0,4,1,5 "
        "--size 60x60 --rescale range"
    )


def test_a_linear_request_names_no_preset():
    request = TrainingRequest(scans=[scan()], folder=Path("run"), linear=True, latent=16)
    assert line(request) == "train a.up2 --out run --linear --latent 16"


def test_scans_are_opened_again_as_they_were():
    opened = scan(shape=(4, 5), step=(0.5, 0.25), crop=True, allow_partial=False)
    request = EncodingRequest(opened, Path("m.safetensors"), Path("a.m.zarr"))
    assert line(request) == (
        "encode a.up2 --model m.safetensors --out a.m.zarr --shape 4,5 --step 0.5,0.25 --crop"
    )


def test_work_is_done_where_it_is_asked_for():
    model, out = Path("m.safetensors"), Path("a.zarr")
    local = EncodingRequest(scan(), model, out, place=WorkPlace("local", 4))
    assert line(local) == (
        "encode a.up2 --model m.safetensors --out a.zarr --scheduler local --workers 4"
    )
    elsewhere = MapsRequest(scan(), ["quality"], out, place=WorkPlace("tcp://node1:8786"))
    assert line(elsewhere) == "maps a.up2 --maps quality --out a.zarr --scheduler tcp://node1:8786"


def test_a_request_for_maps_names_geometry_only_to_index():
    opened, out = scan(flip=True), Path("a.physics.zarr")
    simple = MapsRequest(opened, ["quality", "contrast"], out, size=(30, 40), restart=True)
    assert line(simple) == (
        "maps a.up2 --maps quality,contrast --out a.physics.zarr --size 30x40 --restart --flip"
    )
    indexing = HoughIndexing(Geometry((0.42, 0.22, 0.5), "oxford", 69.5), "steel.cif")
    indexed = MapsRequest(opened, ["indexing"], out, indexing, grain_threshold=2.5)
    assert line(indexed) == (
        "maps a.up2 --maps indexing --out a.physics.zarr --pc 0.42,0.22,0.5 --convention oxford "
        "--tilt 69.5 --detector-tilt 0.0 --phase steel.cif --grain-threshold 2.5 --flip"
    )


def test_a_request_for_maps_brings_its_mask_beside_them(tmp_path):
    out, mask = tmp_path / "made" / "a.physics.zarr", np.eye(8, dtype=bool)
    request = MapsRequest(scan(), ["quality"], out, mask=mask)
    file = tmp_path / "made" / "a.physics.mask.npy"
    assert line(request) == f"maps a.up2 --maps quality --out {out} --mask {file}"
    assert not file.parent.exists()
    request.write_mask()
    np.testing.assert_array_equal(np.load(file), mask)


def test_scans_opened_differently_cannot_be_trained_together():
    request = TrainingRequest([scan("a", crop=True), scan("b")], Path("run"))
    with pytest.raises(ValueError, match=r"different options: a: .*crop.*; b"):
        request.arguments()


def test_a_scan_in_memory_is_refused_by_name():
    with pytest.raises(ValueError, match="a: this scan lives in memory"):
        EncodingRequest(replace(scan(), path=None), Path("m"), Path("o")).arguments()
    with pytest.raises(ValueError, match="at least one scan"):
        TrainingRequest([], Path("run")).arguments()


def test_orientations_are_asked_for_with_the_scan_as_it_was_opened(tmp_path):
    opened = scan(shape=(4, 5), step=(0.5, 0.25))
    request = OrientationsRequest(opened, ["cu", Path("a b.cif")], Path("o.zarr"), 300.0, thin=True)
    assert request.arguments() == [
        *("orient", "a.up2", "--phase", "cu", "--phase", "a b.cif", "--out", "o.zarr"),
        *(
            "--voltage",
            "300.0",
            "--kinematical",
            "--find-calibration",
            "--shape",
            "4,5",
            "--step",
            "0.5,0.25",
        ),
    ]
    request.write_calibration()
    assert request.calibration_file is None
    given = replace(request, calibration=SpotCalibration((3.0, 4.0), 0.02), out=tmp_path / "o.zarr")
    given.write_calibration()
    assert "--calibration" in given.arguments()
    assert given.calibration_file == tmp_path / "o.calibration.json"
    assert given.calibration_file.is_file()
