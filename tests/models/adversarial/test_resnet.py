"""Residual networks: published sizes, every size that halving reaches, conditions, spectral norm and attention."""

import pytest
import torch
from torch import nn

from genlab.core.condition import Attributes, Classes
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models.adversarial import resnet
from genlab.models.layers.spectral import normalise_spectrum
from genlab.models.map_sizes import attention_level, widths

TEN = Classes(10)


def spec(channels=3, height=32, width=None, condition=TEN):
    return Spec(channels, height, width or height, images=100, condition=condition)


def parameters(network):
    return sum(param.numel() for param in network.parameters())


@pytest.mark.parametrize(
    ("attention", "generator", "discriminator"), [(0, 4_304_387, 1_055_105), (32, 4_386_308, 1_075_586)]
)
def test_parameter_counts_of_studiogan_on_cifar10(attention, generator, discriminator):
    """github.com/POSTECH-CVLab/PyTorch-StudioGAN, logs/CIFAR10/{SNGAN,SAGAN}-train-2020_09_18*.log."""
    options = {"growth": "constant", "attention": attention}
    with torch.device("meta"):
        assert parameters(resnet.Generator(spec(), 128, width=256, **options)) == generator
        assert parameters(resnet.Discriminator(spec(), width=128, **options)) == discriminator


def test_tables_5_and_6_of_miyato_et_al():
    """Channels at 48 and 128 pixels."""
    assert widths(64, 5, "doubling") == [1024, 1024, 512, 256, 128, 64]
    assert widths(64, 3, "doubling") == [512, 256, 128, 64]
    with torch.device("meta"):
        network = resnet.Discriminator(spec(3, 48), width=64)
    assert [block.conv2.out_channels for block in network.blocks] == [64, 128, 256, 512, 1024]
    assert [isinstance(block.pool, nn.AvgPool2d) for block in network.blocks] == [True] * 4 + [False]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(8, 8), (10, 10), (28, 28), (32, 32), (48, 48), (64, 32)])
@pytest.mark.parametrize("growth", ["constant", "doubling"])
def test_shapes(channels, size, growth):
    facts, classes = spec(channels, *size), torch.tensor([3, 9])
    options = {"width": 4, "growth": growth, "attention": 16}
    images = resnet.Generator(facts, 7, **options)(torch.randn(2, 7), classes)
    assert images.shape == (2, channels, *size)
    assert images.abs().max() <= 1
    assert resnet.Discriminator(facts, **options)(images, classes).shape == (2,)


def test_a_size_out_of_reach_is_refused_with_one_that_works():
    with pytest.raises(ConfigError, match="data.size=28"):
        resnet.Generator(spec(1, 27), 10)


@pytest.mark.parametrize(
    ("sides", "largest", "index"),
    [((4, 8, 16, 32), 32, 2), ((4, 8, 16, 32), 8, 1), ((128, 64, 32, 16), 64, 1), ((7, 14, 28), 3, 0), ((8, 8), 4, -1)],
)
def test_the_map_that_attends_to_itself(sides, largest, index):
    assert attention_level(sides, largest) == index
    assert attention_level(sides, 0) == -1


@pytest.mark.parametrize("told", [Classes(3), Attributes(5)])
def test_a_condition_changes_nothing_at_first_and_then_images(told):
    """Scales start at 1 and shifts at 0 for every condition."""
    facts = spec(1, 8, condition=told)
    conditions = [torch.zeros(4, dtype=torch.long), torch.full((4,), 2)]
    if told.class_count is None:
        conditions = [torch.zeros(4, 5), torch.ones(4, 5)]
    network, z = resnet.Generator(facts, 6, width=4), torch.randn(4, 6)
    one, other = (network(z, condition) for condition in conditions)
    torch.testing.assert_close(one, other)
    nn.init.normal_(network.blocks[0].norm2.bias.weight)
    assert not torch.allclose(network(z, conditions[0]), network(z, conditions[1]))


def test_a_network_without_labels_takes_no_condition():
    facts = spec(1, 8, condition=None)
    generator, discriminator = resnet.Generator(facts, 6, width=4), resnet.Discriminator(facts, width=4)
    assert not any("gain" in name for name, _ in generator.named_parameters())
    assert discriminator(generator(torch.randn(4, 6))).shape == (4,)


def test_the_normalised_critic_is_lipschitz_in_each_layer():
    network = resnet.Discriminator(spec(1, 16), width=8, attention=8)
    normalise_spectrum(network)
    for _ in range(200):  # one power iteration each
        network(torch.zeros(1, 1, 16, 16), torch.tensor([0]))
    weights = [layer.weight for layer in network.eval().modules() if hasattr(layer, "parametrizations")]
    assert len(weights) == sum(isinstance(layer, (nn.Conv2d, nn.Linear, nn.Embedding)) for layer in network.modules())
    for weight in weights:
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, abs=0.01)


def test_the_penalised_critic_has_second_derivatives_all_over():
    network = resnet.Discriminator(spec(1, 16), width=4, attention=8)
    nn.init.ones_(network.blocks[1].attention.gamma)
    normalise_spectrum(network)
    images = torch.randn(4, 1, 16, 16, requires_grad=True)
    logits = network(images, torch.arange(4))
    (slope,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    slope.square().sum().backward()
    touched = [name for name, param in network.named_parameters() if param.grad is not None and param.grad.any()]
    assert {"blocks.1.attention.gamma", "blocks.0.conv1.parametrizations.weight.original"} <= set(touched)
