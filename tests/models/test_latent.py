"""Latents with codes: their law, their parts, and variations of one code."""

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.models.latent import Coded, one_hot

LAW = Coded(noise=3, categorical=[4, 2], continuous=2)


def draws(start=0, stop=2000, batch=2000):
    return Draws((0, "test"), batch, start, stop, torch.device("cpu"))


def test_a_drawn_latent_splits_into_codes_of_the_stated_laws():
    codes = LAW.split(LAW.draw(draws()))
    assert codes.noise.shape == (2000, 3) and codes.continuous.shape == (2000, 2)
    for values in (codes.noise, codes.continuous):
        assert values.abs().max() <= 1 and abs(values.mean()) < 0.05
        assert abs(values.var() - 1 / 3) < 0.02  # of U(-1, 1)
    for code, classes in zip(codes.categorical, (4, 2), strict=True):
        assert code.shape == (2000, classes)
        assert torch.equal(code.sum(1), torch.ones(2000)) and set(code.unique().tolist()) == {0.0, 1.0}
        assert (code.mean(0) - 1 / classes).abs().max() < 4 * (0.25 / 2000) ** 0.5  # four standard errors


def test_codes_are_independent_of_each_other_and_of_the_noise():
    correlation = torch.corrcoef(LAW.draw(draws())[:, [0, 1, 2, 3, 4, 7, 9, 10]].T)  # one column a two-class code
    first_code = correlation[3, 4].clone()
    correlation[3, 4] = correlation[4, 3] = 0
    assert (correlation - torch.eye(8)).abs().max() < 0.1
    assert abs(first_code + 1 / 3) < 0.1  # two classes of four exclude each other


def test_ranks_draw_slices_of_the_whole():
    whole = LAW.draw(draws())
    assert torch.equal(LAW.draw(draws(500, 700)), whole[500:700])


def test_every_class_is_reached_by_its_share_of_the_unit_interval():
    share = torch.tensor([[0.0], [0.24], [0.25], [0.74], [0.999999]])
    assert one_hot(share, 4).argmax(1).tolist() == [0, 0, 1, 2, 3]


@pytest.mark.parametrize("law", [Coded(noise=0), Coded(categorical=[], continuous=1), Coded(continuous=0)])
def test_parts_may_be_missing(law):
    z = law.draw(draws(0, 5, 5))
    assert z.shape == (5, law.size)
    assert torch.equal(torch.cat([law.split(z).noise, *law.split(z).categorical, law.split(z).continuous], 1), z)


def test_a_latent_without_any_code_is_refused():
    with pytest.raises(ConfigError, match=r"model\.latent\.categorical"):
        Coded(categorical=[], continuous=0)


def test_the_size_on_mnist_is_the_papers():
    """Chen et al. 2016, appendix C.1: 62 noise variables, a ten-fold and two continuous codes make 74."""
    assert Coded().size == 74


def test_varying_one_code_keeps_the_others():
    z = LAW.draw(draws(0, 3, 3))
    sheets = dict(LAW.vary(z, columns=5, reach=2.0))
    assert list(sheets) == ["categorical_1", "categorical_2", "continuous_1", "continuous_2"]
    assert [sheet.shape[1] for sheet in sheets.values()] == [4, 2, 5, 5]
    places = [slice(3, 7), slice(7, 9), slice(9, 10), slice(10, 11)]
    for sheet, place in zip(sheets.values(), places, strict=True):
        others = torch.ones(LAW.size, dtype=torch.bool)
        others[place] = False
        assert torch.equal(sheet[:, :, others], z[:, None, others].expand(-1, sheet.shape[1], -1))
    assert torch.equal(sheets["categorical_1"][1, :, 3:7], torch.eye(4))
    assert sheets["continuous_2"][2, :, 10].tolist() == [-2, -1, 0, 1, 2]
