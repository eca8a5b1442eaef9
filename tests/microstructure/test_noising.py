import pytest
import torch

from napari_kikuchi.microstructure.noising import PROCESSES


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


@pytest.mark.parametrize("start", [1.0, 0.4])
def test_who_knows_the_latents_finds_them_again(process, latents, start):
    noise = torch.randn(latents.shape)
    noised = process.noised(latents, noise, torch.full((3,), start))
    way = list(process.steps(noised, exact(process, latents), 10, start))
    assert len(way) == round(10 * start)
    torch.testing.assert_close(way[-1], latents, atol=0.05, rtol=0.05)


def test_times_lie_between_the_ends(process):
    times = process.times(2000, torch.Generator().manual_seed(0))
    assert 0 <= float(times.min()) < 0.1
    assert 0.9 < float(times.max()) <= 1
    assert float(times.mean()) == pytest.approx(0.5, abs=0.03)
