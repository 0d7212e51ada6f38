"""Paths in a config are absolute, so that a run is opened from any directory."""

import pytest

from genlab.build.paths import names_path, with_absolute_paths
from genlab.core.types import FilePath, PretrainedWeights
from tests.conftest import composed

WORDS = [
    (("data=folder", "data.root=photos", "data.conditions=a.npy"), "data.root", "photos"),
    (("data=folder", "data.root=photos", "data.conditions=a.npy"), "data.conditions", "a.npy"),
    (("data=pairs", "data.root=[a.zip,../b]"), "data.root", ["a.zip", "../b"]),
    (("data=unpaired", "data.root='~/b'"), "data.root", "~/b"),
    (("data=cifar10", "data.root=."), "data.root", "."),
    (("data@data.of=pairs", "data=mnist_unpaired", "data.of.root=x"), "data.of.root", "x"),
    (("model=projected_gan", "model.discriminator.weights=w.pth"), "model.discriminator.weights", "w.pth"),
    (("penalty=perceptual", "penalty.perceptual.features.weights=v"), "penalty.perceptual.features.weights", "v"),
    (("metrics/extractor=inception", "metrics.extractor.weights=i.pth"), "metrics.extractor.weights", "i.pth"),
    (("metrics/extractor=own_classifier", "metrics.extractor.weights=c"), "metrics.extractor.weights", "c"),
    (("metrics=lpips", "metrics.metrics.lpips.vgg=v.pth"), "metrics.metrics.lpips.vgg", "v.pth"),
    (("init_from=outputs/run",), "init_from", "outputs/run"),
    (("resume=outputs/run",), "resume", "outputs/run"),
]


def value_of(config, key):
    for name in key.split("."):
        config = config[name]
    return config


@pytest.mark.parametrize(("words", "key", "typed"), WORDS)
def test_paths_become_absolute_once(words, key, typed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    places = {"~/b": tmp_path / "home" / "b", ".": tmp_path, "../b": tmp_path.parent / "b"}
    expected = [str(places.get(one, tmp_path / one)) for one in (typed if isinstance(typed, list) else [typed])]
    made = with_absolute_paths(composed(*words))
    assert value_of(made, key) == (expected if isinstance(typed, list) else expected[0])
    monkeypatch.chdir("/")
    assert with_absolute_paths(made) == made


def test_all_else_stays():
    words = ("model=projected_gan", "model.discriminator.weights=download", "data=folder", "resume=auto")
    config = composed(*words)
    assert with_absolute_paths(config) == config
    assert names_path(FilePath | None) and names_path(PretrainedWeights) and names_path(list[FilePath])
    assert not names_path(str | None) and not names_path(None)
