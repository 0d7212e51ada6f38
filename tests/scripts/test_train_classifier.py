"""The script that trains classifiers, and the extractor that reads its file."""

import importlib
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from genlab.core.condition import Attributes, Classes
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_float
from genlab.core.spec import Spec
from genlab.data.sets.folder import Folder
from genlab.metrics import OwnClassifier

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("train_classifier")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Forty dark and forty bright pictures of 8 x 8."""
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path / "cache"))
    for index in range(80):
        place = tmp_path / "pictures" / ("bright" if index % 2 else "dark")
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (index, 128 * (index % 2), 90)).save(place / f"{index}.png")
    return tmp_path / "pictures"


def test_a_folder_of_classes_gives_a_classifier(script, folder, tmp_path, capsys):
    data = [f"data.root={folder}", "data=folder", "data.test_share=0.3"]
    words = [*data, "--out", str(tmp_path / "c.safetensors"), "--epochs", "15", "--batch", "10"]
    assert script.main(words) == 0
    assert "test accuracy 100.00%" in capsys.readouterr().out
    extractor, real = OwnClassifier(str(tmp_path / "c.safetensors")), Folder(str(folder), test_share=0.3)
    extractor.check(real.spec)
    features = extractor(to_float(real.test.images))
    assert torch.equal(extractor.labels(features), real.test.labels)
    assert features.shape[1] == 64 and extractor.name == "classifier of pictures (test accuracy 1.000)"
    logits = extractor.network.logits(features) / extractor.facts["temperature"]
    assert torch.equal(extractor.logits(features), logits) and extractor.temperature < 1
    assert extractor.facts["classes"] == ["bright", "dark"] and extractor.facts["test_images"] == len(real.test.images)
    train = extractor(to_float(real.train.images))
    assert train.mean(0).abs().max() < 1e-3 and (train.std(0) - 1).abs().max() < 1e-3
    for spec, message in (
        (Spec(3, 16, 16, images=1, condition=Classes(2)), "reads images of 3 x 8 x 8, and these are 3 x 16 x 16"),
        (Spec(3, 8, 8, images=1, condition=Classes(3)), "tells 2 classes, and the data have 3"),
        (
            Spec(3, 8, 8, images=1, condition=Classes(2, ("dark", "bright"))),
            "tells the classes bright, dark, and the data have dark, bright",
        ),
    ):
        with pytest.raises(ConfigError, match=message):
            extractor.check(spec)


def test_attributes_give_a_classifier_of_attributes(script, folder, tmp_path, capsys):
    table = tmp_path / "attributes.csv"
    rows = (f"{'bright' if index % 2 else 'dark'}/{index}.png,{index % 2},{int(index > 3)}" for index in range(80))
    table.write_text("\n".join(["image,light,usual", *rows]))
    data = ["data=folder", f"data.root={folder}", "data.test_share=0.3", f"data.conditions={table}"]
    words = [*data, "--out", str(tmp_path / "c.safetensors"), "--epochs", "12", "--batch", "10", "--no-jitter"]
    assert script.main(words) == 0
    assert "light 100.00%" in capsys.readouterr().out
    extractor = OwnClassifier(str(tmp_path / "c.safetensors"))
    real = Folder(str(folder), test_share=0.3, conditions=str(table))
    extractor.check(real.spec)
    features = extractor(to_float(real.test.images))
    assert extractor.attribute_names == ("light", "usual") and extractor.logits(features) is None
    assert torch.equal(extractor.attribute_logits(features)[:, 0] > 0, real.test.labels[:, 0] > 0.5)
    with pytest.raises(ConfigError, match="tells the attributes light, usual, and the data have usual, light"):
        extractor.check(Spec(3, 8, 8, images=1, condition=Attributes(2, ("usual", "light"))))


def test_the_temperature_is_that_of_the_shares(script):
    """Classes that are drawn with the shares of some logits, and a classifier that doubles these: temperature 2."""
    logits = 2 * torch.randn(20_000, 4)
    labels = torch.multinomial(logits.softmax(1), 1).squeeze(1)
    found = script.temperature(Doubling(), script.Labelled(logits, labels))
    assert found == pytest.approx(2, rel=0.05)


class Doubling(torch.nn.Module):
    def forward(self, images):
        return 2 * images


def test_every_class_is_shown_as_often(script):
    torch.manual_seed(0)
    labels = torch.tensor([0] * 900 + [1] * 90 + [2] * 10)
    counts = labels[script.balanced_rows(labels)].bincount()
    assert counts.sum() == 1_000 and (counts - 1_000 / 3).abs().max() < 60  # four deviations
    assert script.shuffled_rows(labels).sort().values.tolist() == list(range(1_000))


@pytest.mark.parametrize("content", [None, {}, {"classifier": "x"}])
def test_another_file_is_refused(tmp_path, content):
    if content is not None:
        save_file({"a": torch.zeros(1)}, tmp_path / "c.safetensors", metadata=content or None)
    with pytest.raises(ConfigError, match=r"holds no classifier.*scripts/train_classifier\.py"):
        OwnClassifier(str(tmp_path / "c.safetensors")).check(Spec(3, 8, 8, images=1))


def test_a_file_must_be_named():
    with pytest.raises(ConfigError, match="weights=null"):
        OwnClassifier()


def test_without_a_test_split_or_classes_nothing_is_trained(script, folder, tmp_path, capsys):
    words = ["data=folder", f"data.root={folder}", "--out", str(tmp_path / "c")]
    for more in ([], ["data.test_share=0.3", "data.words=folders"]):
        assert script.main([*words, *more]) == 2
        assert "needs classes and a test split" in capsys.readouterr().err
