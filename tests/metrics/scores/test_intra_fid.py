"""Intra-class FID: what FID does not see, it sees."""

import math
from types import SimpleNamespace

import pytest
import torch

from genlab.core.condition import Attributes, Classes
from genlab.core.spec import Spec
from genlab.metrics import IntraFID, Moments, frechet_distance

LABELS = torch.arange(200) % 2
REAL = torch.randn(200, 3, generator=torch.Generator().manual_seed(0)) + 5.0 * LABELS[:, None]
TWO = Classes(2)


def reference(classes, condition=TWO):
    spec = Spec(1, 8, 8, images=200, condition=condition)
    return SimpleNamespace(features=REAL, classes=classes, data=SimpleNamespace(spec=spec))


REFERENCE = reference(LABELS)


def measured(fake, condition, real=REFERENCE):
    metric = IntraFID()
    metric.update(fake, condition)
    return metric.compute(real)


def moments(features):
    found = Moments()
    found.update(features)
    return found


def test_the_score_is_the_mean_over_classes():
    fake, asked = REAL[:150] * 1.3, LABELS[:150]
    each = [frechet_distance(moments(REAL[LABELS.eq(k)]), moments(fake[asked == k])) for k in (0, 1)]
    assert measured(fake, asked) == pytest.approx({"intra_fid": sum(each) / 2})


def test_classes_in_each_others_place_cost_much():
    assert measured(REAL, LABELS)["intra_fid"] == pytest.approx(0, abs=1e-9)
    assert measured(REAL, 1 - LABELS)["intra_fid"] > 50


def test_data_without_classes_have_no_score():
    assert measured(REAL, None) == {} and measured(REAL, torch.zeros(200, 4), reference(LABELS, Attributes(4))) == {}
    assert measured(REAL, LABELS, reference(None)) == {}
    assert math.isnan(measured(REAL * math.nan, LABELS)["intra_fid"])
