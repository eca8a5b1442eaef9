import json
from dataclasses import replace

import h5py
import numpy as np
import orix.io
import pytest
import tifffile
from exported import PHASES, SCAN, latent_stack, physics_stack, spot_stack
from orix.quaternion import Rotation

from napari_kikuchi.io.crystal_map import crystal_map
from napari_kikuchi.io.export import export_maps
from napari_kikuchi.io.hdf5_maps import write_hdf5_maps
from napari_kikuchi.io.indexed import NoOrientationsError
from napari_kikuchi.io.tiff_maps import write_tiff_maps
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel, MapStack


class OneAtATime:
    """Values that, as those of a large store, do not come whole."""

    def __init__(self, values):
        self.shape, self.dtype, self._values = values.shape, values.dtype, values

    def __getitem__(self, index):
        assert isinstance(index, int)
        return self._values[index]


def on_disk(stack):
    return replace(stack, values=OneAtATime(stack.values))


def test_imagej_finds_names_scale_and_contrast_in_a_tiff(tmp_path):
    stack = latent_stack()
    path = finish(export_maps(tmp_path / "maps.tif", [on_disk(stack)]))
    with tifffile.TiffFile(path) as file:
        np.testing.assert_array_equal(file.asarray(), stack.values)
        told, page = file.imagej_metadata, file.pages[0]
        assert (told["channels"], told["mode"], told["unit"]) == (3, "grayscale", "um")
        assert told["Labels"] == stack.names
        limits = [one.contrast(stack.map(i)) for i, one in enumerate(stack.channels)]
        np.testing.assert_allclose(np.reshape(told["Ranges"], (3, 2)), limits)
        pixels_per_um = [
            np.divide(*page.tags[name].value) for name in ("YResolution", "XResolution")
        ]
        np.testing.assert_allclose(pixels_per_um, [1 / 0.25, 1 / 0.4])
        info = json.loads(told["Info"])
        assert info["provenance"] == stack.provenance
        assert info["regions"][0]["name"] == "Zelle"


def test_a_tiff_of_one_map_is_shown_between_its_limits(tmp_path):
    finish(export_maps(tmp_path / "one.tif", [latent_stack()], ["µ"]))
    with tifffile.TiffFile(tmp_path / "one.tif") as file:
        assert file.asarray().shape == (4, 5)
        assert (file.imagej_metadata["min"], file.imagej_metadata["max"]) == (-2, 3)
        assert file.imagej_metadata["Labels"] == "µ"


def test_more_than_imagej_reads_is_refused_before_anything_is_read(tmp_path):
    shape = (1200, 900, 1000)
    huge = np.broadcast_to(np.float32(0), shape)
    stack = MapStack(huge, [Channel(str(i)) for i in range(shape[0])])
    with pytest.raises(ValueError, match=r"1200 maps need 4\.3 GB.*fewer maps"):
        next(write_tiff_maps(tmp_path / "huge.tif", stack))
    assert not list(tmp_path.iterdir())


def test_hdf5_holds_maps_with_unit_and_step_and_all_that_belongs_to_them(tmp_path):
    stack = latent_stack()
    path = finish(export_maps(tmp_path / "maps.h5", [on_disk(stack)]))
    with h5py.File(path) as file:
        assert list(file["maps"]) == ["feature 1, contrast", "a_b", "µ"]
        for dataset, values, channel in zip(
            file["maps"].values(), stack.values, stack.channels, strict=True
        ):
            assert dataset.dtype == np.float32
            np.testing.assert_array_equal(dataset, values)
            assert (dataset.attrs["name"], dataset.attrs["unit"]) == (channel.name, channel.unit)
            assert (dataset.attrs["step_y_um"], dataset.attrs["step_x_um"]) == stack.step
        assert json.loads(file["provenance"].asstr()[()]) == stack.provenance
        region = file["regions/Zelle"]
        assert region.attrs["shape_type"] == "polygon"
        np.testing.assert_array_equal(region, stack.regions[0].vertices)
        np.testing.assert_array_equal(file["arrays/background"], np.ones((3, 3)))


