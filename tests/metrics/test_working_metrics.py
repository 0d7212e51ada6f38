"""A metric that fails loses its own score, and nothing else."""

import math

import numpy as np
import pytest
import torch

from genlab.core.errors import ConfigError, RunError
from genlab.data import InMemory, Split
from genlab.evaluate import raise_failure
from genlab.metrics import FID, Pixels
from genlab.metrics.evaluation import Evaluation
from genlab.metrics.metric import Metric
from genlab.metrics.sample_source import SampleSource


class Broken(Metric):
    """Fails where it is told to, or returns what it is given."""

    uses_extractor = False

    def __init__(self, place="", found=None):
        self.place, self.found = place, found

    def fail_at(self, place):
        if place == self.place:
            raise ValueError("my bug")

    def unfit_reason(self, reference, trained):
        self.fail_at("unfit_reason")

    def reset(self):
        self.fail_at("reset")

    def update(self, features, condition=None):
        return None

    def update_images(self, images, condition=None):
        self.fail_at("update_images")

    def compute(self, reference):
        self.fail_at("compute")
        return self.found

    @property
    def settings(self):
        self.fail_at("settings")
        return ""

    def direction(self, number):
        self.fail_at("direction")

    def pictures(self, reference):
        self.fail_at("pictures")
        return {}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path))


def scored(metric, *, first=True):
    pixels = torch.randint(0, 256, (20, 1, 4, 4), dtype=torch.uint8)
    metrics = {"mine": metric, "fid": FID()} if first else {"fid": FID(), "mine": metric}
    evaluation = Evaluation(Pixels(), metrics, images=20, batch_size=10, split="train")
    source = SampleSource(lambda start, count: pixels[start : start + count] / 127.5 - 1)
    return evaluation.run(source, InMemory(Split(pixels)), device="cpu"), evaluation.failures


@pytest.mark.parametrize("place", ["unfit_reason", "reset", "update_images", "compute", "settings", "direction"])
@pytest.mark.parametrize("first", [True, False])
def test_one_that_raises_loses_its_score_alone(place, first):
    records, failures = scored(Broken(place, {"mine": 1.0}), first=first)
    assert [record.metric for record in records] == ["fid"] and list(failures) == ["mine"]
    with pytest.raises(RunError, match=r"metrics\.metrics\.mine: ValueError: my bug"):
        raise_failure(failures)


def test_one_whose_pictures_fail_keeps_its_score():
    records, failures = scored(Broken("pictures", {"mine": 1.0}))
    assert [record.metric for record in records] == ["mine", "fid"] and list(failures) == ["mine, its pictures"]


@pytest.mark.parametrize(
    "found", [None, 3.0, torch.tensor(3.0), math.nan, [1.0], {"a": None}, {"a": "b"}, {"a": True}, {"a": torch.ones(2)}]
)
def test_what_is_no_numbers_by_name_is_no_score(found):
    records, failures = scored(Broken(found=found))
    assert [record.metric for record in records] == ["fid"]
    assert "compute returned" in str(failures["mine"]) and "expected" in str(failures["mine"])


@pytest.mark.parametrize("value", [2.0, 2, torch.tensor(2.0), torch.tensor([2]), np.float32(2), np.int64(2)])
def test_any_number_becomes_a_plain_one(value):
    records, failures = scored(Broken(found={"mine": value}))
    assert not failures and records[0].value == 2 and type(records[0].value) in (int, float)


def test_a_mistake_of_the_user_stays_one():
    with pytest.raises(ConfigError, match=r"metrics\.metrics\.mine: too few"):
        raise_failure({"mine": ConfigError("too few.")})
