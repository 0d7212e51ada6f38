"""R3GAN's networks: published sizes, every shape, what is learned at the start."""

import pytest
import torch

from genlab.core.condition import Attributes, Classes
from genlab.core.spec import Spec
from genlab.models.adversarial import r3gan

SMALL = {"width": 8, "most": 16, "blocks": 1}


def parameters(network):
    return sum(param.numel() for param in network.parameters())


@pytest.mark.parametrize(
    ("size", "width", "generator", "discriminator"),
    [
        (32, 768, 20_732_160, 20_683_776),  # CIFAR-10, without classes
        (64, 384, 22_429_824, 22_381_440),  # FFHQ-64
        (256, 96, 23_057_952, 23_009_568),  # FFHQ-256
    ],
)
def test_parameter_counts_of_the_authors_presets(size, width, generator, discriminator):
    """github.com/brownvc/R3GAN, train.py's presets: at most 768 channels, z of 64, two blocks a stage."""
    spec, sizes = Spec(3, size, size, images=100), {"width": width, "most": 768, "blocks": 2}
    with torch.device("meta"):
        assert parameters(r3gan.Generator(spec, 64, **sizes)) == generator
        assert parameters(r3gan.Discriminator(spec, **sizes)) == discriminator


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(8, 8), (10, 10), (28, 28), (24, 16)])
def test_shapes(channels, size):
    spec = Spec(channels, *size, images=100)
    images = r3gan.Generator(spec, 5, **SMALL)(torch.randn(2, 5))
    assert images.shape == (2, channels, *size)
    network = r3gan.Discriminator(spec, **SMALL)
    assert network(images).shape == (2,)
    assert network.features(images).shape == (2, network.feature_size)


@pytest.mark.parametrize("condition", [Classes(10), Attributes(3)])
def test_conditional(condition):
    spec = Spec(1, 8, 8, images=100, condition=condition)
    generator, discriminator = r3gan.Generator(spec, 5, **SMALL), r3gan.Discriminator(spec, **SMALL)
    conditions = [torch.zeros(2, dtype=torch.long), torch.ones(2, dtype=torch.long)]
    if spec.class_count is None:
        conditions = [torch.nn.functional.one_hot(condition, 3).float() for condition in conditions]
    z = torch.randn(2, 5)
    first, second = (generator(z, condition) for condition in conditions)
    assert not torch.allclose(first, second)
    assert not torch.allclose(*(discriminator(first, condition) for condition in conditions))


def test_every_parameter_learns():
    """Blocks begin with a zero, behind which the first step reaches nothing and the second one everything."""
    torch.manual_seed(0)
    spec = Spec(1, 8, 8, images=100)
    networks = [r3gan.Generator(spec, 5, **SMALL), r3gan.Discriminator(spec, **SMALL)]
    weights = [param for network in networks for param in network.parameters()]
    for _ in range(2):
        gradients = torch.autograd.grad(networks[1](networks[0](torch.randn(4, 5))).square().sum(), weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight -= 0.01 * gradient
    assert all(gradient.abs().max() > 0 for gradient in gradients)


@pytest.mark.parametrize(("output", "bounded"), [("linear", False), ("tanh", True)])
def test_output(output, bounded):
    spec = Spec(1, 8, 8, images=100)
    network = r3gan.Generator(spec, 5, output=output, **SMALL)
    assert (network(100 * torch.randn(4, 5)).abs().max() <= 1) == bounded