def test_maps_and_regions_of_one_name_stand_beside_each_other_in_hdf5(tmp_path):
    stack = latent_stack()
    stack = replace(stack, channels=[Channel("a")] * 3, regions=stack.regions * 2)
    finish(write_hdf5_maps(tmp_path / "maps.h5", stack))
    with h5py.File(tmp_path / "maps.h5") as file:
        assert list(file["maps"]) == ["a", "a_2", "a_3"]
        assert list(file["regions"]) == ["Zelle", "Zelle_2"]


def test_a_measured_scan_is_not_replaced_by_maps_but_older_maps_are(tmp_path):
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["patterns"] = np.arange(3)
    with pytest.raises(FileExistsError, match="not overwritten"):
        finish(write_hdf5_maps(path, latent_stack()))
    with h5py.File(path) as file:
        assert list(file) == ["patterns"]
    path.unlink()
    for stack in (latent_stack(3, 3), latent_stack(4, 4)):
        finish(write_hdf5_maps(path, stack))
    with h5py.File(path) as file:
        assert file["maps/µ"].shape == (4, 4)


@pytest.mark.parametrize("ending", [".tif", ".h5"])
def test_a_stopped_export_leaves_what_was_there(tmp_path, ending):
    path = tmp_path / f"maps{ending}"
    finish(export_maps(path, [latent_stack()]))
    before = path.read_bytes()
    job = export_maps(path, [latent_stack(8, 8)])
    next(job)
    job.close()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("ending", "tolerance"), [(".orix.h5", 1e-6), (".ang", 1e-4)])
def test_orix_reads_the_orientations_that_were_written(tmp_path, ending, tolerance):
    physics, latent = physics_stack(), latent_stack()
    path = finish(export_maps(tmp_path / f"scan{ending}", [on_disk(physics), on_disk(latent)]))
    read = orix.io.load(path)
    assert read.shape == (4, 5)
    assert (read.dy, read.dx, read.scan_unit) == (0.25, 0.4, "um")
    quaternions = np.moveaxis(physics.values[4:], 0, -1).reshape(-1, 4)
    known = np.isfinite(quaternions).all(axis=1)
    np.testing.assert_array_equal(read.is_indexed, known)
    between = ~Rotation(quaternions[known]) * read.rotations[known]
    assert between.angle.max() < tolerance
    phase = read.phases[int(read.phase_id.max())]
    assert phase.name == "titanium"
    assert phase.point_group.proper_subgroup.name == "622"
    np.testing.assert_allclose(phase.structure.lattice.abcABG()[2], 4.68)
    if ending == ".ang":
        columns = {"ci": physics.map(0), "iq": physics.map(1), "fit": physics.map(2)}
    else:
        assert phase.space_group.number == 194
        columns = {"confidence": physics.map(0)}
    columns |= {"KAM": physics.map(3), "feature_1_contrast": latent.map(0), "a_b": latent.map(1)}
    for name, values in columns.items():
        expected = values.ravel()[known]
        if ending == ".ang":  # Which has no word for what is not known.
            expected = np.nan_to_num(expected)
        np.testing.assert_allclose(read.prop[name][known], expected, atol=1e-5)


def angles_between(one, other):
    return np.rad2deg((~Rotation(one) * Rotation(other)).angle)


