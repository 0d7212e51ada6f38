"""Records that were measured alike, and those that were not."""

from dataclasses import fields, replace

import pytest

from genlab.metrics import Record, differing_fields
from genlab.metrics.records import RESULT_FIELDS

RECORD = Record(
    metric="fid",
    value=3.5,
    extractor="mnist_classifier",
    extractor_hash="a1",
    reference="mnist/test",
    reference_hash="b2",
    images=10_000,
    reference_images=10_000,
    resize="none",
    ema=True,
    seed=0,
    position=200_000,
)


def test_another_run_compares():
    assert differing_fields(RECORD, replace(RECORD, value=2.0, seed=1, position=400_000, ema=False)) == []


@pytest.mark.parametrize("name", [field.name for field in fields(Record) if field.name not in RESULT_FIELDS])
def test_another_way_of_measuring_is_named(name):
    assert differing_fields(RECORD, replace(RECORD, **{name: "other"})) == [name]


def test_all_that_differs_is_named():
    assert differing_fields(RECORD, replace(RECORD, images=5_000, resize="other")) == ["images", "resize"]


def test_a_record_is_plain_data():
    assert Record(**RECORD.as_dict()) == RECORD
