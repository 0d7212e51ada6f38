"""Runs opened with their data: the same, moved, replaced, or others that the user names."""

import json
import shutil
import zipfile

import pytest
import torch
from PIL import Image

import genlab
from genlab import evaluate, export, project, sample
from genlab.build import instantiate as build
from genlab.build.run_data import differing_splits, refuse_other_condition, refuse_other_names
from genlab.build.runs import best_unless, open_run
from genlab.callbacks.save_checkpoints import save_run
from genlab.cli import command
from genlab.cli.job import build_trainer
from genlab.core import checkpoint
from genlab.core.condition import Attributes, Classes
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.data import InMemory, Split
from genlab.data.storage.folder_layout import HeldOutShare
from tests.conftest import NARROW_MLP, TINY, composed

COUNTS = {"cat": 8, "dog": 8}
READ_DATA = ("mode=neighbours", "mode=histogram", "real=true")


def paint(folder, shade, size=8):
    for name, count in COUNTS.items():
        (folder / name).mkdir(parents=True)
        for index in range(count):
            picture = Image.new("L", (size, size), shade)
            picture.putpixel((index, 3), 255)
            picture.save(folder / name / f"{index}.png")
    return folder


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return paint(tmp_path / "photos", 50)


def started(folder, *words, data=None):
    """A run at its first checkpoint, as training writes it."""
    words = ("model=cgan", *NARROW_MLP, "trainer.batch_size=4", "metrics=fid", "metrics/extractor=pixels", *words)
    trainer = build.trainer(composed(*(word for word in TINY if word != "metrics=none"), *words), folder, data)
    save_run(trainer, folder / "checkpoints" / "0000000000.pt")
    return folder


@pytest.fixture
def run(photos, tmp_path):
    return started(tmp_path / "run", "data=folder", "data.root=photos", "data.test_share=0.4")


def call(module, *words):
    name = module.__name__.rpartition(".")[2]
    device = [] if module is export else ["device=cpu"]
    return command.main(name, module.USAGE, module.job, [*device, *words])


def errors(capsys):
    return capsys.readouterr().err


def score(run, *words):
    """Evaluate the run; return the last record, None if that is refused."""
    options = ("metrics=fid", "metrics/extractor=pixels", "images=20")
    if call(evaluate, f"run={run}", *options, *words):
        return None
    return json.loads((run / "evaluations.jsonl").read_text().splitlines()[-1])


def test_data_of_the_same_content_are_the_runs_own_wherever_they_lie(run, photos, capsys, caplog):
    before = score(run)
    assert "real images (test): fid from fewer than 2,000 images of either kind is far too high" in caplog.text
    photos.rename(photos.with_name("moved"))
    assert score(run) is None and "say where they are: data.root=PATH" in errors(capsys)
    moved = score(run, "data.root=moved")
    assert moved["value"] == before["value"] and moved["own_data"] and before["own_data"]


def test_replaced_pictures_are_refused_and_others_may_be_named(run, photos, capsys):
    own = score(run)
    shutil.rmtree(photos)
    paint(photos, 200)
    for module, word in ((evaluate, "seed=1"), *((sample, word) for word in READ_DATA)):
        assert call(module, f"run={run}", word) == 2
        said = errors(capsys)
        assert "ConfigError: data: the pictures or labels of photos (SHA-256" in said and "data.root=PATH" in said
    assert call(sample, f"run={run}") == 0  # works from the checkpoint alone
    named = score(run, f"data.root={photos}")
    assert named["value"] != own["value"] and not named["own_data"]
    assert "other data than the run's" in capsys.readouterr().out
    as_set = score(run, "data=folder", f"data.root={photos}", "data.test_share=0.4")
    assert as_set == named


def test_other_data_must_fit_the_networks(run, photos, tmp_path, capsys):
    paint(tmp_path / "large", 90, size=12)
    assert score(run, "data.root=large") is None
    assert "the shape of what was named is (1, 12, 12), and the run was trained with (1, 8, 8)" in errors(capsys)
    assert score(run, "data=ring8", "data.points=9", "data.test_points=9") is None
    assert "the shape of what was named is (2,), and the run was trained with (1, 8, 8)" in errors(capsys)
    other = paint(tmp_path / "birds", 90)
    (other / "dog").rename(other / "bird")
    assert score(run, "data.root=birds") is None
    said = errors(capsys)
    assert "2 classes (0: bird, 1: cat), and this model is told 2 classes (0: cat, 1: dog)" in said


