"""Feature matching and LeCam against their formulas, written out by hand."""

import pytest
import torch

from genlab.losses import FeatureMatching, LeCam
from tests.losses.conftest import Judge, Maker, N, images


def test_feature_matching_is_the_distance_of_the_means(make_turn):
    turn = make_turn("generator", network=Judge(features=lambda x: x.flatten(1) ** 2))
    real, fake = images(1).flatten(1) ** 2, images(2).flatten(1) ** 2
    found = FeatureMatching(weight=3.0)(turn)
    assert found.shape == (N,)
    torch.testing.assert_close(found.mean(), 3 * ((real.mean(0) - fake.mean(0)) ** 2).sum())


def test_feature_matching_teaches_the_generator(make_turn):
    """G(z) = z + b under features f(x) = x: the slope by b is -2 (E real - E z - b)."""
    shift = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    turn = make_turn("generator", generator=Maker(lambda z: z + shift), shape=(4,))
    FeatureMatching()(turn).mean().backward()
    torch.testing.assert_close(shift.grad, -2 * (images(1, (4,)).mean(0) - images(3, (4,)).mean(0)))


def lecam_turns(make_turn, count):
    """Turns whose logits are the means of random images, other ones each time."""
    for seed in range(count):
        shift = float(seed)
        yield make_turn(network=Judge(head=lambda features, shift=shift: features.mean(1) * 3 + shift))


@pytest.mark.parametrize("one_sided", [True, False])
def test_lecam_anchors_are_running_means(make_turn, one_sided):
    penalty, anchors = LeCam(weight=0.5, decay=0.9, one_sided=one_sided), None
    for turn in lecam_turns(make_turn, 4):
        real, fake = turn.real_logits, turn.fake_logits
        now = (real.mean(), fake.mean())
        anchors = now if anchors is None else tuple(0.9 * a + 0.1 * b for a, b in zip(anchors, now, strict=True))
        above, below = real - anchors[1], anchors[0] - fake
        if one_sided:
            above, below = above.clamp(min=0), below.clamp(min=0)
        torch.testing.assert_close(penalty(turn), 0.5 * (above**2 + below**2))


def test_lecam_does_not_differentiate_its_anchors(make_turn):
    bias = torch.zeros((), dtype=torch.float64, requires_grad=True)
    penalty = LeCam(weight=1.0, one_sided=False)
    penalty.load_state_dict({"anchors": torch.tensor([0.5, -0.5], dtype=torch.float64)})
    turn = make_turn(network=Judge(head=lambda features: features.mean(1) + bias))
    penalty(turn).mean().backward()
    real_anchor, fake_anchor = penalty.anchors
    expected = 2 * (turn.real_logits.mean() - fake_anchor) - 2 * (real_anchor - turn.fake_logits.mean())
    torch.testing.assert_close(bias.grad, expected.detach())


def test_lecam_resumes_where_it_stopped(make_turn):
    whole, first, second = LeCam(), LeCam(), LeCam()
    turns = list(lecam_turns(make_turn, 4))
    expected = [whole(turn) for turn in turns]
    for turn in turns[:2]:
        first(turn)
    second.load_state_dict(first.state_dict())
    for turn, value in zip(turns[2:], expected[2:], strict=True):
        assert torch.equal(second(turn), value)


def test_lecam_keeps_small_steps_of_rounded_logits():
    """In bfloat16, 1 + 0.01 * 0.1 is 1."""
    penalty, rounded = LeCam(), torch.ones(4, dtype=torch.bfloat16)
    penalty.update_anchors(rounded, rounded)
    anchors = penalty.update_anchors(1.1 * rounded, rounded)
    assert anchors.dtype == torch.float32 and anchors[0] > 1.0005
