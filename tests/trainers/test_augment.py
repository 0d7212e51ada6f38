"""Augmentations between the images and the discriminator: their order, their draws, and slopes through them."""

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.data import InMemory, Split
from genlab.data.augment import Augmentation, DiffAugment
from genlab.data.augment.shift import shift_images
from genlab.losses import R1, Turn
from genlab.trainers.turns import micro_batches
from tests.conftest import NARROW, NARROW_MLP, narrow, tiny_data
from tests.trainers.test_sync import NoWaiting, without_optimizers

BOTH = "augment=[diffaugment,instance_noise]"
N, SHAPE = 6, (1, 5, 5)


def turn_of(trainer, player="discriminator"):
    (draws,) = micro_batches(trainer.main_phases[player], trainer.players[player], trainer.engine)
    return trainer.begin_turn(trainer.main_phases[player], draws)


class Linear(torch.nn.Module):
    """D(x) = w . x."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight

    def forward(self, images, condition=None):
        return (images * self.weight).flatten(1).sum(1)


def test_r1_is_the_slope_at_the_image_before_the_shift():
    """D(shift(x)) = w . shift(x) = shift back(w) . x: what is shifted out of sight has no slope."""
    draws = Draws((0, "test", 0), N, 0, N, torch.device("cpu"), torch.float64)
    weight = torch.rand(SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    augmentation, seen = DiffAugment(policy=["translation"], translation=0.4), []

    def augment(images, purpose):
        seen.append(augmentation(images, draws, 0.0))
        return seen[-1]

    images = torch.full((N, *SHAPE), 0.5, dtype=torch.float64)
    turn = Turn(
        player="discriminator", network=Linear(weight), generator=torch.nn.Identity(),
        images=lambda turn: images.clone(), noise=lambda turn: images,
        draws=draws, slopes=R1.slopes, augmentation=augment,
    )  # fmt: skip
    found = R1(weight=2.0)(turn)
    chances = draws.uniform("diffaugment", 7)
    down, right = ((chances[:, column] * 5).floor().long() - 2 for column in (3, 4))
    slopes = shift_images(weight.expand(N, *SHAPE), -down, -right)
    torch.testing.assert_close(found, slopes.square().flatten(1).sum(1))
    torch.testing.assert_close(seen[0], shift_images(images, down, right))
    assert len(set(found.tolist())) > 1


@pytest.mark.parametrize("names", [("diffaugment", "instance_noise"), ("instance_noise", "diffaugment")])
def test_several_come_in_the_order_in_which_they_are_listed(make_trainer, names):
    trainer = make_trainer("model=gan", *NARROW_MLP, f"augment=[{','.join(names)}]")
    turn = turn_of(trainer)
    expected = turn.real
    for name in names:
        expected = trainer.augmentations[name](expected, turn.draws.of(f"{name}/real"), 0.0)
    torch.testing.assert_close(turn.augment(turn.real, "real"), expected)


def test_real_and_generated_images_have_draws_of_their_own(make_trainer):
    turn = turn_of(make_trainer("model=gan", *NARROW_MLP, BOTH))
    x = turn.real
    assert not torch.equal(turn.augment(x, "real"), turn.augment(x, "fake"))
    assert torch.equal(turn.augment(x, "real"), turn.augment(x, "real"))


def test_noise_fades_with_the_run(make_trainer):
    trainer = make_trainer("model=gan", *NARROW_MLP, "augment=[instance_noise]", "augment.instance_noise.until=0.5")
    changes = []
    for trainer.images in (0, 16, 32):  # of 64
        turn = turn_of(trainer)
        changes.append((turn.augment(turn.real, "real") - turn.real).std().item())
    assert changes == pytest.approx([0.1, 0.05, 0.0], rel=0.2)


def test_the_generator_learns_through_them(make_trainer):
    """Its images are shown augmented, and the gradient of what leaves the picture is none."""
    trainer = make_trainer("model=gan", *NARROW_MLP, "augment=[diffaugment]", "augment.diffaugment.policy=[cutout]")
    turn = turn_of(trainer, "generator")
    turn.fake.retain_grad()
    turn.fake_logits.sum().backward()
    hidden = turn.augment(torch.ones_like(turn.fake), "fake") == 0
    assert hidden.any() and (turn.fake.grad[hidden] == 0).all() and (turn.fake.grad[~hidden] != 0).any()


ADA = ("augment=[ada]", "augment.ada.policy=[blit,geometry,color,filter,noise,cutout]", "augment.ada.every=1")


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("augment", [(BOTH,), ADA])
def test_a_step_with_all_of_them_and_slope_penalties_does_not_wait(make_trainer, channels, augment):
    system = ("model=dcgan", *NARROW, *augment, "penalty=[r1,r2]", "penalty.r1.every=1", "penalty.r2.every=1")
    options = ("trainer.top_k=0.5", "trainer.replay=16")
    trainer = without_optimizers(make_trainer(*system, *options, data=tiny_data(channels, size=10)))
    for _ in range(3):  # fills the history, and makes what is made once
        trainer.take_step()
    with NoWaiting():
        trainer.take_step()
    trainer.statistics.flush()  # raises if anything is not finite


class Listener(Augmentation):
    """Changes nothing and remembers what it is told."""

    def __init__(self):
        self.heard, self.turns = [], []

    def __call__(self, images, draws, progress):
        return images

    def observe(self, certainty):
        self.heard.append(certainty)

    def end_turn(self, images):
        self.turns.append((len(self.heard), images))
        return {"turns": torch.tensor(float(len(self.turns)))}


@pytest.mark.parametrize("model", ["dcgan", "unrolled_gan"])
def test_the_discriminators_own_turns_alone_are_heard_of(make_trainer, model):
    """Neither the generator's, which may look at the discriminator's loss too, nor those of lazy penalties."""
    options = ("penalty=[lecam]", "penalty.lecam.every=2", "trainer.n_critic=2", "trainer.accumulate=2")
    trainer = make_trainer(f"model={model}", *narrow(model), *options, data=tiny_data(size=10))
    listener = trainer.augmentations["listener"] = Listener()
    trainer.take_step()
    assert listener.turns == [(2, 8), (4, 8)] and all(len(told) == 4 for told in listener.heard)
    assert not any(told.requires_grad for told in listener.heard)
    assert trainer.statistics.flush()["augment/listener/turns"] == 1.5


def test_the_strength_follows_the_discriminator_into_curves_and_checkpoints(make_trainer):
    """One that takes every image for real overfits as much as can be; one that takes none, not at all."""
    system = ("model=gan", *NARROW_MLP, "augment=[ada]", "augment.ada.every=2", "augment.ada.images=80")
    trainer = make_trainer(*system)
    before = {1: [0, 0, 0.2, 0.2], -1: [0.4, 0.4, 0.2, 0.2]}  # the strength in every turn
    after = {1: 0.4, -1: 0.0}
    for sign, expected in before.items():
        torch.nn.init.constant_(trainer.model.discriminator.last.bias, 1e6 * sign)
        for strength in expected:
            assert trainer.augmentations["ada"].current.item() == pytest.approx(strength)
            trainer.take_step()
        curves = trainer.statistics.flush()
        assert curves["augment/ada/sign"] == sign
        assert curves["augment/ada/strength"] == pytest.approx(sum([*expected[1:], after[sign]]) / 4)
        assert trainer.parts["augment/ada"].state_dict()["strength"].item() == pytest.approx(after[sign])


def test_points_take_noise_and_refuse_pictures_changes(make_trainer):
    points = InMemory(Split(torch.randn(64, 2)))
    make_trainer("model=gan", *NARROW_MLP, "augment=[instance_noise]", data=points).take_step()
    for name in ("ada", "diffaugment", "fading_blur"):
        with pytest.raises(ConfigError, match=f"augment={name} is about pixels, and the discriminator sees points"):
            make_trainer("model=gan", *NARROW_MLP, f"augment=[{name}]", data=points)
