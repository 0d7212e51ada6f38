"""Words that can be measured in pictures."""

from types import SimpleNamespace

import pytest
import torch

from genlab.data import MNIST
from genlab.metrics import Described

TOLD = SimpleNamespace(model=SimpleNamespace(conditional=True))


@pytest.fixture(scope="module")
def data():
    return MNIST(words=True, limit=400)


def described(data, images, asked):
    metric = Described()
    for rows in (slice(100), slice(100, None)):
        metric.update_images(images[rows] / 127.5 - 1, asked[rows])
    return metric.compute(SimpleNamespace(data=data))


def test_real_images_are_as_they_are_said_to_be(data):
    found = described(data, *data.train)
    assert found == dict.fromkeys(
        ["described", *(f"described_{word}" for word in ("thin", "bold", "left", "right"))], 1.0
    )


def test_shares_are_those_of_the_samples(data):
    """Two of three bold ones, one of them slanted where none was asked for."""
    images, labels = data.train
    seen = data.rule.measure(images)
    bold, plain = seen[:, 1] & ~seen[:, 2] & ~seen[:, 3], ~seen.any(1)
    leaning = seen[:, 1] & seen[:, 3]
    rows = torch.stack([mask.nonzero()[0, 0] for mask in (bold, leaning, plain)])
    asked = labels[bold.nonzero()[0, 0]].expand(3, -1)
    found = described(data, images[rows], asked)
    assert found == {"described": pytest.approx(1 / 3), "described_bold": pytest.approx(2 / 3)}


def test_samples_that_are_not_finite_agree_with_no_word(data):
    images, labels = data.train.images[:4] / 127.5 - 1, data.train.labels[:4]
    metric = Described()
    metric.update_images(images.index_fill(0, torch.tensor([1]), torch.nan), labels)
    assert set(metric.compute(SimpleNamespace(data=data)).values()) == {0.0}


def test_the_metric_needs_words_and_a_rule(data):
    told = SimpleNamespace(data=data, name="mnist")
    assert Described().unfit_reason(told, TOLD) is None
    assert "model=text_gan" in Described().unfit_reason(told, SimpleNamespace(model=SimpleNamespace(conditional=False)))
    plain = SimpleNamespace(data=MNIST(limit=1), name="mnist")
    assert "data=mnist_words" in Described().unfit_reason(plain, TOLD)
