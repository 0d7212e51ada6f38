from types import SimpleNamespace

import pytest
import torch

from genlab.callbacks import ClassificationAccuracy
from genlab.data import InMemory, Split

LABELS = torch.arange(20) % 4
SHADES = (LABELS * 80).to(torch.uint8).view(20, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()


def classify_by_shade(images):
    """Return logits that are highest for the class whose images in SHADES have this grey."""
    grey = (images.mean((1, 2, 3)) + 1) * 127.5
    return -(grey[:, None] - 80 * torch.arange(4)).abs()


def always_name_class_one(images):
    return torch.tensor([0.0, 1.0, 0.0, 0.0]).expand(len(images), 4)


@pytest.fixture
def labelled_trainer(trainer):
    trainer.data = InMemory(Split(SHADES, LABELS), test=Split(SHADES, LABELS), labelled=8)
    trainer.model = SimpleNamespace(classify=classify_by_shade)
    trainer.interrupted, trainer.reports = False, []
    trainer.report = trainer.reports.append
    return trainer


@pytest.mark.parametrize(("classify", "share"), [(classify_by_shade, 1.0), (always_name_class_one, 0.25)])
@pytest.mark.parametrize("batch_size", [3, 500])
def test_the_share_of_test_images_named_rightly(labelled_trainer, classify, share, batch_size):
    labelled_trainer.model.classify = classify
    ClassificationAccuracy(batch_size=batch_size).tick(labelled_trainer.at(1_000))
    assert labelled_trainer.published == [{"score/test_accuracy": share}]


def test_the_record_says_how_it_was_measured(labelled_trainer):
    ClassificationAccuracy().tick(labelled_trainer.at(1_000))
    (record,) = labelled_trainer.reports
    expected = {"metric": "test_accuracy", "value": 1.0, "reference": "data/test", "reference_images": 20}
    assert expected.items() <= record.items()
    assert record["training_labels"] == 8 and record["position"] == 1_000
    assert record["reference_hash"] == Split(SHADES, LABELS).fingerprint()


def test_the_end_is_scored_once_and_not_after_a_signal(labelled_trainer):
    callback = ClassificationAccuracy()
    callback.tick(labelled_trainer.at(1_000))
    callback.finish(labelled_trainer)
    labelled_trainer.interrupted = True
    callback.finish(labelled_trainer.at(2_000))
    assert len(labelled_trainer.published) == 1


@pytest.mark.parametrize("missing", ["classify", "test", "labels"])
def test_nothing_happens_where_there_is_nothing_to_name(labelled_trainer, missing):
    if missing == "classify":
        labelled_trainer.model = SimpleNamespace()
    else:
        test = None if missing == "test" else Split(SHADES)
        labelled_trainer.data = InMemory(Split(SHADES, LABELS), test=test)
    ClassificationAccuracy().finish(labelled_trainer.at(1_000))
    assert not labelled_trainer.published and not labelled_trainer.reports
