"""The menu under configs/metrics and configs/data composes, and builds what it says."""

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import OmegaConf

from genlab.callbacks.scores import Scores
from genlab.data.sets.points import Points
from genlab.metrics import (
    FID,
    KID,
    PRDC,
    Accuracy,
    AttributeAccuracy,
    ClassCoverage,
    Classifier,
    Coordinates,
    CustomExtractor,
    Inception,
    InceptionScore,
    Pixels,
    StackedClassifier,
)

CONFIGS = Path(__file__).parents[2] / "configs"


def composed(*overrides: str):
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("evaluate", list(overrides))


def train_config(*overrides: str):
    """As the command line composes it."""
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("train", ["model=gan", *overrides])


def test_quick_scores_with_the_classifier():
    scores = instantiate(train_config("metrics=quick").metrics, _convert_="all")
    assert isinstance(scores, Scores) and scores.every == 200_000
    evaluation = scores.evaluation
    assert isinstance(evaluation.extractor, Classifier) and isinstance(evaluation.metrics["fid"], FID)
    assert (evaluation.images, evaluation.split) == (10_000, "test")


FULL = ["fid", "kid", "prdc", "accuracy", "attribute_accuracy", "classifier_score", "class_coverage"]


@pytest.mark.parametrize(
    ("name", "extractor", "images", "metrics"),
    [
        ("full", Classifier, 10_000, FULL),
        ("pairs", Classifier, 10_000, ["l1", "psnr", "ssim"]),
        ("points", Coordinates, 2_500, ["w1", "mmd", "divergences", "modes"]),
        ("own_pictures", Inception, 2_000, ["fid", "swd"]),
        ("stacked_mnist", StackedClassifier, 26_000, ["modes"]),
    ],
)
def test_each_choice_measures_what_it_says(name, extractor, images, metrics):
    evaluation = instantiate(train_config(f"metrics={name}").metrics, _convert_="all").evaluation
    assert type(evaluation.extractor) is extractor and evaluation.images == images
    assert list(evaluation.metrics) == metrics


@pytest.mark.parametrize(
    "name", ["cifar10", "cifar100", "celeba", "svhn", "stl10", "fashion_mnist", "kmnist", "emnist", "usps"]
)
def test_sets_that_no_bundled_classifier_knows_bring_scores_that_read_them(name):
    chosen = train_config(f"data={name}").metrics
    assert list(chosen.metrics) == ["fid", "swd"]
    assert chosen.extractor == {"_target_": "genlab.metrics.Inception", "weights": "at_hand"}


def test_full_is_quick_and_more():
    metrics = instantiate(composed("metrics=full").metrics, _convert_="all").evaluation.metrics
    assert [type(metric) for metric in metrics.values()] == [
        *(FID, KID, PRDC, Accuracy, AttributeAccuracy, InceptionScore, ClassCoverage)
    ]


SINGLE = [
    path.stem
    for path in (CONFIGS / "metrics").glob("*.yaml")
    if path.stem not in ("none", "quick", "full", "points", "pairs", "own_pictures")
]
BASE = OmegaConf.load(CONFIGS / "metrics" / "base" / "scores.yaml")


@pytest.mark.parametrize("compose_with", [composed, train_config])
@pytest.mark.parametrize("name", SINGLE)
def test_single_metrics_are_chosen_alone_in_lists_and_over_a_data_set(compose_with, name):
    """From train and evaluate alike, and nothing of another choice is left."""
    own = OmegaConf.load(CONFIGS / "metrics" / f"{name}.yaml").metrics
    fid = OmegaConf.load(CONFIGS / "metrics" / "fid.yaml").metrics
    alone, several = compose_with(f"metrics={name}").metrics, compose_with(f"metrics=[{name},fid]").metrics
    assert alone.metrics == own and alone == compose_with(f"metrics=[{name}]").metrics
    assert several.metrics == OmegaConf.merge(own, fid) and list(several.metrics)[0] == list(own)[0]
    assert set(alone) == set(several) == {*BASE, "extractor"}


def test_what_metrics_share_does_not_depend_on_their_order():
    orders = [train_config(f"metrics=[{names}]").metrics for names in ("kid,stacked_mnist", "stacked_mnist,kid")]
    assert orders[0] == orders[1] and orders[0].images == 26_000
    orders = [composed(f"metrics=[{names}]").metrics for names in ("kid,inception_score", "inception_score,kid")]
    assert orders[0] == orders[1] and orders[0].extractor._target_ == "genlab.metrics.Inception"


def test_a_metric_is_added_to_those_of_the_data():
    assert list(train_config("+metrics=kid").metrics.metrics) == ["fid", "kid"]
    added = train_config("data=stacked_mnist", "+metrics=kid").metrics
    assert list(added.metrics) == ["modes", "kid"] and added.images == 26_000
    chosen = train_config("data=stacked_mnist", "metrics=kid").metrics
    assert list(chosen.metrics) == ["kid"] and chosen.images == BASE.images


@pytest.mark.parametrize("compose_with", [composed, train_config])
def test_the_extractor_of_a_list_is_a_choice(compose_with):
    chosen = compose_with("metrics=[fid,kid]", "metrics/extractor=pixels", "metrics.extractor.size=8").metrics
    evaluation = instantiate(chosen, _convert_="all").evaluation
    assert isinstance(evaluation.extractor, Pixels) and evaluation.extractor.size == 8
    assert [type(metric) for metric in evaluation.metrics.values()] == [FID, KID]


def test_nothing_to_measure_is_a_mistake():
    with pytest.raises(InstantiationException, match=r"metrics=\[\]: nothing to measure"):
        instantiate(train_config("metrics=[]").metrics, _convert_="all")


def test_an_extractor_of_ones_own_is_named_on_the_command_line():
    words = ("metrics/extractor=custom", "metrics.extractor.call._target_=torch.nn.Flatten")
    extractor = instantiate(train_config(*words).metrics.extractor, _convert_="all")
    assert isinstance(extractor, CustomExtractor) and extractor(torch.zeros(3, 1, 2, 2)).shape == (3, 4)


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


@pytest.mark.parametrize("data", ["pixel_faces_words", "pixel_faces_glasses"])
def test_pixel_faces_bring_their_extractor_unless_told(data):
    chosen = train_config(f"data={data}", "metrics=[kid]").metrics
    assert chosen.extractor._target_ == "genlab.metrics.PixelFacesClassifier" and list(chosen.metrics) == ["kid"]
    assert train_config(f"data={data}", "metrics=none").metrics == {}
    chosen = train_config(f"data={data}", "metrics=[inception_score]").metrics
    assert chosen.extractor._target_ == "genlab.metrics.Inception"


@pytest.mark.parametrize("model", ["progan", "stylegan", "stylegan2", "stylegan3_t", "stylegan3_r", "projected_gan"])
def test_style_based_systems_train_on_pixel_faces(model):
    config = train_config(f"model={model}")
    assert config.data._target_ == "genlab.data.sets.pixel_faces.PixelFaces"
    assert config.metrics.extractor._target_ == "genlab.metrics.PixelFacesClassifier"


def test_other_data_of_a_style_based_system_keep_their_extractor():
    config = train_config("model=stylegan2", "data=mnist_32")
    assert (config.data.size, config.metrics.extractor._target_) == (32, "genlab.metrics.Classifier")
