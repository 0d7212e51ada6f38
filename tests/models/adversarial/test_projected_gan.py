"""Projected GAN's discriminator: shapes, frozen weights, and the maps that each discriminator sees."""

import pytest
import torch
from torchvision import models

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models.adversarial.projected_gan import Discriminator, Mixing
from tests.conftest import composed, narrow, tiny_data

SMALL = models.shufflenet_v2_x0_5


def spec(channels=3, side=16, **labels):
    return Spec(channels, side, side, images=100, **labels)


def small(channels=3, size=64, **options):
    return Discriminator(spec(channels), network=SMALL, weights="random", size=size, width=2, **options)


@pytest.mark.parametrize(("size", "side"), [(32, 1), (64, 2), (96, 3), (128, 4), (160, 2), (224, 3)])
@pytest.mark.parametrize("channels", [1, 4])
def test_logits_are_a_small_map_from_each_resolution(size, side, channels):
    images = torch.rand(2, channels, 16, 16)
    network = small(channels, size)
    logits = network(images)
    assert logits.shape == (2, 4, side, side) and logits.isfinite().all()
    network.eval()
    torch.testing.assert_close(network.head(network.features(images)), network(images))


def test_the_heads_alone_are_trained_and_have_norm_one():
    network = small()
    assert {name.split(".")[0] for name, _ in network.named_parameters()} == {"bodies", "lasts"}
    for _ in range(30):  # power iterations
        network(torch.rand(2, 3, 16, 16))
    network.eval()
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d) and list(layer.parameters()):
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)


def test_a_discriminator_sees_its_own_and_smaller_maps():
    """Random convolutions bring smaller maps into larger ones, never the reverse."""
    mixing = Mixing([3, 4, 5, 6], [2, 4, 8, 16])
    maps = [torch.randn(1, 3 + level, 16 >> level, 16 >> level).requires_grad_() for level in range(4)]
    assert not list(mixing.parameters()) and len(mixing.state_dict()) == 7
    for level in range(4):
        mixed = mixing(maps)[level]
        assert mixed.shape == (1, 2 << level, 16 >> level, 16 >> level)
        slopes = torch.autograd.grad(mixed.square().sum(), maps, allow_unused=True)
        assert all(slope is None for slope in slopes[:level])
        assert all(slope.abs().sum() > 0 for slope in slopes[level:])


@pytest.mark.parametrize(
    ("facts", "options", "words"),
    [
        (spec(), {"size": 60}, "size=60: must be a multiple of 32; use 64"),
        (spec(2), {}, "images of 2 channels"),
        (spec(condition=Classes(10)), {}, "told no class"),
        (Spec(2, None, None, images=10), {}, "points"),
    ],
)
def test_unfit_images_and_conditions_are_refused(facts, options, words):
    with pytest.raises(ConfigError, match=words):
        Discriminator(facts, network=SMALL, weights="random", **options)


def test_the_bare_model_asks_for_weights(make_trainer):
    with pytest.raises(ConfigError, match="model.discriminator.weights: missing"):
        make_trainer("model=projected_gan")


def test_diffaugment_comes_with_it_and_can_be_taken_out():
    assert set(composed("model=projected_gan")["augment"]) == {"diffaugment"}
    assert not composed("model=projected_gan", "augment=[]")["augment"]
    assert set(composed("model=projected_gan", "augment=[ada]")["augment"]) == {"ada"}


def test_training_moves_the_heads_and_no_frozen_weight(make_trainer):
    trainer = make_trainer("model=projected_gan", *narrow("projected_gan"), data=tiny_data(3))
    network = trainer.model.discriminator
    before = {name: value.clone() for name, value in network.state_dict().items()}
    for _ in range(2):
        trainer.take_step()
    trainer.statistics.flush()  # raises if anything is not finite
    after = network.state_dict()
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"bodies", "lasts"}
    groups = trainer.players["discriminator"].optimizer.param_groups
    optimized = sum(parameter.numel() for group in groups for parameter in group["params"])
    assert optimized == sum(parameter.numel() for parameter in network.parameters()) < 100_000
