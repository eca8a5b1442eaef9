from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_kikuchi.io.weights import ModelFileError
from napari_kikuchi.jobs import JobWarning, finish
from napari_kikuchi.microstructure.control import MicrostructureControl, base_checksum
from napari_kikuchi.microstructure.control_network import ControlArchitecture, ControlNetwork
from napari_kikuchi.microstructure.descriptors import boundary_agreement
from napari_kikuchi.microstructure.filling import fill, generate
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.microstructure.pictures import random_pictures
from napari_kikuchi.microstructure.wishes import Wishes

KNOWN = ("phase", "fraction")


@pytest.fixture(scope="module", params=[1, 2])
def base(request):
    torch.manual_seed(0)
    architecture = GeneratorArchitecture((8, 8), block=request.param)
    return MicrostructureGenerator(GeneratorNetwork(architecture).eval())


@pytest.fixture(scope="module")
def fresh(base):
    """With a control that has no say yet."""
    torch.manual_seed(1)
    architecture = ControlArchitecture(base.network.architecture, KNOWN)
    network = ControlNetwork(architecture, base.network).eval()
    return replace(base, control=MicrostructureControl(network, base_checksum(base.network)))


@pytest.fixture(scope="module")
def controlled(fresh):
    """With a control whose zero convolutions are no longer zero."""
    network = ControlNetwork(fresh.control.network.architecture, fresh.network).eval()
    with torch.no_grad():
        for one in network.parameters():
            if not one.any():
                one.normal_(0, 0.3)
    return replace(fresh, control=replace(fresh.control, network=network, provenance={"by": 1}))


@pytest.fixture
def picture():
    picture = np.random.default_rng(0).random((4, 9, 14)).astype(np.float32)
    picture[:, 2:7, 3:9] = np.nan
    return picture


@pytest.fixture
def wished():
    return Wishes(phase=np.eye(9, 14), fraction=0.3)


def test_a_control_without_a_say_changes_nothing(base, fresh, picture, wished):
    plain = finish(fill(base, picture, steps=3))
    np.testing.assert_array_equal(finish(fill(fresh, picture, wished=wished, steps=3)), plain)


def test_wishes_change_what_is_unknown_alone(base, controlled, picture, wished):
    plain = finish(fill(base, picture, steps=3))
    led = finish(fill(controlled, picture, wished=wished, steps=3))
    known = ~np.isnan(picture).any(axis=0)
    np.testing.assert_array_equal(led[:, known], picture[:, known])
    assert not np.isclose(led[:, ~known], plain[:, ~known]).all()
    for nothing in (None, Wishes()):
        unled = finish(fill(controlled, picture, wished=nothing, steps=3))
        np.testing.assert_array_equal(unled, plain)


def test_each_of_several_scales_is_led(base, picture):
    seen, checked = [], []

    class Looking:
        def check_base(self, network):
            pass

        def warn_beyond(self, wishes):
            checked.append(wishes.diameter)

        def planes(self, wishes, shape):
            seen.append((wishes.phase.tolist(), wishes.fraction, wishes.diameter, shape))
            return torch.zeros(1, 4, *(side + -side % 2 for side in shape))

        def network(self, base, planes, noised, unknown, times):
            assert len(planes) == len(noised)
            return noised

    looking = replace(base, control=Looking())
    wished = Wishes(phase=np.arange(126).reshape(9, 14) / 126, fraction=0.3, diameter=12.0)
    finish(fill(looking, picture, wished=wished, scale=2, candidates=3, steps=2))
    fine, coarse = seen
    assert fine == (wished.phase.tolist(), 0.3, 12.0, (9, 14))
    # Grains get their size at the coarsest one.
    assert checked == [6.0]
    assert coarse == (wished.phase[1::2, 1::2].tolist(), 0.3, 6.0, (4, 7))


def test_each_wish_makes_a_difference(controlled):
    made = [
        finish(generate(controlled, 2, (9, 14), wished=wished, steps=2))
        for wished in (
            Wishes(fraction=0.3),
            Wishes(fraction=0.5),
            Wishes(phase=np.zeros((9, 14))),
            Wishes(phase=np.eye(9, 14)),
            Wishes(phase=np.eye(9, 14), fraction=0.3),
        )
    ]
    assert {one.shape for one in made} == {(2, 4, 9, 14)}
    assert len({one.tobytes() for one in made}) == len(made)


def test_wishes_hold_for_more_than_are_made_at_a_time(controlled, monkeypatch):
    monkeypatch.setattr("napari_kikuchi.microstructure.filling._AT_A_TIME", 9 * 14 * 3)
    made = finish(generate(controlled, 5, (8, 12), wished=Wishes(fraction=0.3), steps=2))
    assert len({one.tobytes() for one in made}) == 5


