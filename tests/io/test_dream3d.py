from dataclasses import replace

import h5py
import numpy as np
import pytest
from exported import PHASES, latent_stack, physics_stack, spot_stack
from orix.quaternion import Rotation

from napari_kikuchi.explore.inverse_pole_figures import ipf_colours
from napari_kikuchi.explore.orientations import orientations_in
from napari_kikuchi.io.dream3d import write_dream3d
from napari_kikuchi.io.export import export_maps
from napari_kikuchi.io.indexed import NoOrientationsError
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel

CONTAINER = "DataContainers/ImageDataContainer"


def with_maps(stack, **maps):
    """A stack with further maps, whose names have spaces for underscores."""
    channels = [*stack.channels, *(Channel(name.replace("_", " ")) for name in maps)]
    values = np.concatenate([stack.values, np.stack([*maps.values()]).astype(np.float32)])
    return replace(stack, channels=channels, values=values)


def written(tmp_path, stack):
    return h5py.File(finish(export_maps(tmp_path / "scan.dream3d", [stack])))


def as_on_the_map(dataset):
    """Values of cells in rows from the top of the map, without the third dimension."""
    assert dataset.shape[0] == 1
    return dataset[0][::-1]


def known_in(stack):
    return np.isfinite(stack.values[-4:]).all(axis=0)


def quaternions_in(stack):
    return np.moveaxis(stack.values[-4:], 0, -1)


def test_the_file_says_that_it_is_of_version_7_and_how_it_was_made(tmp_path):
    with written(tmp_path, spot_stack()) as file:
        assert file.attrs["FileVersion"] == b"7.0"
        assert file.attrs["DREAM3D Version"].startswith(b"napari-kikuchi ")
        assert b'"Number_Filters": 0' in file["Pipeline/Pipeline"][()]
        assert file["Pipeline"].attrs["Pipeline Version"] == 2


def test_attributes_have_texts_of_fixed_length_that_end_with_zero(tmp_path):
    # DREAM3D-NX reads no others.
    def check(_, item):
        for name in item.attrs:
            kind = item.attrs.get_id(name).dtype
            if kind.kind in "SO":
                assert h5py.check_string_dtype(kind).length == len(item.attrs[name]) + 1

    with written(tmp_path, spot_stack()) as file:
        check("/", file)
        file.visititems(check)


def test_cells_have_the_step_of_the_scan(tmp_path):
    with written(tmp_path, spot_stack()) as file:
        geometry = file[f"{CONTAINER}/_SIMPL_GEOMETRY"]
        assert geometry["DIMENSIONS"].dtype == np.int64
        np.testing.assert_array_equal(geometry["DIMENSIONS"], [6, 4, 1])
        np.testing.assert_array_equal(geometry["SPACING"], np.float32([0.004, 0.0025, 0.004]))
        np.testing.assert_array_equal(geometry["ORIGIN"], [0, 0, 0])
        assert geometry["SPACING"].dtype == geometry["ORIGIN"].dtype == np.float32
        assert geometry.attrs["GeometryTypeName"] == b"ImageGeometry"
        assert geometry.attrs["GeometryType"] == 0
        assert geometry.attrs["SpatialDimensionality"] == 3


@pytest.mark.parametrize(
    ("name", "kind", "stored", "components"),
    [
        ("EulerAngles", b"DataArray<float>", np.float32, 3),
        ("Quats", b"DataArray<float>", np.float32, 4),
        ("Phases", b"DataArray<int32_t>", np.int32, 1),
        ("FeatureIds", b"DataArray<int32_t>", np.int32, 1),
        ("Mask", b"DataArray<bool>", np.uint8, 1),
        ("IPFColor", b"DataArray<uint8_t>", np.uint8, 3),
        ("spots", b"DataArray<float>", np.float32, 1),
    ],
)
def test_arrays_of_cells_tell_type_and_shape(tmp_path, name, kind, stored, components):
    colours = {f"IPF_z_{part}": np.zeros((4, 6)) for part in ("red", "green", "blue")}
    stack = with_maps(spot_stack(), grain=np.ones((4, 6)), **colours)
    with written(tmp_path, stack) as file:
        cells = file[f"{CONTAINER}/CellData"]
        assert cells.attrs["AttributeMatrixType"] == 3
        np.testing.assert_array_equal(cells.attrs["TupleDimensions"], [6, 4, 1])
        array = cells[name]
        assert array.dtype == stored
        # x is the fastest.
        assert array.shape == (1, 4, 6, components)
        assert array.attrs["ObjectType"] == kind
        assert array.attrs["ComponentDimensions"] == components
        assert array.attrs["DataArrayVersion"] == 2
        np.testing.assert_array_equal(array.attrs["TupleDimensions"], [6, 4, 1])
        assert array.attrs["Tuple Axis Dimensions"] == b"x=6,y=4,z=1"


