"""One pass for all metrics, the same numbers for any batch size, real images read once."""

import math
from types import SimpleNamespace

import pytest
import torch

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.pixels import as_saved
from genlab.data import MNIST, InMemory, Split
from genlab.data.sets.points import Ring
from genlab.metrics import (
    FID,
    KID,
    PRDC,
    Accuracy,
    Birthday,
    ClassCoverage,
    Classifier,
    Coordinates,
    Evaluation,
    InceptionScore,
    IntraFID,
    Memorisation,
    Pixels,
    Record,
    SampleSource,
)
from genlab.metrics.metric import FeatureMetric
from genlab.metrics.references.frechet import Moments
from genlab.metrics.scores.ms_ssim import MSSSIM


def run(evaluation: Evaluation, sample, data: InMemory) -> list[Record]:
    return evaluation.run(SampleSource(sample, seed=3, position=1_000, ema=True), data, device="cpu")


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
    values = [run(evaluation(batch_size=size), noise, data)[0].value for size in (7, 50, 500)]
    assert values == pytest.approx([values[0]] * 3, rel=1e-5)


def test_a_record_says_how_it_was_measured(data):
    scored = evaluation()
    (record,) = run(scored, noise, data)
    assert (record.metric, record.images, record.reference_images) == ("fid", 130, 200)
    assert (record.reference, record.reference_hash) == ("noise/test", data.test.fingerprint())
    assert (record.extractor, record.extractor_hash) == ("mnist_classifier", scored.extractor.identity)
    assert (record.seed, record.position, record.ema, record.resize) == (3, 1_000, True, "none")


def test_one_pass_feeds_all_metrics_and_real_images_are_read_once(data):
    scored = Evaluation(Counting(), {"one": FID(), "two": FID()}, images=130, batch_size=50)
    first = run(scored, noise, data)
    assert scored.extractor.seen == 200 + 130
    assert run(scored, noise, data) == first and len(first) == 2
    assert scored.extractor.seen == 200 + 130 + 130


def test_the_next_run_finds_the_real_statistics(data):
    run(evaluation(), noise, data)
    later = evaluation()
    run(later, noise, data)
    assert later.extractor.seen == 130


def test_another_split_or_padding_is_measured_anew(data):
    run(evaluation(), noise, data)
    train = evaluation(split="train")
    assert run(train, noise, data)[0].reference_images == 300
    assert train.extractor.seen == 300 + 130


def test_real_and_generated_images_are_cropped_alike(data):
    def padded(start: int, count: int) -> torch.Tensor:
        return torch.nn.functional.pad(noise(start, count), [2] * 4, value=0.7)  # a frame that must not count

    framed = torch.nn.functional.pad(data.test.images, [2] * 4)
    wide = InMemory(Split(framed), test=Split(framed), padding=2)
    plain, cropped = (run(evaluation(), *case)[0].value for case in ((noise, data), (padded, wide)))
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

    assert math.isnan(run(evaluation(), broken, data)[0].value)


def test_a_missing_split_is_found_before_training(data):
    evaluation(split="train").check(InMemory(Split(pixels(0, 10))))
    with pytest.raises(ConfigError, match=r"metrics\.split=test.*no such split"):
        evaluation().check(InMemory(Split(pixels(0, 10))))


def test_real_features_are_measured_once_and_moments_follow_from_them(data):
    scored = Evaluation(Counting(), {"fid": FID(), "prdc": PRDC()}, images=130, batch_size=50)
    first = run(scored, noise, data)
    assert scored.extractor.seen == 200 + 130
    assert [record.metric for record in first] == ["fid", "precision", "recall", "density", "coverage"]
    assert first[0].value == pytest.approx(run(evaluation(), noise, data)[0].value, rel=1e-12)
    later = Evaluation(Counting(), {"fid": FID(), "prdc": PRDC()}, images=130, batch_size=50)
    assert run(later, noise, data) == first and later.extractor.seen == 130


def test_a_record_names_the_settings_of_its_metric(data):
    plain, wide = (Evaluation(Classifier(), {"prdc": PRDC(k_precision=k)}, images=60) for k in (3, 4))
    assert run(plain, noise, data)[0].settings == "k=3 (precision, recall), k=5 (density, coverage)"
    assert run(wide, noise, data)[0].settings.startswith("k=4")


class Remembering(FeatureMetric):
    def compute(self, reference) -> dict[str, float]:
        return {}


def test_metrics_are_given_the_conditions(data):
    seen = Remembering()
    scored = Evaluation(Classifier(), {"seen": seen}, images=130, batch_size=50)
    scored.run(SampleSource(noise, lambda start, count: torch.arange(start, start + count)), data, device="cpu")
    assert torch.equal(seen.condition, torch.arange(130))