def test_a_test_split_that_changed_is_noticed(tmp_path, caplog):
    pixels = torch.randint(0, 256, (20, 1, 8, 8), dtype=torch.uint8)
    train, test = Split(pixels[:10], torch.arange(10) % 2), Split(pixels[10:], torch.arange(10) % 2)
    run = started(tmp_path, data=InMemory(train, test=test))
    assert genlab.load(run, device="cpu", data=InMemory(train, test=test)).run.own_data
    changed = genlab.load(run, device="cpu", data=InMemory(train, test=test._replace(images=255 - test.images)))
    assert not changed.run.own_data
    assert "the test split of data" in caplog.text
    named = InMemory(train, test=test, class_names=["cat", "dog"])
    assert genlab.load(run, device="cpu", data=named).run.own_data  # which the run knows no names of
    with pytest.raises(ConfigError, match="this model is told 2 classes"):
        genlab.load(run, device="cpu", data=InMemory(Split(pixels, torch.arange(20) % 4), condition=Classes(4)))


def test_a_picture_to_test_with_is_not_said_to_be_trained_on(run, photos):
    held = [name for name in photos.rglob("*.png") if HeldOutShare(0.4).takes(str(name))]
    Image.new("L", (8, 8), 9).save(held[0])
    with pytest.raises(ConfigError, match="data: the pictures or labels of photos .* are not what the run was trained"):
        open_run(run, device="cpu", real=True)


def test_a_resumed_run_whose_files_moved_is_told_how_to_name_them(tmp_path):
    config = composed(*TINY, "model=gan", *NARROW_MLP, "data=folder", f"data.root={tmp_path / 'gone'}")
    with pytest.raises(ConfigError, match="gone.*data.root=PATH") as caught:
        build_trainer(config | {"resume": "run"}, tmp_path, None)
    with pytest.raises(ConfigError) as without:
        build_trainer(config, tmp_path, None)
    assert str(caught.value).startswith(str(without.value)) and "were moved" not in str(without.value)


def test_equal_pixels_with_other_names_are_refused(tmp_path):
    images = Split(torch.randint(0, 256, (12, 1, 8, 8), dtype=torch.uint8), torch.arange(12) % 2)
    run = started(tmp_path, data=InMemory(images, class_names=["cat", "dog"]))
    assert genlab.load(run, device="cpu", data=InMemory(images, class_names=["cat", "dog"])).run.own_data
    with pytest.raises(ConfigError, match="0: dog, 1: cat.*told 2 classes .0: cat, 1: dog"):
        genlab.load(run, device="cpu", data=InMemory(images, class_names=["dog", "cat"]))


def test_a_run_is_not_resumed_with_other_names(tmp_path):
    images = Split(torch.randint(0, 256, (12, 1, 8, 8), dtype=torch.uint8), torch.arange(12) % 2)
    run = started(tmp_path, data=InMemory(images, class_names=["cat", "dog"]))
    state = checkpoint.read(run / "checkpoints" / "0000000000.pt")
    for names, told in ((["dog", "cat"], "number 0 is dog, and was cat"), ([], "the data have 2 classes, and")):
        with pytest.raises(ConfigError, match=f"cannot be resumed with other labels.*{told}"):
            refuse_other_names(InMemory(images, class_names=names).spec, state)
    refuse_other_names(InMemory(images, class_names=["cat", "dog"]).spec, state)
    state["spec"]["condition"]["names"] = []  # a checkpoint of before names were kept
    refuse_other_names(InMemory(images, class_names=["cat", "dog"]).spec, state)


def test_attributes_are_named_wherever_they_are(tmp_path, capsys, caplog):
    images = torch.randint(0, 256, (12, 1, 8, 8), dtype=torch.uint8)
    faces = InMemory(Split(images, torch.eye(12, 2)), condition=Attributes(2, ("Male", "Smiling")))
    run = started(tmp_path / "run", data=faces)
    caplog.set_level("INFO")
    words = ("mode=classes", "mode.rows=2", f"to={tmp_path / 'a.png'}")
    assert call(sample, f"run={run}", "classes=Smiling,Male+Smiling", *words) == 0
    assert "columns show Smiling, Male + Smiling" in caplog.messages
    assert Image.open(tmp_path / "a.png").height > 2 * 8 * 32 + 2  # names above the columns
    assert call(export, f"run={run}", f"to={tmp_path}") == 0
    assert "2 attributes (0: Male, 1: Smiling)" in (tmp_path / "README.md").read_text()
    Image.new("L", (8, 8)).save(tmp_path / "b.png")
    short = ("steps=1", "polish=0", "restarts=1", "candidates=1", "snapshots=2", f"to={tmp_path}")
    assert call(project, f"run={run}", f"image={tmp_path / 'b.png'}", "class=Male+Smiling", *short) == 0
    assert json.loads((tmp_path / "distance.json").read_text())["class_name"] == "Male + Smiling"
    assert call(project, f"run={run}", f"image={tmp_path / 'b.png'}", *short) == 2
    assert "say which the image shows: class=Male+Smiling" in errors(capsys)
    before = Attributes(2).facts()  # a checkpoint of before names were kept opens with today's data
    state = checkpoint.read(run / "checkpoints" / "0000000000.pt")
    refuse_other_condition(faces.spec, Spec.of(state["spec"] | {"condition": before}))


