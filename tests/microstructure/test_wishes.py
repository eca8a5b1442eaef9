import numpy as np
import pytest
import torch

from napari_kikuchi.microstructure.wishes import WISHES, Wishes, channels, scaled_numbers


def test_planes_tell_what_is_wished_for_and_where():
    phase = np.array([[0, 1, np.nan], [0.5, 1, 0]])
    planes = Wishes(phase=phase, diameter=16).planes((2, 3))
    assert planes.shape == (len(WISHES), 2, 3)
    np.testing.assert_allclose(planes[0], 2 * phase - 1)
    assert (planes[WISHES.index("diameter")] == 1).all()
    assert planes[[WISHES.index("fraction"), WISHES.index("coercivity")]].isnan().all()


def test_networks_read_values_and_where_there_are_any():
    planes = torch.tensor([0.0, torch.nan, -1.0, torch.nan]).reshape(1, 4, 1, 1)
    read = channels(planes.expand(2, 4, 3, 5))
    assert read.shape == (2, 8, 3, 5)
    assert read[1, :, 2, 4].tolist() == [0, 0, -1, 0, 1, 0, 1, 0]


def test_numbers_are_told_about_minus_one_to_one():
    least, most = torch.tensor([[0.0, 4.0, 0.0], [1.0, 16.0, 40.0]])
    torch.testing.assert_close(scaled_numbers(least), -torch.ones(3))
    torch.testing.assert_close(scaled_numbers(most), torch.ones(3))


def test_wishes_are_told_by_name():
    wishes = Wishes(phase=np.zeros((3, 4)), coercivity=20.0)
    assert wishes.names == ("phase", "coercivity")
    assert wishes.settings() == {"phase": [3, 4], "coercivity": 20.0}
    assert Wishes().names == ()
    # Nothing of the second phase is a wish, too.
    assert Wishes(fraction=0.0).names == ("fraction",)


@pytest.mark.parametrize(
    ("wished", "told"),
    [
        ({"fraction": 1.1}, "from 0 to 1, found 1.1"),
        ({"fraction": float("nan")}, "from 0 to 1"),
        ({"diameter": 0.0}, "more than 0 pixels"),
        ({"coercivity": -1.0}, "0 T or more"),
        ({"coercivity": float("inf")}, "0 T or more"),
        ({"phase": np.zeros(4)}, "rows, columns"),
        ({"phase": np.full((2, 2), 255)}, "from 0 to 1"),
        ({"phase": np.full((2, 2), np.nan)}, "nothing known"),
    ],
)
def test_what_nothing_can_be_like_is_told(wished, told):
    with pytest.raises(ValueError, match=told):
        Wishes(**wished)


def test_a_phase_image_of_another_size_is_told():
    with pytest.raises(ValueError, match="16 x 24 pixels, found 16 x 16"):
        Wishes(phase=np.zeros((16, 16))).planes((16, 24))