def test_cells_run_from_left_to_right_and_from_the_bottom_of_the_map_to_its_top(tmp_path):
    row, col = np.indices((4, 6))
    with written(tmp_path, with_maps(spot_stack(), row=row, col=col)) as file:
        cells = file[f"{CONTAINER}/CellData"]
        np.testing.assert_array_equal(cells["col"][:].ravel()[:7], [0, 1, 2, 3, 4, 5, 0])
        np.testing.assert_array_equal(cells["row"][:].ravel()[:7], [3, 3, 3, 3, 3, 3, 2])


def test_directions_of_the_sample_are_those_of_the_cells(tmp_path):
    stack = spot_stack()
    known = known_in(stack)
    with written(tmp_path, stack) as file:
        cells = file[f"{CONTAINER}/CellData"]
        theirs = Rotation.from_euler(as_on_the_map(cells["EulerAngles"])[known]).to_matrix()
    ours = Rotation(quaternions_in(stack)[known]).to_matrix()
    # Down, to the right and out of the map, in our frame and in that of the file.
    for here, there in (((1, 0, 0), (0, -1, 0)), ((0, 1, 0), (1, 0, 0)), ((0, 0, 1),) * 2):
        np.testing.assert_allclose(theirs @ there, ours @ here, atol=1e-6)


def test_quaternions_are_those_of_the_euler_angles_with_the_scalar_last(tmp_path):
    stack = spot_stack()
    known = known_in(stack)
    with written(tmp_path, stack) as file:
        cells = file[f"{CONTAINER}/CellData"]
        angles = as_on_the_map(cells["EulerAngles"])[known].astype(np.float64)
        quaternions = as_on_the_map(cells["Quats"])[known]
    assert ((angles >= 0) & (angles <= 2 * np.pi + 1e-6)).all()
    assert angles[:, 1].max() <= np.pi
    # Rowenhorst et al. 2015, equation A.5, with P = +1.
    phi1, half, phi2 = angles[:, 0], angles[:, 1] / 2, angles[:, 2]
    total, between = (phi1 + phi2) / 2, (phi1 - phi2) / 2
    vector = [np.sin(half) * np.cos(between), np.sin(half) * np.sin(between)]
    expected = -np.stack([*vector, np.cos(half) * np.sin(total), -np.cos(half) * np.cos(total)], 1)
    expected *= np.sign(expected[:, 3:])
    np.testing.assert_allclose(quaternions, expected, atol=1e-6)


def test_what_lies_along_the_normal_keeps_its_colour(tmp_path):
    stack = spot_stack()
    ours = orientations_in(stack)
    with written(tmp_path, stack) as file:
        cells = file[f"{CONTAINER}/CellData"]
        read = np.roll(as_on_the_map(cells["Quats"]).astype(np.float64), 1, axis=-1)
    read[~known_in(stack)] = np.nan
    theirs = replace(ours, quaternions=read)
    np.testing.assert_allclose(ipf_colours(theirs), ipf_colours(ours), atol=1e-3)


def test_positions_without_orientation_are_of_no_phase(tmp_path):
    stack = spot_stack()
    known = known_in(stack)
    assert 0 < (~known).sum() < known.size
    with written(tmp_path, stack) as file:
        cells = file[f"{CONTAINER}/CellData"]
        phases = as_on_the_map(cells["Phases"])[..., 0]
        np.testing.assert_array_equal(phases, np.where(known, stack.map(0), 0))
        np.testing.assert_array_equal(as_on_the_map(cells["Mask"])[..., 0], known)
        assert (as_on_the_map(cells["EulerAngles"])[~known] == 0).all()
        assert (as_on_the_map(cells["Quats"])[~known] == [0, 0, 0, 1]).all()
        np.testing.assert_array_equal(as_on_the_map(cells["spots"])[..., 0], stack.map(2))


def test_phases_are_counted_from_one_with_lattice_and_laue_group(tmp_path):
    with written(tmp_path, spot_stack()) as file:
        ensembles = file[f"{CONTAINER}/CellEnsembleData"]
        assert ensembles.attrs["AttributeMatrixType"] == 11
        assert ensembles.attrs["TupleDimensions"] == 5
        structures = ensembles["CrystalStructures"]
        assert structures.dtype == np.uint32
        np.testing.assert_array_equal(structures, [[999], [1], [0], [5], [6]])
        lattices = ensembles["LatticeConstants"]
        assert lattices.attrs["ComponentDimensions"] == 6
        assert lattices.attrs["Tuple Axis Dimensions"] == b"x=5"
        np.testing.assert_allclose(lattices[1:], [one["lattice"] for one in PHASES], atol=1e-5)
        for name in ("PhaseName", "MaterialName"):
            told = [one.decode("ascii") for one in ensembles[name]]
            assert told == ["Unknown", "copper", "titanium", "zirconia_ _", "unseen"]
            assert ensembles[name].attrs["ObjectType"] == b"StringDataArray"
            assert h5py.check_string_dtype(ensembles[name].dtype).encoding == "ascii"


