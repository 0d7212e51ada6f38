"""FastGAN's networks: every size, the published counts, small copies, decoders and the quarters that they draw."""

from itertools import pairwise

import pytest
import torch
from torch.nn.functional import interpolate

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models.adversarial.fastgan_discriminator import Discriminator, cut_quarter
from genlab.models.adversarial.fastgan_generator import Generator, shrink


def spec(height=32, width=None, channels=3, **labels):
    return Spec(channels, height, width or height, images=100, **labels)


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize(
    ("size", "places", "copy"),
    [
        ((8, 8), 1, 4),
        ((16, 16), 25, 8),
        ((28, 28), 16, 14),
        ((32, 32), 25, 16),
        ((96, 64), 45, 32),
        ((256, 256), 25, 128),
        ((512, 512), 25, 128),
        ((1024, 1024), 25, 128),
    ],
)
def test_shapes(channels, size, places, copy):
    facts = spec(*size, channels=channels)
    with torch.device("meta"):
        generator, discriminator = Generator(facts, 7, width=4), Discriminator(facts, width=4)
        made = generator(torch.empty(2, 7))
        assert generator.eval()(torch.empty(2, 7)).shape == (2, channels, *size)
        assert made.shape == generator.build_pyramid(torch.empty(2, channels, *size)).shape == (2, 2 * channels, *size)
        features = discriminator.features(made)
        logits = discriminator.head(features)
        assert logits.shape == discriminator(made).shape == (2, 2 * places)
        drawn = discriminator.decode(features, made, 3)
    assert len(drawn) == 3
    assert all(a.shape == b.shape and a.shape[1] == channels and min(a.shape[2:]) == copy for a, b in drawn)


@pytest.mark.parametrize(("side", "counts"), [(256, (29127846, 11526160)), (1024, (29176512, 11528192))])
def test_networks_are_as_large_as_published(side, counts):
    with torch.device("meta"):
        assert (count(Generator(spec(side), 256)), count(Discriminator(spec(side)))) == counts


def test_maps_scale_those_four_doublings_above():
    """From 4 to 64, 8 to 128, 16 to 256 and 32 to 512 pixels; an image of 32 has the first scale the last."""
    with torch.device("meta"):
        networks = {side: Generator(spec(side), 7, width=4) for side in (32, 64, 512, 1024)}
    assert {side: [*network.excitations] for side, network in networks.items()} == {
        **{32: ["3"], 64: ["4"]},
        **dict.fromkeys((512, 1024), ["4", "5", "6", "7"]),
    }


def test_plain_images_are_judged_like_those_with_copies_behind_them():
    facts, images = spec(32), torch.rand(2, 3, 32, 32) * 2 - 1
    generator, discriminator = Generator(facts, 7, width=4), Discriminator(facts, width=4).eval()
    with_copies = generator.build_pyramid(images)
    assert torch.equal(with_copies[:, 3:, ::2, ::2], interpolate(images, 16))
    torch.testing.assert_close(discriminator(images), discriminator(with_copies))
    other = torch.cat([images, -with_copies[:, 3:]], 1)
    first, second = (discriminator(other) == discriminator(with_copies)).chunk(2, 1)
    assert first.all() and not second.any()


def test_a_decoder_draws_the_quarter_of_the_map_that_shows_the_quarter_of_the_image():
    network, images = Discriminator(spec(64), width=4).eval(), torch.rand(1, 3, 64, 64)
    features = network.features(images).requires_grad_()
    for quarter in range(4):
        (drawn, wanted), *whole = network.decode(features, images, quarter)
        top, left = 32 * (quarter // 2), 32 * (quarter % 2)
        assert torch.equal(wanted, images[:, :, top : top + 32, left : left + 32])
        assert all(torch.equal(target, shrink(images, 2)) for _, target in whole)
        (slope,) = torch.autograd.grad(drawn.sum(), features)
        used = network.split_features(slope)[0].abs().sum(1, keepdim=True) > 0
        assert cut_quarter(used, quarter).all() and used.sum() == cut_quarter(used, quarter).sum()


def test_a_condition_changes_image_and_logits():
    facts = spec(16, condition=Classes(10))
    generator, discriminator = Generator(facts, 7, width=4).eval(), Discriminator(facts, width=4).eval()
    z, classes = torch.randn(1, 7).expand(2, -1), torch.tensor([1, 2])
    one, other = generator(z, classes)
    assert not torch.allclose(one, other)
    first, second = discriminator(one.expand(2, -1, -1, -1), classes)
    assert not torch.allclose(first, second)


def test_output_is_unbounded_unless_it_ends_in_tanh():
    for output, bounded in (("linear", False), ("tanh", True)):
        network = Generator(spec(8), 7, width=4, output=output).eval()
        with torch.no_grad():
            network.to_image.weight.mul_(1e6)
        assert (network(torch.randn(4, 7)).abs().max() <= 1) == bounded


def test_channels_halve_with_every_doubling_of_the_discriminators_maps():
    with torch.device("meta"):
        blocks = Discriminator(spec(256), width=64).blocks
    widths = [blocks[0].main[0].in_channels, *(block.main[0].out_channels for block in blocks)]
    assert widths == [16, 32, 64, 128, 256, 512]
    assert all(high == 2 * low for low, high in pairwise(widths))


def test_sizes_that_halving_does_not_bring_to_a_small_map_are_refused():
    with pytest.raises(ConfigError, match="data.size=32"):
        Discriminator(spec(31))
