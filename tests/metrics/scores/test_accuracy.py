"""Samples that show what was asked for."""

import math
from types import SimpleNamespace

import pytest
import torch

from genlab.core.condition import Attributes, Classes
from genlab.core.spec import Spec
from genlab.core.words import Words
from genlab.data import MNIST
from genlab.metrics import Accuracy, BalancedAccuracy, Classifier, Coordinates


def accuracy(features, condition, extractor, metric=None, **data) -> dict[str, float]:
    metric = metric or Accuracy()
    metric.update(features, condition)
    kind = (
        Words(data.pop("words"), 3)
        if "words" in data
        else Classes(10)
        if condition is not None and condition.ndim == 1
        else Attributes(7)
    )
    data = SimpleNamespace(spec=Spec(1, 28, 28, images=9, condition=kind), **{"class_names": ()} | data)
    return metric.compute(SimpleNamespace(extractor=extractor, data=data))


FOUR = SimpleNamespace(labels=lambda features: torch.tensor([0, 1, 2, 3]))


def test_accuracy_is_the_share_of_samples_that_fit():
    assert accuracy(torch.zeros(4, 2), torch.tensor([0, 1, 2, 0]), FOUR) == {"accuracy": 0.75}


def test_samples_that_are_not_finite_are_wrong():
    broken = torch.tensor([[0.0], [math.nan], [0.0], [0.0]])
    assert accuracy(broken, torch.arange(4), FOUR) == {"accuracy": 0.75}


@pytest.mark.parametrize("condition", [None, torch.zeros(4, 7)])
def test_models_that_are_told_no_class_have_none(condition):
    assert accuracy(torch.zeros(4, 2), condition, FOUR) == {}


def test_words_ask_for_the_class_that_they_name():
    words, names = ("bold", "four", "one", "two", "zero"), ["zero", "one", "two", "three"]
    asked = torch.tensor([[1, 5, 0], [3, 0, 0], [1, 2, 0], [3, 4, 0]])  # bold zero; one; bold four; one two
    assert accuracy(torch.zeros(4, 2), asked, FOUR, words=words, class_names=names) == {"accuracy": 1.0}
    assert accuracy(torch.zeros(4, 2), asked.flip(0), FOUR, words=words, class_names=names) == {"accuracy": 0.0}
    assert accuracy(torch.zeros(4, 2), asked[2:], FOUR, words=words, class_names=names) == {}
    assert accuracy(torch.zeros(4, 2), asked, FOUR, words=words, class_names=[]) == {}


def test_a_class_counts_as_much_as_another():
    most = torch.tensor([0, 0, 0, 3])  # shown: 0 1 2 3
    assert accuracy(torch.zeros(4, 2), most, FOUR, BalancedAccuracy()) == {"balanced_accuracy": (1 / 3 + 1) / 2}


def test_extractors_that_know_no_classes_have_none():
    assert accuracy(torch.zeros(4, 2), torch.arange(4), Coordinates()) == {}


def test_the_accuracy_of_real_digits_is_the_classifiers():
    test = MNIST(limit=1).test
    images, labels = test.images[:300].float() / 127.5 - 1, test.labels[:300]
    classifier = Classifier()
    right = (classifier.classify(images).argmax(1) == labels).double().mean().item()
    assert accuracy(classifier(images), labels, classifier) == {"accuracy": right} and right > 0.98
    assert accuracy(classifier(images), (labels + 1) % 10, classifier)["accuracy"] < 0.02