@pytest.mark.parametrize("ending", [".orix.h5", ".ang"])
def test_orix_reads_several_phases_that_were_written(tmp_path, ending, capsys):
    stack = spot_stack()
    read = orix.io.load(finish(export_maps(tmp_path / f"scan{ending}", [on_disk(stack)])))
    phase, known = stack.map(0).ravel(), np.nan_to_num(stack.map(0)).ravel() > 0
    assert (read.dy, read.dx, read.scan_unit) == (0.0025, 0.004, "um")
    np.testing.assert_array_equal(read.is_indexed, known)
    np.testing.assert_array_equal(read.phase_id[known], phase[known])
    quaternions = np.moveaxis(stack.values[3:], 0, -1).reshape(-1, 4)
    assert angles_between(quaternions[known], read.rotations[known].data).max() < 0.01
    groups = ["432", "622", "112"] if ending == ".ang" else ["m-3m", "6/mmm", "2/m"]
    for number, told, group in zip((1, 2, 3), PHASES, groups, strict=False):
        lattice = read.phases[number].structure.lattice.abcABG()
        np.testing.assert_allclose(lattice, told["lattice"], atol=1e-3)
        assert read.phases[number].point_group.name == group
    confidence = read.prop["ci" if ending == ".ang" else "confidence"]
    np.testing.assert_allclose(confidence[known], stack.map(1).ravel()[known], atol=1e-5)
    if ending == ".ang":
        np.testing.assert_array_equal(read.prop["iq"][known], stack.map(2).ravel()[known])


@pytest.mark.parametrize("ending", [".orix.h5", ".ang"])
@pytest.mark.parametrize("numbers", [[2, 3, 4], [3, 1, 1], [4, 4, 4]])
def test_phases_keep_their_numbers_where_others_do_not_occur(tmp_path, ending, numbers):
    stack = spot_stack()
    former = stack.map(0)
    phase = np.select([former == 1, former == 2, former == 3], numbers, former)
    stack = replace(stack, values=np.concatenate([phase[None], stack.values[1:]]))
    read = orix.io.load(finish(export_maps(tmp_path / f"scan{ending}", [on_disk(stack)])))
    known = np.nan_to_num(phase).ravel() > 0
    np.testing.assert_array_equal(read.is_indexed, known)
    np.testing.assert_array_equal(read.phase_id[known], phase.ravel()[known])
    for number in {*numbers}:
        lattice = read.phases[number].structure.lattice.abcABG()
        np.testing.assert_allclose(lattice, PHASES[number - 1]["lattice"], atol=1e-3)


def test_an_ang_file_has_english_letters_alone(tmp_path):
    stack = spot_stack()
    channels = [*stack.channels, Channel("β mean"), Channel("α mean"), Channel("µ")]
    values = np.concatenate([stack.values, stack.values[1:4] + 1])
    stack = replace(stack, channels=channels, values=values)
    path = finish(export_maps(tmp_path / "scan.ang", [stack]))
    header = path.read_bytes().decode("ascii")
    assert "fit, __mean, __mean_2, _\n" in header.replace("pattern_fit", "fit")
    assert "zirconia_ _" in header
    read = orix.io.load(path)
    np.testing.assert_allclose(
        read.prop["__mean_2"][read.is_indexed], values[8].ravel()[read.is_indexed], atol=1e-5
    )


def cells(a, b, c, *angles):
    """One cell in the axes of orix (x along a, z along c*) and of Oxford (z along c, x along a*).

    Its edges are columns.
    """
    alpha, beta, gamma = np.deg2rad(angles)
    cosines = np.cos([alpha, beta, gamma])
    volume = np.sqrt(1 - (cosines**2).sum() + 2 * cosines.prod())
    ca, cb, cg = cosines
    of_orix = [
        [a, b * cg, c * cb],
        [0, b * np.sin(gamma), c * (ca - cb * cg) / np.sin(gamma)],
        [0, 0, c * volume / np.sin(gamma)],
    ]
    of_oxford = [
        [a * volume / np.sin(alpha), 0, 0],
        [a * (cg - ca * cb) / np.sin(alpha), b * np.sin(alpha), 0],
        [a * cb, b * ca, c],
    ]
    return np.array(of_orix), np.array(of_oxford)


