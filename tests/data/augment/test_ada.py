"""ADA as a whole: how many images change, gradients, and a strength that follows the discriminator."""

import pytest
import torch

from genlab.core import distributed
from genlab.data.augment import AdaptiveAugment

ALL = ["blit", "geometry", "color", "filter", "noise", "cutout"]


def fixed(strength=1.0, policy=ALL):
    return AdaptiveAugment(policy=policy, target=None, strength=strength)


def test_no_policy_or_strength_is_the_identity(make_images, make_draws):
    x = make_images()
    assert fixed(policy=[])(x, make_draws(), 0.0) is x
    torch.testing.assert_close(fixed(0.0)(x, make_draws(), 0.0), x, rtol=0, atol=1e-10)
    for policy in ("blit", "noise", "cutout"):
        assert torch.equal(fixed(0.0, [policy])(x, make_draws(), 0.0), x)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(8, 8), (9, 14), (32, 32)])
def test_any_channels_and_size_keep_shape_layout_and_type(make_images, make_draws, channels, size):
    x = make_images(2, channels, *size)
    for layout in (torch.contiguous_format, torch.channels_last):
        found = fixed()(x.contiguous(memory_format=layout), make_draws(2), 0.0)
        assert found.shape == x.shape and found.isfinite().all() and found.dtype == x.dtype
        assert found.is_contiguous(memory_format=layout) and (found - x).abs().flatten(1).amax(1).gt(0.05).all()


def test_mixed_precision_moves_no_coordinate(make_images, make_draws):
    """A shift by whole pixels in bfloat16 would be off by several of a large image's."""
    x, draws = make_images(2, 1, 8, 300).float(), make_draws(2, dtype=torch.float32)
    expected = fixed(1.0, ["geometry"])(x, draws, 0.0)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(fixed(1.0, ["geometry"])(x, draws, 0.0), expected)
        assert fixed()(x.bfloat16(), draws, 0.0).dtype == torch.bfloat16


def test_rows_are_drawn_one_by_one_and_sliced(make_images, make_draws):
    """A rank's share of the batch is changed as it is in the whole batch; images differ, and so do turns."""
    x = make_images(1).expand(8, -1, -1, -1).contiguous()
    whole = fixed()(x, make_draws(8), 0.0)
    torch.testing.assert_close(fixed()(x[2:5], make_draws(8, start=2, stop=5), 0.0), whole[2:5])
    assert whole.flatten(1).unique(dim=0).shape[0] == 8
    assert not torch.equal(whole, fixed()(x, make_draws(8, turn=1), 0.0))


P = 0.3
UNTOUCHED = {  # the chance that no change of a group happens; of whole shifts on 8 pixels, half are by none
    "blit": (1 - P / 2) * (1 - P * 3 / 4) * (1 - P * 3 / 4),
    "geometry": (1 - P) ** 4,
    "color": (1 - P) ** 4 * (1 - P / 2),
    "filter": (1 - P) ** 4,
    "noise": 1 - P,
    "cutout": 1 - P,
}


@pytest.mark.parametrize("policy", ALL)
def test_as_many_images_are_changed_as_the_strength_says(make_images, make_draws, near, policy):
    x = make_images(1500, 3, 8, 8)
    changed = (fixed(P, [policy])(x, make_draws(1500), 0.0) - x).abs().flatten(1).amax(1) > 1e-8
    assert near(~changed, UNTOUCHED[policy])


@pytest.mark.parametrize("channels", [1, 4])
def test_gradients_and_second_ones_against_finite_differences(make_images, make_draws, channels):
    """What the generator learns through, and what R1 differentiates twice."""
    x = make_images(2, channels, 4, 3).requires_grad_()

    def augmented(pixels):
        return fixed()(pixels, make_draws(2), 0.0).tanh()

    assert torch.autograd.gradcheck(augmented, x, fast_mode=True)
    assert torch.autograd.gradgradcheck(augmented, x, fast_mode=True)


def turns(augmentation, *signs, images=100):
    """Turns of the discriminator, each with the logits of its micro-batches; the strengths after them."""
    for sign in signs:
        for logits in sign if isinstance(sign, list) else [sign]:
            augmentation.observe(torch.as_tensor(logits, dtype=torch.float32).view(-1))
        yield augmentation.end_turn(images)["strength"].item()


def test_the_strength_moves_every_few_turns_by_the_images_seen():
    augmentation = AdaptiveAugment(images=1000, every=2)
    found = list(turns(augmentation, 1, 1, 1, 1, -1, -1, 0.1, 0.1))
    assert found == pytest.approx([0, 0.2, 0.2, 0.4, 0.4, 0.2, 0.2, 0.4])


def test_the_strength_moves_towards_the_target_of_the_mean_sign_in_the_window():
    """Three of four real images taken for real: 0.5, below 0.6. Over four turns, 0.6 is met exactly and it rests."""
    assert list(turns(AdaptiveAugment(every=1, strength=0.5, images=1000), [[3.0, 1, 2, -9]])) == pytest.approx([0.4])
    rising = AdaptiveAugment(every=4, strength=0.5, images=4000)
    assert list(turns(rising, 1, 1, 1, 0)) == pytest.approx([0.5, 0.5, 0.5, 0.6])
    at_target = AdaptiveAugment(every=1, strength=0.5, target=0.5)
    assert list(turns(at_target, [[1.0, 1, 1, -1]])) == [0.5]


def test_micro_batches_are_one_turn():
    augmentation = AdaptiveAugment(every=1, images=1000)
    assert list(turns(augmentation, [1, 1])) == pytest.approx([0.1])
    augmentation.observe(torch.tensor([1.0, -1]))
    augmentation.observe(torch.tensor([1.0, 1]))
    assert augmentation.end_turn(100)["sign"].item() == 0.5


def test_the_strength_has_a_lower_bound_alone():
    """As in the authors' code: what has risen beyond 1 takes as long to come down."""
    augmentation = AdaptiveAugment(every=1, images=150)
    assert list(turns(augmentation, -1, 1, 1, 1, -1)) == pytest.approx([0, 2 / 3, 4 / 3, 2, 4 / 3])


@pytest.mark.parametrize("policy", ALL)
def test_a_strength_beyond_1_is_a_probability_of_1(make_images, make_draws, policy):
    x, beyond = make_images(), fixed(1.0, [policy])
    beyond.load_state_dict({"strength": torch.tensor(1.7), "told": torch.zeros(()), "turns": 0})
    assert torch.equal(beyond(x, make_draws(), 0.0), fixed(1.0, [policy])(x, make_draws(), 0.0))


def test_without_a_target_the_strength_stays_and_is_logged():
    augmentation = fixed(0.3)
    assert list(turns(augmentation, 1, 1, 1, 1, -1, -1, -1, -1)) == pytest.approx([0.3] * 8)


def test_ranks_take_the_mean(monkeypatch):
    """Another rank whose images are all taken for generated ones."""
    monkeypatch.setattr(distributed, "mean", lambda sign: (sign - 1) / 2)
    assert list(turns(AdaptiveAugment(every=1, strength=0.5, images=1000), 1)) == pytest.approx([0.4])


def test_loaded_state_continues_within_a_window():
    signs = [1, 1, 1, -1, 1, 1, 1, 1]
    whole, first, second = (AdaptiveAugment(every=3, images=1000, target=0.2) for _ in range(3))
    expected = list(turns(whole, *signs))
    found = list(turns(first, *signs[:4]))
    second.load_state_dict(first.state_dict())
    assert found + list(turns(second, *signs[4:])) == expected and len(set(expected)) > 2
