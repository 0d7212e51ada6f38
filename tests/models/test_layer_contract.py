"""Standing statistics against moments taken at once."""

import torch
from torch import nn

from genlab.models.layer_contract import gather_statistics
from genlab.models.layers.batch_norm import BatchNorm2d


def test_standing_statistics_are_the_moments_of_all_batches():
    network = nn.Sequential(BatchNorm2d(3), nn.Dropout(0.5)).eval()
    network.forward = lambda maps, condition: nn.Sequential.forward(network, maps)
    batches = torch.randn(5, 8, 3, 2, 2) * 3 + 1
    gather_statistics(network, [(batch, None) for batch in batches])
    norm = network[0]
    torch.testing.assert_close(norm.running_mean, batches.mean((0, 1, 3, 4)))
    torch.testing.assert_close(norm.running_var, batches.transpose(1, 2).flatten(2).var(2).mean(0))
    assert not norm.training and norm.momentum == 0.1
