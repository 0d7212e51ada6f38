"""One pass for all metrics, the same numbers for any batch size, real images read once."""

import math

import pytest
import torch

from genlab.data import InMemory, Split
from genlab.errors import ConfigError
from genlab.metrics import FID, Classifier, Evaluation
from genlab.metrics.evaluation import as_saved

RUN = {"device": "cpu", "seed": 3, "position": 1_000, "ema": True}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path))


def pixels(seed: int, images: int, size: int = 28) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (images, 1, size, size), generator=generator, dtype=torch.uint8)


def noise(start: int, count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(9)
    return (torch.randn(200, 1, 28, 28, generator=generator) * 0.5)[start : start + count]


@pytest.fixture
def data() -> InMemory:
    return InMemory(Split(pixels(0, 300)), test=Split(pixels(1, 200)), name="noise")


class Counting(Classifier):
    """Counts the images it is shown."""

    seen = 0

    def __call__(self, images):
        self.seen += len(images)
        return super().__call__(images)


def evaluation(**options) -> Evaluation:
    options = {"images": 130, "batch_size": 50} | options
    return Evaluation(Counting(), {"fid": FID()}, **options)


def test_the_batch_size_changes_no_score(data):
    values = [evaluation(batch_size=size).run(noise, data, **RUN)[0].value for size in (7, 50, 500)]
    assert values == pytest.approx([values[0]] * 3, rel=1e-5)


def test_a_record_says_how_it_was_measured(data):
    scored = evaluation()
    (record,) = scored.run(noise, data, **RUN)
    assert (record.metric, record.images, record.reference_images) == ("fid", 130, 200)
    assert (record.reference, record.reference_hash) == ("noise/test", data.test.fingerprint())
    assert (record.extractor, record.extractor_hash) == ("mnist_classifier", scored.extractor.identity)
    assert (record.seed, record.position, record.ema, record.resize) == (3, 1_000, True, "none")


def test_one_pass_feeds_all_metrics_and_real_images_are_read_once(data):
    scored = Evaluation(Counting(), {"one": FID(), "two": FID()}, images=130, batch_size=50)
    first = scored.run(noise, data, **RUN)
    assert scored.extractor.seen == 200 + 130
    assert scored.run(noise, data, **RUN) == first and len(first) == 2
    assert scored.extractor.seen == 200 + 130 + 130


def test_the_next_run_finds_the_real_statistics(data):
    evaluation().run(noise, data, **RUN)
    later = evaluation()
    later.run(noise, data, **RUN)
    assert later.extractor.seen == 130


def test_another_split_or_padding_is_measured_anew(data):
    evaluation().run(noise, data, **RUN)
    train = evaluation(split="train")
    assert train.run(noise, data, **RUN)[0].reference_images == 300
    assert train.extractor.seen == 300 + 130


def test_real_and_generated_images_are_cropped_alike(data):
    def padded(start: int, count: int) -> torch.Tensor:
        return torch.nn.functional.pad(noise(start, count), [2] * 4, value=0.7)  # a frame that must not count

    framed = torch.nn.functional.pad(data.test.images, [2] * 4)
    wide = InMemory(Split(framed), test=Split(framed), padding=2)
    plain, cropped = (evaluation().run(*case, **RUN)[0].value for case in ((noise, data), (padded, wide)))
    assert cropped == plain


def test_images_are_scored_as_they_would_be_saved():
    images = torch.tensor([-3.0, -1.0, 0.5001, 0.5, 2.0])
    saved = as_saved(images)
    assert saved[0] == -1 and saved[-1] == 1 and saved[2] == saved[3]
    assert torch.equal((saved + 1) * 127.5, ((saved + 1) * 127.5).round())
    every = torch.arange(256.0) / 127.5 - 1
    assert torch.equal(as_saved(every), every)


def test_a_generator_that_diverged_scores_nan(data):
    def broken(start: int, count: int) -> torch.Tensor:
        return torch.full((count, 1, 28, 28), math.nan)

    assert math.isnan(evaluation().run(broken, data, **RUN)[0].value)


def test_a_missing_split_is_found_before_training(data):
    evaluation(split="train").check(InMemory(Split(pixels(0, 10))))
    with pytest.raises(ConfigError, match=r"metrics\.split=test.*no such split"):
        evaluation().check(InMemory(Split(pixels(0, 10))))
