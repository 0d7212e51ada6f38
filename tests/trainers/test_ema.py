"""The running average of spectrally normalised weights."""

import torch
from torch import nn

from genlab.core.spec import Spec
from genlab.models.layers.mapping import Mapping
from genlab.models.layers.spectral import normalise_spectrum
from genlab.trainers import EMA


def test_singular_vectors_are_copied():
    """All directions are singular vectors of the identity. The mean of two is half as long, squared: weights of 2."""
    network = nn.Sequential(nn.Linear(4, 4, bias=False))
    nn.init.eye_(network[0].weight)
    normalise_spectrum(network)
    vectors = network[0].parametrizations.weight[0]
    vectors._u.copy_(torch.eye(4)[0])
    vectors._v.copy_(torch.eye(4)[0])
    ema = EMA(network, halflife=100, warmup=0)
    vectors._u.copy_(torch.eye(4)[1])
    vectors._v.copy_(torch.eye(4)[1])
    ema.update(100, 100)
    torch.testing.assert_close(ema.network[0].weight, torch.eye(4))


def test_weights_before_normalisation_are_averaged():
    network = nn.Sequential(nn.Linear(2, 2, bias=False))
    nn.init.eye_(network[0].weight)
    normalise_spectrum(network)
    ema = EMA(network, halflife=100, warmup=0)
    with torch.no_grad():
        network[0].parametrizations.weight.original *= 3
    ema.update(100, 100)
    torch.testing.assert_close(ema.network[0].parametrizations.weight.original, 2 * torch.eye(2))


def test_statistics_of_batch_norm_are_averaged_and_other_buffers_copied():
    """The public code of BigGAN, and that of StyleGAN2 and 3: `w_avg`."""
    network = nn.ModuleList([nn.BatchNorm1d(3), Mapping(Spec(1, 8, 8, images=9), 4, size=3)])
    ema = EMA(network, halflife=100, warmup=0)
    network[0].running_mean.fill_(1.0)
    network[1].mean.fill_(1.0)
    ema.update(100, 100)
    assert ema.network[0].running_mean.tolist() == [0.5] * 3 and ema.network[1].mean.tolist() == [1.0] * 3
