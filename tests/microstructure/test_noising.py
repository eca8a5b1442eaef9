from itertools import pairwise

import pytest
import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler

from napari_kikuchi.microstructure.noising import (
    PROCESSES,
    first_guess,
    noised,
    random_times,
    way_back,
)


@pytest.fixture(params=sorted(PROCESSES))
def process(request):
    return PROCESSES[request.param]()


@pytest.fixture
def latents():
    return torch.rand(3, 2, 4, 4) * 2 - 1


def test_noise_grows_with_time(process, latents):
    noise = torch.randn(latents.shape)
    first, middle, last = (
        noised(process, latents, noise, torch.full((3,), time)) for time in (0.0, 0.5, 1.0)
    )
    torch.testing.assert_close(first, latents)
    torch.testing.assert_close(last, noise, atol=0.03, rtol=0.03)
    assert (middle - latents).norm() > 0.3 * noise.norm()


def test_each_picture_has_a_time_of_its_own(process, latents):
    noise = torch.randn(latents.shape)
    times = torch.tensor([0.1, 0.5, 0.9])
    together = noised(process, latents, noise, times)
    for number in range(3):
        part = slice(number, number + 1)
        alone = noised(process, latents[part], noise[part], times[part])
        torch.testing.assert_close(together[part], alone)


@pytest.mark.parametrize("start", [1.0, 0.37])
def test_who_knows_the_latents_finds_them_again(process, latents, start):
    noise = torch.randn(latents.shape)
    found = noised(process, latents, noise, torch.full((3,), start))
    for time, after in pairwise(way_back(start, 11)):
        found = process.step(found, latents, time, after)
        # The same noise all the way.
        expected = noised(process, latents, noise, torch.full((3,), after))
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found, latents)


@pytest.mark.parametrize(("start", "steps", "taken"), [(1, 10, 10), (0.4, 10, 4), (0.01, 5, 1)])
def test_a_way_back_leads_from_its_start_to_nothing(start, steps, taken):
    times = way_back(start, steps)
    assert len(times) == taken + 1
    assert times[0] == pytest.approx(start)
    assert times[-1] == 0
    assert times == sorted(times, reverse=True)
    # In much noise steps are shorter.
    assert taken < 3 or times[0] - times[1] < times[-2] - times[-1]


def test_diffusion_is_as_published(latents):
    """As others have it, whose first time is our second."""
    scheduler = DDIMScheduler(1000, clip_sample=False, prediction_type="sample")
    noise = torch.randn(latents.shape)
    ours = PROCESSES["diffusion"]()
    expected = scheduler.add_noise(latents, noise, torch.tensor([99, 499, 699]))
    torch.testing.assert_close(
        noised(ours, latents, noise, torch.tensor([0.1, 0.5, 0.7])), expected
    )
    scheduler.set_timesteps(10)
    expected = scheduler.step(latents, 699, noise).prev_sample
    torch.testing.assert_close(ours.step(noise, latents, 0.7, 0.6), expected)


def test_flow_is_as_others_have_it(latents):
    scheduler = FlowMatchEulerDiscreteScheduler(1000)
    noise = torch.randn(latents.shape)
    scheduler.set_timesteps(sigmas=[0.8, 0.5])
    expected = scheduler.step((noise - latents) / 0.8, scheduler.timesteps[0], noise).prev_sample
    torch.testing.assert_close(PROCESSES["flow"]().step(noise, latents, 0.8, 0.5), expected)


def test_errors_count_as_if_the_noise_had_been_told(process, latents):
    """The noise, or its difference to the latents, that follows from latents told amiss."""
    noise, amiss = torch.randn(latents.shape), 0.1 * torch.randn(latents.shape)
    times = torch.tensor([0.3, 0.5, 0.9])
    noisy = noised(process, latents, noise, times)
    for number, time in enumerate(times.tolist()):
        right, wrong = latents[number], latents[number] + amiss[number]
        # Both lead on to where what they tell the noise to be would take them.
        steps = [process.step(noisy[number], one, time, time / 2) for one in (right, wrong)]
        at = torch.full((1,), time / 2)
        shares = [
            float(noised(process, torch.tensor([[a]]), torch.tensor([[b]]), at))
            for a, b in ((1.0, 0.0), (0.0, 1.0))
        ]
        noises = [
            (step - shares[0] * one) / shares[1]
            for step, one in zip(steps, (right, wrong), strict=True)
        ]
        of_noise = (noises[1] - noises[0]).square().sum()
        if isinstance(process, PROCESSES["flow"]):
            of_noise = (noises[1] - noises[0] - amiss[number]).square().sum()
        expected = float(of_noise / amiss[number].square().sum())
        assert float(process.weights(times[number : number + 1])) == pytest.approx(
            expected, rel=1e-3
        )


def test_times_lie_between_the_ends():
    times = random_times(4000, torch.Generator().manual_seed(0))
    assert 0 < float(times.min()) < 0.15
    assert 0.95 < float(times.max()) < 1
    assert 0.5 < float(times.mean()) < 0.7


@pytest.mark.parametrize("time", [0.02, 0.3, 0.7, 0.99])
def test_the_first_guess_is_the_best_without_a_network(process, time):
    """Of normal numbers: no other multiple of them is nearer, and what it misses is told."""
    generator = torch.Generator().manual_seed(0)
    latents = 0.5**0.5 * torch.randn(1, 100_000, generator=generator)
    times = torch.tensor([time])
    noisy = noised(process, latents, torch.randn(latents.shape, generator=generator), times)
    guess = first_guess(process, noisy, torch.zeros_like(noisy), times)
    best = (noisy @ latents.mT) / (noisy @ noisy.mT) * noisy
    torch.testing.assert_close(guess, best, atol=0.02, rtol=0.02)
    # What is told of it is of the size of the noise in it, of variance 1/2 as the latents.
    factor = first_guess(process, torch.zeros_like(noisy), torch.ones_like(noisy), times)
    assert float(((latents - guess) / factor).std()) == pytest.approx(1, rel=0.02)