@pytest.mark.parametrize(
    ("space_group", "structure"),
    [
        *((1, 4), (2, 4), (3, 5), (15, 5), (16, 6), (74, 6), (75, 7), (88, 7), (89, 8), (142, 8)),
        *((143, 9), (148, 9), (149, 10), (167, 10), (168, 2), (176, 2), (177, 0), (194, 0)),
        *((195, 3), (206, 3), (207, 1), (230, 1)),
    ],
)
def test_dream3d_numbers_the_laue_groups(tmp_path, space_group, structure):
    stack = physics_stack()
    phase = {"name": "a", "space_group": space_group, "lattice": [4.0, 4.0, 5.0, 90.0, 90.0, 90.0]}
    stack = replace(stack, provenance={"indexing": {"phase": phase}})
    with written(tmp_path, stack) as file:
        structures = file[f"{CONTAINER}/CellEnsembleData/CrystalStructures"]
        np.testing.assert_array_equal(structures, [[999], [structure]])


def test_grains_are_the_features_and_are_not_invented(tmp_path):
    grain = 1.0 + np.arange(24).reshape(4, 6) // 5
    grain[2, 2] = np.nan
    with written(tmp_path, spot_stack()) as file:
        assert "FeatureIds" not in file[f"{CONTAINER}/CellData"]
    with written(tmp_path, with_maps(spot_stack(), grain=grain)) as file:
        cells = file[f"{CONTAINER}/CellData"]
        features = as_on_the_map(cells["FeatureIds"])[..., 0]
        np.testing.assert_array_equal(features, np.nan_to_num(grain))
        assert "grain" not in cells


@pytest.mark.parametrize("name", ["IPF", "IPF_z"])
def test_the_picture_along_the_normal_is_one_of_whole_numbers(tmp_path, name):
    colours = np.linspace(0, 1, 3 * 24).reshape(3, 4, 6)
    colours[:, 2, 2] = np.nan
    parts = dict(zip(("red", "green", "blue"), colours, strict=True))
    stack = with_maps(spot_stack(), **{f"{name}_{part}": one for part, one in parts.items()})
    with written(tmp_path, stack) as file:
        cells = file[f"{CONTAINER}/CellData"]
        expected = np.rint(255 * np.nan_to_num(np.moveaxis(colours, 0, -1)))
        np.testing.assert_array_equal(as_on_the_map(cells["IPFColor"]), expected)
        assert not [one for one in cells if one.startswith("IPF ")]


def test_pictures_along_other_axes_stay_maps(tmp_path):
    colours = {f"IPF_x_{part}": np.zeros((4, 6)) for part in ("red", "green", "blue")}
    with written(tmp_path, with_maps(spot_stack(), **colours)) as file:
        cells = file[f"{CONTAINER}/CellData"]
        assert "IPFColor" not in cells
        assert {"IPF x red", "IPF x green", "IPF x blue"} <= {*cells}


def test_other_maps_keep_their_names_as_far_as_they_can(tmp_path):
    stack = physics_stack()
    channels = [Channel("Mask"), Channel("a/b"), Channel("feature 3"), *stack.channels[3:]]
    with written(tmp_path, replace(stack, channels=channels)) as file:
        cells = file[f"{CONTAINER}/CellData"]
        own = {"EulerAngles", "Quats", "Phases", "Mask"}
        assert {*cells} == own | {"Mask_2", "a_b", "feature 3", "KAM"}
        np.testing.assert_array_equal(as_on_the_map(cells["a_b"])[..., 0], stack.map(1))
        np.testing.assert_array_equal(as_on_the_map(cells["KAM"])[..., 0], stack.map(3))


def test_chosen_maps_go_with_the_orientations_into_dream3d(tmp_path):
    stacks = [physics_stack(), latent_stack()]
    with h5py.File(finish(export_maps(tmp_path / "scan.dream3d", stacks, ["µ"]))) as file:
        own = {"EulerAngles", "Quats", "Phases", "Mask"}
        others = {"µ", "confidence", "pattern quality (Hough)", "fit"}
        assert {*file[f"{CONTAINER}/CellData"]} == own | others


def test_a_stopped_export_to_dream3d_leaves_what_was_there(tmp_path):
    path = tmp_path / "scan.dream3d"
    finish(write_dream3d(path, spot_stack()))
    before = path.read_bytes()
    job = write_dream3d(path, spot_stack(8, 8))
    for _ in range(3):
        next(job)
    assert (tmp_path / "scan.dream3d.partial").exists()
    job.close()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    finish(write_dream3d(path, spot_stack(8, 8)))
    with h5py.File(path) as file:
        assert file[f"{CONTAINER}/CellData/Phases"].shape == (1, 8, 8, 1)


def test_dream3d_is_given_no_maps_without_orientations(tmp_path):
    with pytest.raises(NoOrientationsError, match="napari-kikuchi maps SCAN --maps indexing"):
        finish(write_dream3d(tmp_path / "scan.dream3d", latent_stack()))
    assert not list(tmp_path.iterdir())


def test_dream3d_is_given_no_hexagonal_grid(tmp_path):
    stack = physics_stack()
    stack = replace(stack, provenance={**stack.provenance, "scan": {"grid": "hexagonal"}})
    with pytest.raises(ValueError, match="hexagonal"):
        finish(write_dream3d(tmp_path / "scan.dream3d", stack))
    assert not list(tmp_path.iterdir())
