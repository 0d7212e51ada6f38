"""Batch normalisation: plain on one rank, the whole batch's on two, with a scale and a shift for each condition."""

import subprocess
import sys

import torch
from torch import nn
from torch.nn.functional import batch_norm

from genlab.models.layers.batch_norm import BatchNorm2d, ConditionalBatchNorm2d, OwnBatchNorm2d


def test_one_rank_is_plain():
    torch.manual_seed(0)
    maps, ours, plain = torch.randn(6, 3, 4, 4), BatchNorm2d(3), nn.BatchNorm2d(3)
    assert torch.equal(ours(maps), plain(maps))
    assert torch.equal(ours.running_var, plain.running_var)
    assert torch.equal(ours.eval()(maps), plain.eval()(maps))


def test_own_moments_in_evaluation_are_those_of_training_in_batches_of_one():
    """Isola et al. 2017, section 3.3; whatever else is in the batch."""
    norm, maps = OwnBatchNorm2d(3), torch.randn(4, 3, 5, 5) * 3 + 2
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    alone = torch.cat([norm(image[None]) for image in maps])
    torch.testing.assert_close(norm.eval()(maps), alone)
    plain = torch.nn.BatchNorm2d(3)
    plain.load_state_dict(norm.state_dict())  # the same state, and in training the same function
    torch.testing.assert_close(norm.train()(maps), plain(maps))


def test_each_condition_has_its_scale_and_shift():
    norm = ConditionalBatchNorm2d(2, lambda width: nn.Embedding(3, width))
    maps, classes = torch.randn(3, 2, 4, 4), torch.tensor([2, 0, 2])
    gain, bias = norm.gain.weight[classes], norm.bias.weight[classes]
    expected = batch_norm(maps, None, None, training=True) * (1 + gain[..., None, None]) + bias[..., None, None]
    torch.testing.assert_close(norm(maps, classes), expected)


TWO_RANKS = """
import torch
from torch import nn
from torch.autograd import grad
from genlab.core import distributed
from genlab.models.layers.batch_norm import BatchNorm2d, OwnBatchNorm2d

distributed.start()
torch.manual_seed(0)
whole = (torch.randn(8, 3, 4, 4, dtype=torch.float64) * 2 + 5).requires_grad_()
found = []
for norm, maps in ((nn.BatchNorm2d(3), whole), (BatchNorm2d(3), whole.chunk(2)[distributed.rank()])):
    norm.double()
    nn.init.constant_(norm.weight, 1.5)
    for _ in range(2):
        out = norm(maps)
    first = grad(out.sin().sum(), [whole, norm.weight], create_graph=True)
    second = grad(first[0].square().sum(), [whole, norm.weight])
    found.append([out, *first, *second, norm.running_mean, norm.running_var, norm.num_batches_tracked])
(plain, *slopes), (ours, *our_slopes) = found
torch.testing.assert_close(ours, plain.chunk(2)[distributed.rank()])
for name, expected, mine in zip(("images", "weight", "images twice", "weight twice"), slopes, our_slopes):
    torch.testing.assert_close(2 * distributed.mean(mine.clone()), expected, msg=lambda text: name + text)
torch.testing.assert_close(our_slopes[4:], slopes[4:])
alone = BatchNorm2d(3)
alone.momentum = None
if distributed.is_main():
    alone(torch.randn(2, 3, 4, 4))
print("equal")
distributed.stop()
"""


def test_two_ranks_have_the_moments_and_slopes_of_the_whole_batch(tmp_path):
    """One rank alone can gather standing statistics: it waits for no other."""
    script = tmp_path / "two_ranks.py"
    script.write_text(TWO_RANKS)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.stdout.count("equal") == 2, done.stderr