def test_a_run_from_python_is_opened_with_its_data_or_with_files(tmp_path, photos, capsys):
    pixels = torch.randint(0, 256, (12, 1, 8, 8), dtype=torch.uint8)
    data = InMemory(Split(pixels, torch.arange(12) % 2), name="mine")
    config = composed(*TINY, "model=gan", *NARROW_MLP)
    trainer = build.trainer(config, tmp_path, data)
    trainer.config["data"] = {"from_python": "mine"}
    save_run(trainer, tmp_path / "checkpoints" / "0000000000.pt")
    with pytest.raises(ConfigError, match=r"genlab.load\(RUN, data=...\) opens it.*data=folder data.root=PATH"):
        genlab.load(tmp_path, device="cpu", real=True)
    assert score(tmp_path, "split=train", "data=folder", "data.root=photos")["own_data"] is False
    assert score(tmp_path, "data.root=photos") is None
    assert "(mine) were given from Python. Name another set: data=NAME" in errors(capsys)


def test_samples_show_the_classes_that_are_named(run, tmp_path, capsys, caplog):
    both = genlab.load(run, device="cpu").sample(4, classes=["dog", "cat"])
    assert torch.equal(both, genlab.load(run, device="cpu").sample(4, classes=[1, 0]))
    for words in ("classes=dog,cat", "classes=[dog,cat]", "classes=1,0"):
        assert call(sample, f"run={run}", words, f"to={tmp_path / 'a.png'}", "overwrite=true", "mode.rows=2") == 0
    assert Image.open(tmp_path / "a.png").height > 2 * 8 * 32 + 2  # names above the columns
    caplog.set_level("INFO")
    assert call(sample, f"run={run}", "classes=dog", "mode.rows=1", f"to={tmp_path / 'b.png'}") == 0
    assert caplog.messages[-2:] == ["samples 0 to 7, row by row in 8 columns", "all show dog"]
    assert call(sample, f"run={run}", "classes=cow") == 2
    assert "classes=cow: expected class numbers from 0 to 1, or names (0: cat, 1: dog)" in errors(capsys)


def test_exports_and_projections_name_the_classes(run, photos, tmp_path):
    assert call(export, f"run={run}", "format=torchscript", f"to={tmp_path}") == 0
    with zipfile.ZipFile(tmp_path / "generator.pt") as archive:
        assert archive.read("generator/extra/condition") == b"2 classes (0: cat, 1: dog)"
    assert "2 classes (0: cat, 1: dog)" in (tmp_path / "README.md").read_text()
    short = ("steps=1", "polish=0", "restarts=1", "candidates=1", "snapshots=2")
    assert call(project, f"run={run}", f"image={photos / 'dog' / '0.png'}", "class=dog", f"to={tmp_path}", *short) == 0
    found = json.loads((tmp_path / "distance.json").read_text())
    assert (found["class"], found["class_name"]) == (1, "dog")


def test_without_a_best_checkpoint_the_newest_is_taken(run, capsys, caplog):
    caplog.set_level("INFO")
    assert best_unless("best", run) == "best" and best_unless(None, run.parent) == "best"  # whose error tells
    assert score(run)["checkpoint"] == "newest"
    assert "checkpoint=newest is taken, as no scores were measured" in caplog.text
    assert score(run, "checkpoint=best") is None and "best.pt cannot be read" in errors(capsys)
    for suffix in (".pt", ".pt.sha256"):
        shutil.copy(run / "checkpoints" / f"0000000000{suffix}", run / "checkpoints" / f"best{suffix}")
    caplog.clear()
    assert score(run)["checkpoint"] == "best" and "checkpoint=best is taken, of the best score" in caplog.text


def test_checkpoints_know_every_split_and_older_ones_that_to_train_on(run, photos):
    path = run / "checkpoints" / "0000000000.pt"
    state = checkpoint.read(path)
    assert set(state.pop("splits")) == {"test"} and differing_splits(open_run(run, real=True).data, state) == []
