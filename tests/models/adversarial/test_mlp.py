"""Options of the fully connected networks, and the smallest GAN made of them."""

import pytest
import torch

from genlab.core.spec import Spec
from genlab.models.adversarial import mlp

SPEC = Spec(1, 28, 28, images=100)


def test_the_minimal_gan_of_raschka_and_others():
    """20-100-784 and 784-100-1; the book's discriminator has no bias in its first layer."""
    count = {network: sum(p.numel() for p in network.parameters()) for network in (
        mlp.Generator(SPEC, 20, widths=[100], slope=0.01), mlp.Discriminator(SPEC, widths=[100], dropout=0.5)
    )}  # fmt: skip
    assert list(count.values()) == [21 * 100 + 101 * 784, 785 * 100 + 101]


def test_dropout_takes_half_while_training_and_nothing_in_evaluation():
    torch.manual_seed(0)
    network, images = mlp.Discriminator(SPEC, widths=[1000], dropout=0.5), torch.randn(8, 1, 28, 28)
    dropped = (network.features(images) == 0).float().mean()
    assert 0.45 < dropped < 0.55
    network.eval()
    assert not (network.features(images) == 0).any()


@pytest.mark.parametrize("minibatch", ["none", "discrimination", "deviation"])
def test_minibatch_layers(minibatch):
    assert mlp.Discriminator(SPEC, widths=[8], minibatch=minibatch)(torch.randn(4, 1, 28, 28)).shape == (4,)