def test_channel_text_files_have_the_frames_of_oxford(tmp_path):
    stack = spot_stack()
    path = finish(export_maps(tmp_path / "scan.ctf", [on_disk(stack)]))
    read = orix.io.load(path)
    phase, known = stack.map(0).ravel(), np.nan_to_num(stack.map(0)).ravel() > 0
    assert (read.dy, read.dx, read.scan_unit) == (0.0025, 0.004, "um")
    np.testing.assert_array_equal(read.phase_id, np.where(known, phase, -1))
    quaternions = np.moveaxis(stack.values[3:], 0, -1).reshape(-1, 4)
    for number, told in enumerate(PHASES[:3], 1):
        of_phase = phase == number
        ours = Rotation(quaternions[of_phase]).to_matrix()
        theirs = read.rotations[of_phase].to_matrix()
        of_orix, of_oxford = cells(*told["lattice"])
        # Down, to the right and out of the map, in the one sample frame and in the other.
        for here, there in (((1, 0, 0), (0, -1, 0)), ((0, 1, 0), (1, 0, 0)), ((0, 0, 1),) * 2):
            uvw = np.linalg.solve(of_orix, (ours @ here).T)
            as_written = np.linalg.solve(of_oxford, (theirs @ there).T)
            np.testing.assert_allclose(as_written, uvw, atol=1e-4)
    np.testing.assert_array_equal(read.prop["bands"], np.nan_to_num(stack.map(2)).ravel())
    confidence = np.nan_to_num(stack.map(1)).ravel()
    np.testing.assert_array_equal(read.prop["BS"], np.rint(255 * confidence))
    expected = np.where(known, 0, 3)
    expected[np.isnan(phase)] = 5
    np.testing.assert_array_equal(read.prop["error"], expected)


def test_channel_text_files_are_written_as_channel_5_writes_them(tmp_path):
    path = finish(export_maps(tmp_path / "scan.ctf", [spot_stack()]))
    content = path.read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n") == 13 + 4 + 1 + 24
    lines = content.decode("ascii").splitlines()
    assert lines[0] == "Channel Text File"
    assert lines[3:8] == [
        "JobMode\tGrid",
        "XCells\t6",
        "YCells\t4",
        "XStep\t0.004000",
        "YStep\t0.002500",
    ]
    assert "\tKV\t200\t" in lines[11]
    assert lines[12] == "Phases\t4"
    told = [line.split("\t")[:5] for line in lines[13:17]]
    assert [one[3:] for one in told] == [["11", "225"], ["9", "194"], ["2", "14"], ["3", "62"]]
    assert [one[2] for one in told] == ["copper", "titanium", "zirconia_ _", "unseen"]
    assert told[1][:2] == ["2.9500;2.9500;4.6800", "90.0000;90.0000;120.0000"]
    assert lines[17] == "Phase\tX\tY\tBands\tError\tEuler1\tEuler2\tEuler3\tMAD\tBC\tBS"
    table = np.loadtxt(lines[18:])
    np.testing.assert_array_equal(table[:7, 1], 0.004 * np.array([0, 1, 2, 3, 4, 5, 0]))
    np.testing.assert_array_equal(table[:7, 2], 0.0025 * np.array([0, 0, 0, 0, 0, 0, 1]))
    assert 0 <= table[:, 5:8].min() <= table[:, 5:8].max() <= 360
    assert table[:, 6].max() <= 180
    assert (table[table[:, 0] == 0, 5:8] == 0).all()


def test_kikuchi_patterns_go_into_a_channel_text_file_with_fit_and_quality(tmp_path):
    stack = physics_stack()
    read = orix.io.load(finish(export_maps(tmp_path / "scan.ctf", [stack])))
    known = np.isfinite(stack.map(4)).ravel()
    np.testing.assert_array_equal(read.is_indexed, known)
    np.testing.assert_allclose(read.prop["MAD"], np.nan_to_num(stack.map(2)).ravel(), atol=1e-4)
    quality = stack.map(1).ravel()
    assert np.argmax(read.prop["BC"]) == np.argmax(quality)
    assert (read.prop["BC"].min(), read.prop["BC"].max()) == (0, 255)
    assert read.phases[1].space_group.number == 194


