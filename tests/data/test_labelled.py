"""Few labels: which they are, and the batches that hold nothing else."""

import pytest
import torch

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.data import MNIST, InMemory, Split
from genlab.data.few_labels import keep_few_labels
from genlab.data.stream import Stream

LABELS = torch.arange(100) % 4
IMAGES = torch.arange(100, dtype=torch.uint8).view(100, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()
SPLIT = Split(IMAGES, LABELS)


@pytest.mark.parametrize(("labelled", "counts"), [(4, [1] * 4), (8, [2] * 4), (10, [3, 3, 2, 2]), (100, [25] * 4)])
def test_the_classes_share_the_labels_equally(labelled, counts):
    labels = keep_few_labels(SPLIT.labels, labelled, seed=0)
    known = labels >= 0
    assert torch.equal(labels[known], LABELS[known])
    assert labels[known].bincount().tolist() == counts
    assert (labels[~known] == -1).all() and torch.equal(SPLIT.labels, torch.arange(100) % 4)


def test_the_seed_alone_decides_which():
    first, again, other = (keep_few_labels(SPLIT.labels, 8, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_the_data_set_keeps_images_classes_and_test_labels():
    data = InMemory(SPLIT, test=SPLIT, labelled=8, label_seed=3)
    assert torch.equal(data.train.images, IMAGES) and data.spec.class_count == 4
    assert data.test.labels is LABELS
    assert data.fingerprint != InMemory(SPLIT, labelled=8, label_seed=4).fingerprint


@pytest.mark.parametrize("labelled", [3, 101])
def test_too_few_or_too_many_are_refused(labelled):
    with pytest.raises(ConfigError, match=rf"data\.labelled={labelled}.*expected 4 .* to 100"):
        keep_few_labels(SPLIT.labels, labelled, seed=0)


@pytest.mark.parametrize("labels", [None, torch.zeros(100, 3)])
def test_data_without_classes_are_refused(labels):
    with pytest.raises(ConfigError, match=r"no classes.*data\.labelled=null"):
        keep_few_labels(labels, 4, seed=0)


def test_mnist_has_a_hundred_balanced_labels():
    labels = MNIST(labelled=100, label_seed=1).train.labels
    assert labels[labels >= 0].bincount().tolist() == [10] * 10


def draws(turn, start, stop):
    return Draws((0, "test", turn), 6, start, stop, torch.device("cpu"))


def test_labelled_batches_hold_labelled_images_with_their_labels():
    data = InMemory(SPLIT, labelled=8, label_seed=3).train
    stream = Stream(data, seed=0, condition=Classes(4), device=torch.device("cpu"))
    known = set((data.labels >= 0).nonzero().flatten().tolist())
    seen = []
    for turn in range(4):
        images, labels = stream.labelled_batch("labelled", 6 * turn, draws(turn, 0, 6))
        rows = ((images[:, 0, 0, 0] + 1) * 127.5).round().long()
        assert torch.equal(LABELS[rows], labels)
        half = stream.labelled_batch("labelled", 6 * turn, draws(turn, 3, 6))
        assert torch.equal(half[0], images[3:]) and torch.equal(half[1], labels[3:])
        seen += rows.tolist()
    assert set(seen) == known
    assert all(seen.count(row) == 3 for row in known)  # 24 rows are three epochs of 8


def test_fully_labelled_data_give_all_of_their_images():
    stream = Stream(SPLIT, seed=0, condition=Classes(4), device=torch.device("cpu"))
    _, labels = stream.labelled_batch("labelled", 0, Draws((0,), 100, 0, 100, torch.device("cpu")))
    assert labels.bincount().tolist() == [25] * 4
