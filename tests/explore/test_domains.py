"""Domains and the spread of latent vectors within, against maps whose grains are known."""

import numpy as np
import pytest
from latent_stacks import encoded, grains, grainy
from sklearn.metrics import adjusted_rand_score

from napari_kikuchi.explore.domains import domain_spread, find_domains
from napari_kikuchi.explore.neighbour_distances import (
    NeighbourDistances,
    neighbour_distances,
    suggested_threshold,
)
from napari_kikuchi.io import open_scan
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.latent.maps import encode_scan
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.simulate import make_structure, simulate_scan


def along_a_line(*apart):
    """Distances between positions in one row."""
    right = np.array([apart], np.float32)
    return NeighbourDistances(np.empty((0, len(apart) + 1), np.float32), right, "distance")


@pytest.mark.parametrize("metric", ["distance", "angle"])
def test_domains_are_the_grains(metric):
    apart = finish(neighbour_distances(encoded(grainy()), metric))
    domains = finish(find_domains(apart, suggested_threshold(apart)))
    assert adjusted_rand_score(grains().ravel(), domains.ravel()) > 0.999
    sizes = np.bincount(domains.ravel())[1:]
    assert len(sizes) == 5
    assert (np.diff(sizes) <= 0).all()


def test_domains_are_the_grains_of_simulated_patterns(tmp_path):
    structure = make_structure("additive", 32, 32, seed=7, grain_size=(8.0, 5.0))
    scan = open_scan(finish(simulate_scan(tmp_path / "s.up2", structure, noise="low", seed=7)))
    encoder = finish(fit_linear([scan], Recipe(), latent=16))
    maps = finish(encode_scan(scan, encoder, tmp_path / "maps.zarr"))
    apart = finish(neighbour_distances(maps))
    domains = finish(find_domains(apart, suggested_threshold(apart)))
    assert adjusted_rand_score(structure.grain.ravel(), domains.ravel()) > 0.9


def test_numbers_begin_with_the_largest_and_leave_out_what_has_no_vector():
    apart = along_a_line(1, 9, 1, 1, np.nan, np.nan, 1)
    #                   0 0  1  1  1    .     .      2
    domains = finish(find_domains(apart, 5, smallest=1))
    assert domains.tolist() == [[2, 2, 1, 1, 1, 0, 3, 3]]


def test_a_small_domain_is_joined_to_what_is_nearest_and_is_no_bridge():
    apart = along_a_line(1, 1, 8, 7, 1, 1, 1)
    assert finish(find_domains(apart, 5, smallest=1)).tolist() == [[2, 2, 2, 3, 1, 1, 1, 1]]
    assert finish(find_domains(apart, 5, smallest=3)).tolist() == [[2, 2, 2, 1, 1, 1, 1, 1]]


def test_small_domains_with_nothing_around_stay_and_a_lone_position_is_none():
    apart = along_a_line(1, np.nan, np.nan, 1)
    assert finish(find_domains(apart, 5)).tolist() == [[1, 1, 0, 2, 2]]


def test_small_domains_side_by_side_become_one():
    apart = along_a_line(1, 1, 1, 9, 6, 8, 9, 1, 1, 1)
    assert finish(find_domains(apart, 5, smallest=3)).tolist() == [[1] * 4 + [3] * 3 + [2] * 4]


def test_the_spread_is_the_mean_distance_from_the_mean():
    values = grainy()
    values[2, 3, 4] = np.nan
    domains = grains() * (np.indices(grains().shape)[0] > 0)
    updates = []
    found = finish(domain_spread(encoded(values), domains), updates.append)
    assert len(updates) == len(values)
    assert np.isnan(found.deviation[0]).all()
    assert np.isnan(found.deviation[3, 4])
    for domain in range(1, 6):
        inside = domains == domain
        mean = np.nanmean(values[:, inside], axis=1)
        deviation = np.linalg.norm(values[:, inside] - mean[:, None], axis=0)
        np.testing.assert_allclose(found.deviation[inside], deviation, rtol=1e-4)
        np.testing.assert_allclose(found.spread[inside], np.nanmean(deviation), rtol=1e-4)


def test_domains_of_other_maps_are_refused():
    with pytest.raises(ValueError, match=r"\(30, 40\).*\(3, 4\)"):
        finish(domain_spread(encoded(grainy()), np.ones((3, 4), int)))
