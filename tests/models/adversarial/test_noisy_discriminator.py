"""The semi-supervised classifier: its size, its noise, its weights' lengths."""

from itertools import pairwise

import torch

from genlab.core.condition import Classes
from genlab.core.spec import Spec
from genlab.models.adversarial import noisy_discriminator as noisy

SPEC = Spec(1, 28, 28, images=100, condition=Classes(10))
SMALL = Spec(1, 4, 4, images=100, condition=Classes(3))


def test_as_many_parameters_as_in_the_authors_code():
    """openai/improved-gan, train_mnist_feature_matching.py: 784-1000-500-250-250-250-10, all but the last scale."""
    sizes = [784, 1000, 500, 250, 250, 250, 10]
    expected = sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))
    assert sum(param.numel() for param in noisy.Discriminator(SPEC, outputs=10).parameters()) == expected


def test_noise_is_for_training_only():
    network, images = noisy.Discriminator(SMALL, widths=[8, 8], outputs=3), torch.randn(5, 1, 4, 4)
    assert not torch.equal(network(images), network(images))
    assert not torch.equal(network.features(images), network.features(images))
    network.eval()
    assert torch.equal(network(images), network(images)) and network(images).shape == (5, 3)


def test_the_last_noise_comes_after_the_features():
    """Salimans et al.'s code matches the last hidden layer before noise is added."""
    network = noisy.Discriminator(SMALL, widths=[8, 8], input_noise=0.0)
    network.layers[-3].deviation = 0.0
    images = torch.randn(5, 1, 4, 4)
    features = network.features(images)
    assert torch.equal(features, network.features(images))
    assert not torch.equal(network.head(features), network.head(features))


def test_weight_vectors_keep_their_length_under_an_optimizer():
    network = noisy.Discriminator(SMALL, widths=[8, 8])
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    before = network.layers[1].weight.detach().clone()
    network(torch.randn(16, 1, 4, 4)).square().sum().backward()
    optimizer.step()
    after = network.layers[1].weight.detach()
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after.square().sum(1), torch.full((8,), 2.0))


def test_activations_keep_their_scale_through_the_layers():
    """He et al. 2015: with weight vectors of length sqrt(2), E[y^2] is the same in every layer of ReLUs."""
    torch.manual_seed(0)
    network = noisy.Discriminator(SPEC, widths=[1000] * 4, noise=0.0, input_noise=0.0)
    features = network.features(torch.randn(200, 1, 28, 28)).square().mean()
    assert 0.7 < features < 1.4
