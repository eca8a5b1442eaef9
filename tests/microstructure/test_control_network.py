import pytest
import torch

from napari_kikuchi.microstructure.control_network import ControlArchitecture, ControlNetwork
from napari_kikuchi.microstructure.latents import shuffled_out
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.microstructure.wishes import WISHES


@pytest.fixture(params=[1, 2, 4])
def base(request):
    return GeneratorNetwork(GeneratorArchitecture((8, 8), block=request.param))


@pytest.fixture
def control(base):
    return ControlNetwork(ControlArchitecture(base.architecture, WISHES), base)


@pytest.fixture
def latents(base):
    block = base.architecture.block
    noised = shuffled_out(torch.randn(2, 4, 8, 16), block)
    unknown = shuffled_out((torch.rand(2, 1, 8, 16) < 0.5).float(), block)
    return noised, unknown, torch.rand(2)


def test_before_its_first_step_nothing_changes(base, control, latents):
    planes = torch.randn(2, len(WISHES), 8, 16)
    assert torch.equal(control(base, planes, *latents), base(*latents))


def test_all_of_it_learns_and_every_wish_has_a_say(base, control, latents):
    planes = torch.randn(2, len(WISHES), 8, 16, requires_grad=True)
    optimizer = torch.optim.Adam(control.parameters(), lr=1e-2)
    before = {name: value.clone() for name, value in control.named_parameters()}
    for _ in range(3):
        optimizer.zero_grad()
        (control(base, planes, *latents) ** 2).mean().backward()
        optimizer.step()
    assert not [name for name, one in control.named_parameters() if torch.equal(one, before[name])]
    assert (planes.grad != 0).all()
    with torch.no_grad():
        nothing = control(base, torch.full_like(planes, torch.nan), *latents)
        assert nothing.isfinite().all()
        assert not torch.equal(control(base, planes, *latents), nothing)


def test_it_starts_as_a_copy_of_the_way_down(base, control):
    parts = control.controlnet
    for name in ("conv_in", "time_embedding", "down_blocks", "mid_block"):
        copied = getattr(parts, name).state_dict()
        for key, value in getattr(base.unet, name).state_dict().items():
            assert torch.equal(copied[key], value), (name, key)
            assert copied[key].data_ptr() != value.data_ptr()


def test_settings_make_the_same_architecture():
    generator = GeneratorArchitecture((8, 16), block=2, process="diffusion")
    architecture = ControlArchitecture(generator, ("phase", "diameter"))
    assert ControlArchitecture.from_settings(architecture.settings()) == architecture


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"wishes": []}, "found none"),
        ({"wishes": ["colour"]}, "found colour"),
        ({"wishes": [3]}, "found 3"),
        ({"wishes": "phase"}, "as a list"),
        ({"generator": None}, "the generator"),
    ],
)
def test_settings_that_are_none_are_told(changed, told):
    settings = ControlArchitecture(GeneratorArchitecture(), ("phase",)).settings()
    with pytest.raises(ValueError, match=told):
        ControlArchitecture.from_settings({**settings, **changed})


def test_blocks_that_cannot_be_halved_are_told():
    with pytest.raises(ValueError, match="1, 2, 4, 8 or 16"):
        ControlArchitecture(GeneratorArchitecture(block=3), ("phase",))
