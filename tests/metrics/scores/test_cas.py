"""Classification accuracy score: real digits that are called generated, with right labels and with wrong ones."""

from types import SimpleNamespace

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.data import MNIST, InMemory, Split
from genlab.metrics import Coordinates, Evaluation, SampleSource
from genlab.metrics.scores.cas import ClassificationAccuracy


@pytest.fixture(scope="module")
def digits() -> InMemory:
    train, test = MNIST().train, MNIST().test
    return InMemory(Split(train.images[:600], train.labels[:600]), test=Split(test.images[:300], test.labels[:300]))


def trained(conditional=True):
    return SimpleNamespace(model=SimpleNamespace(conditional=conditional))


def scored(data, shift=0, *, batch_size=250, split="test", conditional=True):
    """Samples are other real digits, whose labels are off by `shift`."""
    other = MNIST().train
    source = SampleSource(
        lambda start, count: other.images[1_000 + start : 1_000 + start + count] / 127.5 - 1,
        lambda start, count: (other.labels[1_000 + start : 1_000 + start + count] + shift) % 10,
        trained=trained(conditional),
    )
    metrics = {"cas": ClassificationAccuracy(600, amounts=[0.5], steps=60)}
    evaluation = Evaluation(Coordinates(), metrics, batch_size=batch_size, split=split)
    evaluation.check(data, source.trained)
    return {record.metric: record.value for record in evaluation.run(source, data, device="cpu")}


def test_samples_as_good_as_real_images_teach_as_much(digits):
    before = torch.get_rng_state()
    found = scored(digits)
    assert list(found) == ["gan_train", "gan_test", "real_train", "real_plus_50"]
    assert min(found.values()) > 0.75 and abs(found["gan_train"] - found["real_train"]) < 0.1
    assert scored(digits, batch_size=130) == found
    assert torch.equal(torch.get_rng_state(), before)


def test_samples_that_show_another_class_teach_and_score_nothing(digits):
    found = scored(digits, shift=1)
    assert found["gan_train"] < 0.2 and found["gan_test"] < 0.2 and found["real_train"] > 0.75


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"conditional": False}, "needs a model that is told classes"),
        ({"split": "train"}, "set metrics.split=test"),
    ],
)
def test_models_without_classes_are_refused_before_training(digits, options, said):
    with pytest.raises(ConfigError, match=said):
        scored(digits, **options)


def test_data_without_classes_are_refused(digits):
    plain = InMemory(digits.train, test=Split(digits.test.images))
    with pytest.raises(ConfigError, match="images with classes, and data/test has none"):
        scored(plain)