@pytest.mark.parametrize(
    ("space_group", "laue_group"),
    [
        *((1, 1), (2, 1), (3, 2), (15, 2), (16, 3), (75, 4), (89, 5), (142, 5), (143, 6)),
        *((149, 7), (168, 8), (177, 9), (194, 9), (195, 10), (206, 10), (207, 11), (230, 11)),
    ],
)
def test_channel_5_numbers_the_laue_groups(tmp_path, space_group, laue_group):
    stack = physics_stack()
    phase = {"name": "a", "space_group": space_group, "lattice": [4.0, 4.0, 5.0, 90.0, 90.0, 90.0]}
    stack = replace(stack, provenance={"indexing": {"phase": phase}})
    lines = finish(export_maps(tmp_path / "scan.ctf", [stack])).read_text().splitlines()
    assert lines[13].split("\t")[3:5] == [str(laue_group), str(space_group)]


def test_chosen_maps_go_with_the_orientations(tmp_path):
    path = finish(export_maps(tmp_path / "scan.orix.h5", [physics_stack(), latent_stack()], ["µ"]))
    assert set(orix.io.load(path).prop) == {"µ", "confidence", "pattern_quality_Hough", "fit"}


def test_a_map_may_bear_a_name_that_orix_uses(tmp_path):
    stack = physics_stack()
    channels = [Channel("x"), *stack.channels[1:]]
    path = finish(export_maps(tmp_path / "scan.orix.h5", [replace(stack, channels=channels)]))
    read = orix.io.load(path)
    assert read.dx == 0.4
    np.testing.assert_array_equal(read.prop["x_2"], stack.map(0).ravel())


def test_maps_stay_as_they_are_when_written(tmp_path):
    stack = physics_stack()
    before = stack.values.copy()
    finish(export_maps(tmp_path / "scan.ang", [stack]))
    np.testing.assert_array_equal(stack.values, before)


def test_maps_without_orientations_say_how_to_make_them(tmp_path):
    with pytest.raises(NoOrientationsError, match="napari-kikuchi maps SCAN --maps indexing"):
        finish(export_maps(tmp_path / "scan.ang", [latent_stack()]))
    lost = physics_stack()
    lost.values[4:] = np.nan
    with pytest.raises(NoOrientationsError, match="none of the patterns was indexed"):
        finish(crystal_map(lost))


def test_a_hexagonal_grid_is_not_squeezed_into_a_square_one():
    stack = physics_stack()
    stack = replace(stack, provenance={**stack.provenance, "scan": {"grid": "hexagonal"}})
    with pytest.raises(ValueError, match="hexagonal"):
        finish(crystal_map(stack))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"step": (1.0, 1.0)}, "step"),
        ({"provenance": {"scan": SCAN | {"fingerprint": {"crc32": [3]}}}}, "scan"),
    ],
)
def test_maps_of_different_scans_do_not_go_together(tmp_path, change, what):
    with pytest.raises(ValueError, match=f"of one {what}"):
        finish(export_maps(tmp_path / "m.h5", [physics_stack(), replace(latent_stack(), **change)]))
    with pytest.raises(ValueError, match="of one shape"):
        finish(export_maps(tmp_path / "m.h5", [physics_stack(), latent_stack(5, 5)]))


def test_what_cannot_be_written_names_what_can(tmp_path):
    with pytest.raises(ValueError, match=r"m\.png: expected a name that ends with \.tif"):
        finish(export_maps(tmp_path / "m.png", [latent_stack()]))
    with pytest.raises(ValueError, match="no map 'nix'; there are feature 1, contrast; a/b; µ"):
        finish(export_maps(tmp_path / "m.h5", [latent_stack()], ["µ", "nix"]))
