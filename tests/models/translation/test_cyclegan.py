"""CycleGAN: two GANs in one model, and the data that it is refused for."""

from functools import partial

import pytest
import torch
from torch import nn

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.spec import Spec
from genlab.models.translation.cyclegan import CycleGAN
from genlab.models.translation.patchgan import PatchGAN
from genlab.models.translation.resnet_translator import ResNetTranslator
from genlab.models.translation.unet import UNet

SPEC = Spec(3, 16, 12, images=9, condition=Picture(1, 16, 12), padding=2)
NETWORKS = {"generator": partial(ResNetTranslator, width=4, blocks=1), "discriminator": partial(PatchGAN, width=4)}


def pictures(channels, count=2):
    return torch.rand(count, channels, 16, 12) * 2 - 1


def test_a_network_each_way():
    model = CycleGAN(SPEC, **NETWORKS)
    a, b, z = pictures(1), pictures(3), torch.zeros(2, 0)
    assert model.generator.there(z, a).shape == b.shape and model.generator.back(z, b).shape == a.shape
    assert model.discriminator.there(b).shape == model.discriminator.back(a).shape == (2, 6, 4)
    assert torch.equal(model.generator(z, a), model.generator.there(z, a))
    model.eval()
    assert torch.equal(model.discriminator(b), model.discriminator.there(b))
    assert model.players == {"generator": model.generator, "discriminator": model.discriminator}
    assert model.latent.size == 0 and model.generator.side_multiple == 1


def test_no_weight_is_shared_between_the_ways():
    model = CycleGAN(SPEC, **NETWORKS)
    for player in model.players.values():
        ways = [{id(weight) for weight in way.parameters()} for way in (player.there, player.back)]
        assert ways[0] and ways[1] and not ways[0] & ways[1]
        assert ways[0] | ways[1] == {id(weight) for weight in player.parameters()}


def test_the_reversed_spec():
    assert SPEC.source_spec == Spec(1, 16, 12, images=9, condition=Picture(3, 16, 12), padding=2)
    assert SPEC.source_spec.source_spec == SPEC


def test_spectral_norm_is_of_both_ways():
    model = CycleGAN(SPEC, **NETWORKS, spectral_norm=["discriminator"])
    layers = [module for module in model.discriminator.modules() if isinstance(module, nn.Conv2d)]
    assert len(layers) == 6 and all(nn.utils.parametrize.is_parametrized(layer, "weight") for layer in layers)
    assert not any(map(nn.utils.parametrize.is_parametrized, model.generator.modules()))


def test_a_generator_may_have_noise_of_its_own():
    facts = Spec(3, 16, 16, images=9, condition=Picture(1, 16, 16))
    model = CycleGAN(facts, generator=partial(UNet, width=4), discriminator=NETWORKS["discriminator"])
    z = torch.rand(2, model.latent.size)
    assert model.latent.size > 0 and model.generator.side_multiple == 16
    assert model.generator.back(z, torch.rand(2, 3, 16, 16)).shape == (2, 1, 16, 16)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (Spec(3, 16, 16, images=9), "the data have one kind of pictures. Choose data=unpaired"),
        (Spec(3, 16, 16, images=9, condition=Classes(10)), "one kind of pictures"),
        (Spec(3, 16, 16, images=9, condition=Picture(1, 16, 16, 5)), "label maps and images"),
        (Spec(3, 16, 16, images=9, condition=Picture(3, 4, 4)), "this network keeps the size"),
    ],
)
def test_data_of_another_kind_are_refused(facts, words):
    with pytest.raises(ConfigError, match=words):
        CycleGAN(facts, **NETWORKS)