def test_a_phase_goes_on_as_at_its_edge(controlled):
    phase = np.zeros((3, 5))
    phase[:, 4] = 1
    planes = controlled.control.planes(Wishes(phase=phase, fraction=0.25), (3, 5))
    multiple = controlled.network.architecture.multiple
    rows, cols = (-(-side // multiple) * multiple for side in (3, 5))
    assert planes.shape == (1, 4, rows, cols)
    assert (planes[0, 0, :, 4:] == 1).all()
    assert (planes[0, 0, :, :4] == -1).all()
    assert (planes[0, 1] == -0.5).all()


def test_tiles_are_led_as_they_go_on(controlled, monkeypatch):
    """A tile with its wishes moved and made of the moved noise is the moved tile."""
    block = controlled.network.architecture.block
    phase, noise = np.eye(16), {}
    noise["now"] = torch.rand(1, 4 * block**2, 16 // block, 16 // block) - 0.5
    monkeypatch.setattr(
        "napari_kikuchi.microstructure.generator.torch.randn", lambda *_, **__: noise["now"]
    )

    def made(wished):
        return finish(generate(controlled, 1, (16, 16), wished=wished, tileable=True, steps=2))

    tile = made(Wishes(phase=phase))
    noise["now"] = noise["now"].roll((8 // block, 4 // block), (2, 3))
    moved = made(Wishes(phase=np.roll(phase, (8, 4), (0, 1))))
    np.testing.assert_allclose(moved, np.roll(tile, (8, 4), (2, 3)), atol=1e-5)
    assert np.abs(moved - np.roll(made(Wishes(phase=phase)), (8, 4), (2, 3))).max() > 1e-4


def test_a_wish_it_was_not_trained_for_is_told(controlled):
    with pytest.raises(ValueError, match=r"phase, fraction, for which .* found one for diameter"):
        finish(generate(controlled, 1, (8, 8), wished=Wishes(diameter=8)))


def test_wishes_beyond_what_was_learned_from_are_told(controlled):
    control = replace(controlled.control, provenance={"learned": {"fraction": [0.2, 0.6]}})
    job = generate(replace(controlled, control=control), 1, (8, 8), wished=Wishes(fraction=0.61))
    with pytest.warns(JobWarning, match=r"fraction from 0.2 to 0.6, .* found a wish for 0.61"):
        finish(job)
    for fraction in (0.2, 0.6):
        control.warn_beyond(Wishes(fraction=fraction, diameter=40.0))


@pytest.mark.parametrize(
    "provenance",
    [{}, {"learned": 3}, {"learned": {"diameter": [1, 2]}}, {"learned": {"fraction": ["a", 0]}}],
)
def test_where_nobody_knows_what_was_learned_from_nothing_is_told(controlled, provenance):
    replace(controlled.control, provenance=provenance).warn_beyond(Wishes(fraction=0.5))


def test_a_phase_of_another_size_is_told(controlled):
    with pytest.raises(ValueError, match="8 x 12 pixels, found 9 x 14"):
        finish(generate(controlled, 1, (8, 12), wished=Wishes(phase=np.eye(9, 14))))


def test_wishes_without_a_control_are_told(base, picture):
    with pytest.raises(ValueError, match="train-control"):
        finish(fill(base, picture, wished=Wishes(fraction=0.5)))
    planes = torch.zeros(1, 4, 8, 8)
    with pytest.raises(ValueError, match="train-control"):
        finish(base.filled(planes, torch.ones(1, 1, 8, 8), wished=planes))


def test_a_file_keeps_all_of_it(base, controlled, tmp_path):
    path = tmp_path / "control.safetensors"
    controlled.control.save(path)
    read = base.controlled(path)
    assert read.control.network.architecture == controlled.control.network.architecture
    assert read.control.provenance == {"by": 1}
    one, other = (
        finish(generate(some, 1, (8, 8), wished=Wishes(fraction=0.4), steps=2))
        for some in (controlled, read)
    )
    np.testing.assert_array_equal(one, other)


def test_another_generator_is_refused(base, controlled, tmp_path):
    other = MicrostructureGenerator(GeneratorNetwork(base.network.architecture).eval())
    with pytest.raises(ValueError, match=r"belongs to a generator with weights \w{12}…"):
        replace(other, control=controlled.control)
    controlled.control.save(tmp_path / "control.safetensors")
    with pytest.raises(ModelFileError, match=r"control\.safetensors: .* does not fit"):
        other.controlled(tmp_path / "control.safetensors")


def test_a_generator_is_no_control(base, tmp_path):
    base.save(tmp_path / "base.safetensors")
    with pytest.raises(ModelFileError, match="expected a microstructure control"):
        base.controlled(tmp_path / "base.safetensors")


def test_the_control_that_comes_along_leads_the_generator_that_does():
    """To phases that neither has seen, and to more or less of the second one."""
    generator = MicrostructureGenerator.shipped("cpu").controlled(None)
    (real,) = finish(random_pictures(1, 1, 64, seed=98)).values / np.float32(255)
    (made,) = finish(generate(generator, 1, (64, 64), wished=Wishes(phase=real[3]), steps=10))
    assert boundary_agreement(real[3] > 0.5, made[3] > 0.5) > 0.9
    little, much = (
        finish(generate(generator, 4, (64, 64), wished=Wishes(fraction=one), steps=10))[:, 3] > 0.5
        for one in (0.1, 0.9)
    )
    assert much.mean() - little.mean() > 0.3
