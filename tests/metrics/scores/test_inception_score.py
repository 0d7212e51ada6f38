"""Inception Score as torch-fidelity computes it, closed forms, and whose classes it is named after."""

import math
from types import SimpleNamespace

import pytest
import torch

from genlab.core.pixels import to_float
from genlab.data import MNIST
from genlab.metrics import Classifier, Inception, InceptionScore, Pixels, StackedClassifier
from genlab.metrics.scores.inception_score import some_of


def knowing(score="inception_score", real=None, temperature=None):
    """Real images, by default none, and an extractor whose features are the logits."""
    extractor = SimpleNamespace(score=score, logits=lambda features: features, temperature=temperature)
    return SimpleNamespace(extractor=extractor, features=real, count=0 if real is None else len(real))


def measured(logits, reference=None, splits=10):
    metric = InceptionScore(splits)
    metric.update(logits)
    return metric.compute(reference or knowing())


@pytest.mark.parametrize("splits", [1, 7, 10])
def test_the_score_is_that_of_torch_fidelity(splits):
    from torch_fidelity.metric_isc import isc_features_to_metric

    logits = torch.randn(503, 12, generator=torch.Generator().manual_seed(0)) * 3
    expected = list(isc_features_to_metric(logits, splits=splits).values())
    found = measured(logits, knowing(real=logits), splits=splits)
    assert list(found.values()) == pytest.approx([*expected, expected[0]], abs=1e-6)


def test_samples_in_the_order_of_their_classes_score_as_in_any_other():
    """In ten parts of one class each, without shuffling, they would score 1."""
    found = measured(torch.eye(10).repeat_interleave(1_000, 0) * 1e4)["inception_score"]
    assert found == pytest.approx(10, rel=0.01)


def test_real_images_are_scored_alike_and_judge_no_model():
    sure, unsure = torch.eye(5).repeat(20, 1) * 1e4, torch.zeros(100, 5)
    found = measured(unsure, knowing("classifier_score", real=sure), splits=1)
    assert (found["classifier_score"], found["classifier_score_real"]) == pytest.approx((1, 5))
    directions = {name: InceptionScore().direction(name) for name in found}
    assert directions == {"classifier_score": True, "classifier_score_deviation": None, "classifier_score_real": None}


def test_the_bundled_classifier_is_as_sure_as_it_is_right():
    """Its hash is that of its weights alone, as it was before the temperature was stored."""
    extractor, test = Classifier(), MNIST().test
    features = extractor(to_float(test.images[:2_000]))
    shares, found = extractor.logits(features).softmax(1).max(1)
    right = (found == test.labels[:2_000]).float().mean().item()
    assert shares.mean().item() == pytest.approx(right, abs=0.005)
    assert extractor.identity == "059d6117d787be582ff735afb4aa2ae17964764a0239c339ba97be4ee622378b"
    metric = InceptionScore()
    metric.update(features)
    metric.compute(SimpleNamespace(extractor=extractor, count=0))
    assert metric.settings == f"10 splits, shuffled with seed 2020; temperature {extractor.temperature:.4g}"


def test_certain_and_equally_many_score_the_number_of_classes():
    logits = torch.eye(5).repeat(20, 1) * 1e4
    found = measured(logits, knowing("classifier_score"), splits=1)
    assert found == pytest.approx({"classifier_score": 5, "classifier_score_deviation": 0}, abs=1e-9)
    assert measured(logits[:1].repeat(40, 1))["inception_score"] == pytest.approx(1)


def test_extractors_without_classes_have_none_and_nan_gives_nan():
    assert measured(torch.zeros(20, 4), SimpleNamespace(extractor=Pixels(), count=0)) == {}
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


def test_as_many_real_images_are_scored_as_samples():
    """Few images score lower than many: with one a part, every part's score is 1."""
    rows = torch.arange(40.0)[:, None]
    assert len(some_of(rows, 10).unique()) == 10 and some_of(rows, 50) is rows