def test_accuracy_is_a_number_of_conditional_models_alone():
    mnist = MNIST(limit=1)
    data = InMemory(mnist.test, name="digits")

    def real(start: int, count: int) -> torch.Tensor:
        return mnist.test.images[start : start + count].float() / 127.5 - 1

    def labels(start: int, count: int) -> torch.Tensor:
        return mnist.test.labels[start : start + count]

    scored = Evaluation(Classifier(), {"accuracy": Accuracy()}, images=300, split="train")
    assert scored.run(SampleSource(real), data, device="cpu") == []
    (record,) = scored.run(SampleSource(real, labels), data, device="cpu")
    assert record.metric == "accuracy" and record.value > 0.98


def test_points_are_measured_in_their_own_units():
    """The generator speaks in units of `scale`, and nothing is rounded to 8 bit."""
    ring, seen = Ring(points=100, test_points=100), Remembering()
    scored = Evaluation(Coordinates(), {"seen": seen, "fid": FID()}, images=100)
    sample = SampleSource(lambda start, count: ring.test.images[start : start + count] / ring.scale)
    (record,) = scored.run(sample, ring, device="cpu")
    torch.testing.assert_close(seen.features, ring.test.images)
    assert record.value == pytest.approx(0, abs=1e-9)
    assert (record.reference, record.extractor, record.reference_images) == ("ring8/test", "coordinates", 100)


def test_moments_from_features_are_those_of_the_images(data):
    scored = Evaluation(Classifier(), {"prdc": PRDC()}, images=60)
    run(scored, noise, data)
    moments = Moments()
    moments.update(Classifier()(data.test.images / 127.5 - 1))
    torch.testing.assert_close(scored._reference.moments.mean, moments.mean, atol=1e-5, rtol=1e-5)


def test_other_pictures_of_the_same_size_are_refused_by_their_labels():
    pictures = InMemory(Split(pixels(0, 300), torch.arange(300) % 10))
    with pytest.raises(
        ConfigError, match=r"tells the class of \d+% of 200 .*metrics/extractor=inception, or metrics=none"
    ):
        evaluation(split="train").check(pictures)
    unknown = pictures.train._replace(labels=torch.full((300,), -1))
    evaluation(split="train").check(InMemory(unknown, condition=Classes(10)))
    evaluation().check(MNIST(limit=1))


def test_every_metric_is_the_same_for_any_batch_size(data):
    """And the same again: subsets are drawn from a seed of their own."""
    labelled = InMemory(
        Split(data.train.images, torch.full((300,), -1)),
        test=Split(data.test.images, torch.arange(200) % 2),
        condition=Classes(2),
    )
    source = SampleSource(noise, lambda start, count: torch.arange(start, start + count) % 2)

    def scores(size: int) -> dict[str, float]:
        metrics = [KID(subset_size=50), InceptionScore(), ClassCoverage(), IntraFID(), Birthday(50), Memorisation()]
        scored = Evaluation(Classifier(), {type(one).__name__: one for one in metrics}, images=130, batch_size=size)
        return {record.metric: record.value for record in scored.run(source, labelled, device="cpu")}

    found = scores(50)
    assert len(found) == 12 and scores(50) == found
    assert scores(7) == pytest.approx(found, rel=1e-4)


@pytest.mark.parametrize(
    ("metric", "images", "said"),
    [
        (FID(), 1, "1 samples and 20 real images: expected 2 or more of either kind; raise metrics.images"),
        (KID(), 1, "expected 2 or more of either kind; raise metrics.images"),
        (PRDC(), 5, "expected 6 or more of either kind; raise metrics.images, or lower its k_precision and k_density"),
        (Birthday(30), 29, "expected 30 or more of either kind; raise metrics.images, or lower its batch"),
        (Birthday(30), 40, "40 samples and 20 real images.*compare with a larger metrics.split, or lower its batch"),
        (InceptionScore(10), 9, "9 samples in 10 parts: raise metrics.images, or lower its splits"),
        (MSSSIM(), 1, "expected 2 or more"),
        (IntraFID(), 12, "class 2 would have 1 samples and 2 real images: expected 2 or more of either kind; raise"),
        (IntraFID(), 62, "class 9 would have 2 samples and 1 real images"),
    ],
)
def test_too_few_images_are_a_mistake_before_training(metric, images, said):
    """Samples show ten classes, the first two more often; of the test images all but the last class has two."""
    labels = torch.tensor([*range(9), *range(9), 9, 0])
    data = InMemory(Split(pixels(0, 50), torch.arange(50) % 10), test=Split(pixels(1, 20), labels))
    shown = torch.tensor([0, 0, 1, 1, *range(2, 10), *[0] * 40, *range(10)])
    trained = SimpleNamespace(sample_conditions=lambda start, count: shown[start : start + count])
    scored = Evaluation(Pixels(), {"mine": metric}, images=images)
    with pytest.raises(ConfigError, match=f"metrics.metrics.mine: .*{said}"):
        scored.check(data, trained)
    with pytest.raises(ConfigError, match=said):
        scored.run(SampleSource(noise, trained=trained), data, device="cpu")
