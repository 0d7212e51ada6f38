"""What is made of a picture, made a picture again: against closed forms."""

import torch

from genlab.losses import CycleConsistency, Identity, LeastSquares
from tests.losses.conftest import Maker, images


def test_cycle_consistency_is_the_mean_distance_to_the_picture(make_turn):
    """G halves and F adds a quarter: |x / 2 + 1/4 - x|."""
    pictures = images(7)
    maker = Maker(None)
    maker.forward = lambda z, condition: condition / 2
    turn = make_turn("generator", generator=maker, condition=pictures, translate_back=lambda made: made + 0.25)
    expected = (0.25 - pictures / 2).abs().flatten(1).mean(1)
    torch.testing.assert_close(CycleConsistency(weight=10.0)(turn), 10 * expected)


def test_a_perfect_cycle_costs_nothing(make_turn):
    maker = Maker(None)
    maker.forward = lambda z, condition: condition * 2
    turn = make_turn("generator", generator=maker, condition=images(7), translate_back=lambda made: made / 2)
    assert CycleConsistency()(turn).abs().max() == 0


def test_identity_shows_the_generator_its_own_kind(make_turn):
    """G turns signs: |-y - y| of real images y."""
    maker = Maker(None)
    maker.forward = lambda z, condition: -condition
    turn = make_turn("generator", generator=maker, condition=images(7))
    torch.testing.assert_close(Identity(weight=5.0)(turn), 10 * images(1).abs().flatten(1).mean(1))


def test_squares_without_a_half():
    """Zhu et al. 2017, section 4: the generator minimises (D(G(x)) - 1)^2; the discriminator's objective is halved."""
    real, fake = torch.tensor([0.5]), torch.tensor([-1.0])
    assert LeastSquares(factor=1.0).generator(fake).item() == 4 and LeastSquares().generator(fake).item() == 2
    assert LeastSquares(factor=1.0).discriminator(real, fake).item() == (0.25 + 1) / 2
