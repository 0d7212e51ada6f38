"""The menu under configs/metrics and configs/data composes, and builds what it says."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from genlab.callbacks.scores import Scores
from genlab.data.points import Points
from genlab.metrics import FID, PRDC, Accuracy, Classifier, Coordinates, Inception, StackedClassifier

CONFIGS = Path(__file__).parents[2] / "configs"


def composed(*overrides: str):
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose(overrides=[f"+{overrides[0]}", *overrides[1:]])


def train_config(*overrides: str):
    """As the command line composes it."""
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("train", ["model=gan", *overrides])


def test_quick_scores_with_the_classifier():
    scores = instantiate(composed("metrics=quick").metrics, _convert_="all")
    assert isinstance(scores, Scores) and scores.every == 200_000
    evaluation = scores.evaluation
    assert isinstance(evaluation.extractor, Classifier) and isinstance(evaluation.metrics["fid"], FID)
    assert (evaluation.images, evaluation.split) == (10_000, "test")


@pytest.mark.parametrize(
    ("name", "extractor", "images", "metrics"),
    [
        ("full", Classifier, 10_000, ["fid", "prdc", "accuracy"]),
        ("points", Coordinates, 2_500, ["w1", "mmd", "divergences", "modes"]),
        ("stacked_mnist", StackedClassifier, 26_000, ["modes"]),
    ],
)
def test_each_choice_measures_what_it_says(name, extractor, images, metrics):
    evaluation = instantiate(composed(f"metrics={name}").metrics, _convert_="all").evaluation
    assert type(evaluation.extractor) is extractor and evaluation.images == images
    assert list(evaluation.metrics) == metrics


def test_full_is_quick_and_more():
    metrics = instantiate(composed("metrics=full").metrics, _convert_="all").evaluation.metrics
    assert [type(metric) for metric in metrics.values()] == [FID, PRDC, Accuracy]


@pytest.mark.parametrize("name", ["ring8", "grid25", "swiss_roll", "two_moons", "blobs"])
def test_points_choose_their_metrics_unless_told(name):
    assert train_config(f"data={name}").metrics.extractor._target_ == "genlab.metrics.Coordinates"
    assert train_config(f"data={name}", "metrics=none").metrics == {}
    data = instantiate(train_config(f"data={name}", "data.points=100", "data.seed=1").data, _convert_="all")
    assert isinstance(data, Points) and data.name == name


def test_images_keep_theirs():
    assert train_config("data=mnist").metrics.extractor._target_ == "genlab.metrics.Classifier"


def test_the_extractor_is_a_choice():
    config = composed("metrics=quick", "metrics/extractor=inception", "metrics.extractor.weights=w.pth")
    extractor = instantiate(config.metrics.extractor)
    assert isinstance(extractor, Inception) and extractor.weights == "w.pth"


def test_none_is_empty():
    assert composed("metrics=none").metrics == {}


@pytest.mark.parametrize("group", ["metrics", "metrics/extractor", "data"])
def test_every_file_begins_with_its_description(group):
    for path in (CONFIGS / group).glob("*.yaml"):
        first, second, *_ = path.read_text().splitlines()
        described = second if first == "# @package _global_" else first
        assert described.startswith("# ") and len(described) > 10, path
