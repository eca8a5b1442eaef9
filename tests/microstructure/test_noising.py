import pytest
import torch
from diffusers import DDIMScheduler

from napari_kikuchi.microstructure.noising import PROCESSES, steps_from


@pytest.fixture(params=sorted(PROCESSES))
def process(request):
    return PROCESSES[request.param]()


@pytest.fixture
def latents():
    return torch.rand(3, 2, 4, 4) * 2 - 1


def test_noise_grows_with_time(process, latents):
    noise = torch.randn(latents.shape)
    first, middle, last = (
        process.noised(latents, noise, torch.full((3,), time)) for time in (0.0, 0.5, 1.0)
    )
    torch.testing.assert_close(first, latents, atol=0.05, rtol=0.05)
    torch.testing.assert_close(last, noise, atol=0.05, rtol=0.05)
    assert (middle - latents).norm() > 0.3 * noise.norm()


def test_each_picture_has_a_time_of_its_own(process, latents):
    noise = torch.randn(latents.shape)
    together = process.noised(latents, noise, torch.tensor([0.1, 0.5, 0.9]))
    for number, time in enumerate((0.1, 0.5, 0.9)):
        alone = process.noised(
            latents[number : number + 1], noise[number : number + 1], torch.tensor([time])
        )
        torch.testing.assert_close(together[number : number + 1], alone)


def exact(process, latents):
    """What a perfect network tells that has seen nothing but these latents."""

    def told(noised, time):
        times = torch.full((len(latents),), time)
        origin = process.noised(latents, torch.zeros_like(latents), times)
        scale = process.noised(torch.zeros_like(latents), torch.ones_like(latents), times)
        return process.target(latents, (noised - origin) / scale)

    return told


@pytest.mark.parametrize(
    ("start", "count", "taken"),
    [(1.0, 10, 10), (0.4, 10, 4), (1.0, 7, 7), (0.33, 30, 10), (0.01, 5, 1)],
)
def test_who_knows_the_latents_finds_them_again(process, latents, start, count, taken):
    noise = torch.randn(latents.shape)
    noised = process.noised(latents, noise, torch.full((3,), start))
    way = list(process.steps(noised, exact(process, latents), count, start))
    assert len(way) == taken == steps_from(start, count)
    torch.testing.assert_close(way[-1], latents, atol=1e-3, rtol=1e-3)


def test_diffusion_is_as_published():
    """As the scheduler of others has it, whose first time is our second."""
    scheduler = DDIMScheduler(1000, clip_sample=False)
    latents, noise = torch.rand(2, 1, 1, 1), torch.randn(2, 1, 1, 1)
    expected = scheduler.add_noise(latents, noise, torch.tensor([99, 699]))
    found = PROCESSES["diffusion"]().noised(latents, noise, torch.tensor([0.1, 0.7]))
    torch.testing.assert_close(found, expected)
    scheduler.set_timesteps(10)
    step = scheduler.step(noise, 699, latents).prev_sample
    taken = next(PROCESSES["diffusion"]().steps(latents, lambda *_: noise, 10, 0.7))
    # A step of ours leads from 0.7 to 0.6, and one of theirs from 699 to 599.
    torch.testing.assert_close(taken, step)


def test_times_lie_between_the_ends(process):
    times = process.times(2000, torch.Generator().manual_seed(0))
    assert 0 <= float(times.min()) < 0.1
    assert 0.9 < float(times.max()) <= 1
    assert float(times.mean()) == pytest.approx(0.5, abs=0.03)
