"""The menu under configs/metrics and configs/data composes, and builds what it says."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from genlab.callbacks.scores import Scores
from genlab.metrics import FID, Classifier, Inception

CONFIGS = Path(__file__).parents[2] / "configs"


def composed(*overrides: str):
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose(overrides=[f"+{overrides[0]}", *overrides[1:]])


def test_quick_scores_with_the_classifier():
    scores = instantiate(composed("metrics=quick").metrics, _convert_="all")
    assert isinstance(scores, Scores) and scores.every == 200_000
    evaluation = scores.evaluation
    assert isinstance(evaluation.extractor, Classifier) and isinstance(evaluation.metrics["fid"], FID)
    assert (evaluation.images, evaluation.split) == (10_000, "test")


def test_the_extractor_is_a_choice():
    config = composed("metrics=quick", "metrics/extractor=inception", "metrics.extractor.weights=w.pth")
    extractor = instantiate(config.metrics.extractor)
    assert isinstance(extractor, Inception) and extractor.weights == "w.pth"


def test_none_is_empty():
    assert composed("metrics=none").metrics == {}


@pytest.mark.parametrize("group", ["metrics", "metrics/extractor", "data"])
def test_every_file_begins_with_its_description(group):
    for path in (CONFIGS / group).glob("*.yaml"):
        first = path.read_text().splitlines()[0]
        assert first.startswith("# ") and len(first) > 10, path
