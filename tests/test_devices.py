import pytest

from napari_kikuchi.devices import pick_device


def test_the_processor_is_always_there():
    assert pick_device("cpu") == "cpu"
    assert pick_device("auto") in ("cuda", "mps", "cpu")
    with pytest.raises(ValueError, match=r"device 'tpu' is not available to torch here; .*cpu"):
        pick_device("tpu")
