"""Inception Score as torch-fidelity computes it, closed forms, and whose classes it is named after."""

import math
from types import SimpleNamespace

import pytest
import torch

from genlab.metrics import Classifier, Inception, InceptionScore, Pixels, StackedClassifier


def knowing(score="inception_score"):
    """An extractor whose features are the logits."""
    return SimpleNamespace(extractor=SimpleNamespace(score=score, logits=lambda features: features))


def measured(logits, reference=None, splits=10):
    metric = InceptionScore(splits)
    metric.update(logits)
    return metric.compute(reference or knowing())


@pytest.mark.parametrize("splits", [1, 7, 10])
def test_the_score_is_that_of_torch_fidelity(splits):
    from torch_fidelity.metric_isc import isc_features_to_metric

    logits = torch.randn(503, 12, generator=torch.Generator().manual_seed(0)) * 3
    expected = isc_features_to_metric(logits, splits=splits, shuffle=False)
    assert list(measured(logits, splits=splits).values()) == pytest.approx(list(expected.values()), abs=1e-6)


def test_certain_and_equally_many_score_the_number_of_classes():
    logits = torch.eye(5).repeat(20, 1) * 1e4
    found = measured(logits, knowing("classifier_score"), splits=4)
    assert found == pytest.approx({"classifier_score": 5, "classifier_score_deviation": 0}, abs=1e-9)
    assert measured(logits[:1].repeat(40, 1))["inception_score"] == pytest.approx(1)


def test_extractors_without_classes_have_none_and_nan_gives_nan():
    assert measured(torch.zeros(20, 4), SimpleNamespace(extractor=Pixels())) == {}
    assert all(map(math.isnan, measured(torch.full((20, 4), math.nan)).values()))


def test_each_extractor_names_its_own():
    assert (Inception.score, Classifier.score) == ("inception_score", "classifier_score")


def test_logits_of_stacked_digits_are_of_their_modes():
    stacked, features = StackedClassifier(), torch.randn(6, 192, generator=torch.Generator().manual_seed(0)) * 3
    digits = Classifier().logits(features.view(18, 64)).view(6, 3, 10)
    assert torch.equal(stacked.logits(features).argmax(1), stacked.labels(features))
    chances = stacked.logits(features).softmax(1)
    assert chances[:, 123].tolist() == pytest.approx(
        torch.stack([digits.softmax(2)[:, i, d] for i, d in enumerate((1, 2, 3))]).prod(0).tolist(), rel=1e-4
    )
