"""DCGAN's networks: published sizes, every size that halving reaches, an error for the others."""

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models.adversarial import dcgan, mlp
from genlab.models.map_sizes import innermost_map


def spec(channels=3, height=64, width=None):
    return Spec(channels, height, width or height, images=100)


def parameters(network):
    return sum(param.numel() for param in network.parameters())


def test_parameter_counts_of_the_pytorch_example():
    """github.com/pytorch/examples, dcgan/main.py with nz=100, ngf=ndf=64, nc=3."""
    with torch.device("meta"):
        assert parameters(dcgan.Generator(spec(), 100)) == 3_576_704
        assert parameters(dcgan.Discriminator(spec())) == 2_765_568


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(8, 8), (10, 10), (28, 28), (32, 32), (48, 48), (96, 64)])
@pytest.mark.parametrize("upsampling", ["transposed", "nearest"])
def test_shapes(channels, size, upsampling):
    facts = spec(channels, *size)
    images = dcgan.Generator(facts, 7, width=4, upsampling=upsampling)(torch.randn(2, 7))
    assert images.shape == (2, channels, *size)
    assert images.abs().max() <= 1
    assert dcgan.Discriminator(facts, width=4)(images).shape == (2,)


@pytest.mark.parametrize(("size", "advice"), [(27, 28), (22, 24), (36, 40), (7, 8), (2, 8), (66, 80)])
def test_a_size_out_of_reach_is_refused_with_one_that_works(size, advice):
    with pytest.raises(ConfigError, match=f"data.size={advice}"):
        dcgan.Generator(spec(1, size), 10)
    innermost_map(spec(1, advice))


@pytest.mark.parametrize("norm", ["batch", "layer", "instance", "none"])
def test_norms(norm):
    network = dcgan.Discriminator(spec(1, 16), width=4, norm=norm)
    assert network(torch.randn(3, 1, 16, 16)).isfinite().all()


def test_initialised_as_published():
    network = dcgan.Generator(spec(), 100)
    weights = torch.cat([param.flatten() for name, param in network.named_parameters() if param.ndim == 4])
    assert abs(weights.std() - 0.02) < 1e-4
    assert abs(weights.mean()) < 1e-4


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_mlp_shapes(norm):
    facts = spec(3, 9, 11)
    images = mlp.Generator(facts, 5, norm=norm)(torch.randn(4, 5))
    assert images.shape == (4, 3, 9, 11)
    assert mlp.Discriminator(facts, norm=norm)(images).shape == (4,)


def test_mlp_widths_as_stated():
    """100-128-256-512-784 and 784-512-256-128-1, each layer with its bias."""
    facts = spec(1, 28)
    assert parameters(mlp.Generator(facts, 100)) == 101 * 128 + 129 * 256 + 257 * 512 + 513 * 784
    assert parameters(mlp.Discriminator(facts)) == 785 * 512 + 513 * 256 + 257 * 128 + 129
