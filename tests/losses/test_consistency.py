"""Consistency regularisation against its formulas, and its shifts against padding and cropping."""

import pytest
import torch
from torch.nn.functional import pad

from genlab.core.spec import Spec
from genlab.losses import BalancedConsistency, Consistency, LatentConsistency
from genlab.losses.consistency import shifted_indices
from genlab.losses.turn import Generated
from genlab.models.translation.multi_scale import MultiScale
from tests.losses.conftest import Judge, Maker, N, images


@pytest.mark.parametrize("steps", [-4, -1, 0, 3])
def test_shifted_places_are_those_of_reflection(steps):
    row = torch.arange(6.0)
    padded = pad(row[None, None], (4, 4), mode="reflect")[0, 0]
    assert torch.equal(row[shifted_indices(torch.tensor([steps]), 6)[0]], padded[4 + steps : 10 + steps])


def test_every_image_is_moved_by_its_own_few_pixels(make_turn):
    """Each result is one of the crops of the padded image, mirrored or not."""
    shape, penalty = (2, 6, 7), Consistency(shift=2, flip=True)
    moved, found = penalty.transform(make_turn(shape=shape), images(1, shape), "real"), []
    padded = pad(images(1, shape), (2, 2, 2, 2), mode="reflect")
    for image, wide in zip(moved, padded, strict=True):
        crops = {(i, j): wide[:, i : i + 6, j : j + 7] for i in range(5) for j in range(5)}
        crops |= {(*place, "mirrored"): crop.flip(2) for place, crop in crops.items()}
        found += [place for place, crop in crops.items() if torch.equal(crop, image)]
    assert len(found) == N and len(set(found)) > 1


def test_shifts_are_uniform_and_half_of_the_images_are_mirrored(make_turn):
    """The left column of an image whose pixels are 0, 1, 2, ... tells shift and flip."""
    shape, penalty = (1, 7, 7), Consistency(shift=1, flip=True)
    columns = torch.arange(7.0).expand(N, 1, 7, 7)
    moves = [penalty.transform(make_turn(shape=shape, key=("test", turn)), columns, "real") for turn in range(60)]
    centres, lefts = (torch.cat(moves)[:, 0, 3, place] for place in (3, 2))
    mirrored = lefts > centres
    assert 100 < mirrored.sum() < 200
    assert sorted(centres.unique().tolist()) == [2, 3, 4]
    assert all((centres == value).float().mean() > 0.25 for value in (2, 3, 4))


def corner(features):
    return features[:, 0]


def test_cr_at_real_and_bcr_at_generated_images_too(make_turn):
    """D(x) is the first pixel: the change is known once T is."""
    shape = (1, 6, 6)
    for penalty, kinds in ((Consistency(weight=3.0), 1), (BalancedConsistency(weight=3.0, fake_weight=5.0), 2)):
        turn = make_turn(network=Judge(head=corner), shape=shape)
        pairs = [(3, images(1, shape), "real"), (5, images(2, shape), "fake")][:kinds]
        expected = sum(w * (x - penalty.transform(turn, x, name))[:, 0, 0, 0] ** 2 for w, x, name in pairs)
        found = penalty(turn)
        assert found.shape == (N,) and found.max() > 0
        torch.testing.assert_close(found, expected)


def test_a_critic_that_does_not_look_costs_nothing(make_turn):
    assert not BalancedConsistency()(make_turn(network=Judge(head=lambda f: torch.ones(len(f)).double()))).any()


def test_zcr_of_linear_networks(make_turn):
    """G(z) = A z and D(x) = w x: the changes are linear in the noise."""
    matrix = torch.arange(16, dtype=torch.float64).view(4, 4) / 10 - 0.6
    weight = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)
    penalty = LatentConsistency(weight=3.0, generator_weight=0.7, noise=0.1)

    def turn(player):
        network = Judge(head=lambda features: features @ weight)
        return make_turn(player, network=network, generator=Maker(lambda z: z @ matrix), shape=(4,))

    change = 0.1 * turn("generator").draws.normal("latent_consistency", 4) @ matrix
    torch.testing.assert_close(penalty(turn("discriminator")), 3 * (change @ weight) ** 2)
    torch.testing.assert_close(penalty(turn("generator")), -0.7 * (change**2).mean(1))


def test_zcr_compares_images_of_the_same_latents_when_others_were_kept(make_turn):
    options = {"network": Judge(), "generator": Maker(lambda z: z), "shape": (4,)}
    fresh = LatentConsistency()(make_turn(**options))
    latents = make_turn(**options).latents
    kept = Generated(images(9, (4,)), latents, None)
    torch.testing.assert_close(LatentConsistency()(make_turn(ready_images=kept, **options)), fresh)


def test_zcr_moves_only_the_player_whose_turn_it_is(make_turn):
    weight = torch.ones(4, dtype=torch.float64, requires_grad=True)
    turn = make_turn(network=Judge(), generator=Maker(lambda z: z * weight), shape=(4,))
    assert not LatentConsistency()(turn).requires_grad
    turn = make_turn("generator", network=Judge(), generator=Maker(lambda z: z * weight), shape=(4,))
    LatentConsistency()(turn).sum().backward()
    assert weight.grad.abs().min() > 0


class Scales(Judge):
    """Three scales of patches; the coarsest says 2 more of images that are not the real ones."""

    patch_weights = MultiScale(Spec(1, 64, 64, images=9), scales=3, width=4).patch_weights.double()

    def forward(self, shown, condition=None):
        coarsest = (self.patch_weights == self.patch_weights.max()).double()
        return shown.new_zeros(len(shown), 1) + coarsest * 2 * (shown is not self.known)


def test_every_scale_of_a_discriminator_counts_alike(make_turn):
    """(2 - 0)^2 at one scale of three is 4 / 3, though that scale has the fewest patches."""
    shape, network = (1, 6, 6), Scales()
    assert (network.patch_weights == network.patch_weights.max()).sum() < len(network.patch_weights) / 10
    turn = make_turn(shape=shape, network=network)
    network.known = turn.real
    torch.testing.assert_close(Consistency(weight=1.0)(turn), torch.full((N,), 4 / 3, dtype=torch.float64))
    network.known = turn.fake
    zcr = LatentConsistency(weight=1.0, noise=1.0)
    turn = make_turn(shape=shape, network=network, generator=Maker(lambda z: z[:, :1, None, None].expand(-1, *shape)))
    network.known = turn.fake
    torch.testing.assert_close(zcr(turn), torch.full((N,), 4 / 3, dtype=torch.float64))
