"""Projected GAN's networks: shapes, frozen weights, what each discriminator sees, and runs made before."""

from itertools import pairwise

import pytest
import torch
from torchvision import models

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models.adversarial import fastgan
from genlab.models.adversarial.projected_gan import MULTIPLES, Discriminator, Mixing, halving_convs
from genlab.models.adversarial.projected_generator import Generator
from tests.conftest import NEEDED, composed, narrow, tiny_data

SMALL = models.shufflenet_v2_x0_5


def spec(channels=3, side=16, **labels):
    return Spec(channels, side, side, images=100, **labels)


def small(channels=3, size=64, **options):
    return Discriminator(spec(channels), network=SMALL, weights="random", size=size, width=2, **options)


@pytest.mark.parametrize(("size", "side"), [(32, 1), (64, 1), (96, 1), (128, 1), (160, 2), (224, 4)])
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
    """Random convolutions bring smaller maps into larger ones, never the reverse, and double their side."""
    mixing = Mixing([3, 4, 5, 6], [2, 2, 4, 8])
    maps = [torch.randn(1, 3 + level, 16 >> level, 16 >> level).requires_grad_() for level in range(4)]
    assert not list(mixing.parameters()) and len(mixing.state_dict()) == 16
    for level in range(4):
        mixed = mixing(maps)[level]
        assert mixed.shape == (1, (2, 2, 4, 8)[level], 32 >> level, 32 >> level)
        slopes = torch.autograd.grad(mixed.square().sum(), maps, allow_unused=True)
        assert all(slope is None for slope in slopes[:level])
        assert all(slope.abs().sum() > 0 for slope in slopes[level:])


def test_mixing_is_the_published_formula():
    """From the smallest map up: mix channels, add what came from below, double the side, mix again."""
    mixing = Mixing([3, 4, 5, 6], [2, 2, 4, 8]).double()
    maps = [torch.randn(1, 3 + level, 16 >> level, 16 >> level, dtype=torch.float64) for level in range(4)]
    below = 0
    for level in (3, 2, 1, 0):
        across, out = mixing.across[level], mixing.out[level]
        total = torch.einsum("oi,nihw->nohw", across.weight[:, :, 0, 0], maps[level]) + across.bias[:, None, None]
        rows = doubling_matrix(16 >> level)
        wide = rows @ (total + below) @ rows.T
        below = torch.einsum("oi,nihw->nohw", out.weight[:, :, 0, 0], wide) + out.bias[:, None, None]
        torch.testing.assert_close(mixing(maps)[level], below)


def doubling_matrix(side):
    """Linear interpolation whose first and last places are those of the map."""
    places = torch.arange(2 * side, dtype=torch.float64) * (side - 1) / (2 * side - 1)
    return (1 - (places[:, None] - torch.arange(side, dtype=torch.float64)).abs()).clamp(min=0)


@pytest.mark.parametrize(("height", "width"), [(96, 96), (96, 250), (70, 20)])
def test_no_pixel_is_overlooked(height, width):
    """Images larger than the network's input are shown as they are, up to the next multiple of 32."""
    facts = Spec(3, height, width, images=100)
    pretrained = Discriminator(facts, network=SMALL, weights="random", size=64, width=2).pretrained
    images = torch.rand(1, 3, height, width, requires_grad=True)
    shown = pretrained.to_input(images)
    assert all(
        side % 32 == 0 and side >= max(64, own) for side, own in zip(shown.shape[2:], (height, width), strict=True)
    )
    shown.sum().backward()
    assert images.grad.abs().amin() > 0.1
    if (height, width) == (96, 96):
        torch.testing.assert_close(shown, pretrained.normalised(images))


def test_each_discriminator_is_as_wide_as_published():
    """Channels of the code's four discriminators at 64 channels: (64, 64, 128, 256, 512) from their place on."""
    with torch.device("meta"):
        bodies = [halving_convs([64 * m for m in MULTIPLES[level:]], "batch") for level in range(4)]
    channels = [[layer.out_channels for layer in body if isinstance(layer, torch.nn.Conv2d)] for body in bodies]
    assert channels == [[64, 128, 256, 512], [128, 256, 512], [256, 512], [512]]


def test_the_generator_is_as_large_as_published():
    """Parameters of the authors' FastGAN at 256 pixels: layer by layer, from their table of channels."""
    with torch.device("meta"):
        network = Generator(spec(side=256), 256)
    wide = [2048, 1024, 512, 256, 256, 128, 64]  # channels of 4, 8, ... 256 pixels
    first = 256 * 16 * 2 * wide[0] + 4 * wide[0]
    blocks = sum(2 * 9 * high * (low + high) + 2 * (1 + 4 * high) for low, high in pairwise(wide))
    scales = sum(16 * wide[level - 4] * wide[level] + wide[level] ** 2 for level in (4, 5, 6))
    last = 9 * 3 * wide[-1] + 3
    assert sum(parameter.numel() for parameter in network.parameters()) == first + blocks + scales + last


def test_the_generator_sees_the_direction_of_z_alone_and_is_unbounded():
    network, z = Generator(spec(), 7, width=4).eval(), torch.randn(2, 7)
    torch.testing.assert_close(network(z), network(5 * z), rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        network.last.bias.fill_(3)
    assert network(z).min() > 1
    told = Generator(spec(condition=Classes(10)), 7, width=4).eval()
    assert not torch.allclose(*told(z[:1].expand(2, -1), torch.tensor([1, 2])))


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (96, 64), (256, 256)])
def test_the_generator_makes_every_size(size):
    with torch.device("meta"):
        images = Generator(Spec(1, *size, images=9), 7, width=4)(torch.empty(2, 7))
    assert images.shape == (2, 1, *size)


def test_a_run_made_before_still_draws_its_pictures(make_trainer):
    """Its config names the generator that it had; the discriminator's weights, which fit no longer, are left out."""
    before = ("model.generator._target_=genlab.models.adversarial.fastgan.Generator", "model.generator.width=4")
    words = ("model=projected_gan", *NEEDED["projected_gan"], "model.discriminator.width=2", "model.spectral_norm=[]")
    trainer = make_trainer(*words, *before, data=tiny_data(3))
    old = {f"mixing.up.{level}.1.weight": torch.zeros(1) for level in range(3)}
    before_loading = {name: value.clone() for name, value in trainer.model.discriminator.state_dict().items()}
    with pytest.warns(UserWarning, match="Its weights fit no longer and are left out"):
        trainer.model.discriminator.load_state_dict(old)
    after = trainer.model.discriminator.state_dict()
    assert all(torch.equal(before_loading[name], value) for name, value in after.items())
    assert isinstance(trainer.model.generator, fastgan.Generator)
    with pytest.raises(RuntimeError, match="Missing key"):
        trainer.model.discriminator.load_state_dict({"another": torch.zeros(1)})


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
    assert composed("model=projected_gan")["augment"]["diffaugment"]["cutout"] == 0.2  # the authors'
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
