"""`data=folder` alone: what is chosen for a user's own pictures, and that it is no more than words of a command."""

import shlex

import numpy as np
import pytest
import yaml
from PIL import Image

from genlab import train
from genlab.cli import own_pictures
from genlab.cli.own_pictures import EXPERIMENT, is_typed, with_experiment
from tests.conftest import TINY

SMALL = ("metrics=none", "callbacks=none", "trainer.images=16", "trainer.device=cpu", "trainer.batch_size=8")
NARROW = ("model.generator.width=4", "model.discriminator.width=4")


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Pictures of odd sizes, some beside a folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for number in range(24):
        file = tmp_path / "photos" / ("old" * (number % 2)) / f"写真 {number}.JPG"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (10 + number, 20, 3), dtype=np.uint8)).save(file)
    return tmp_path / "photos"


def config_of(run) -> dict:
    return yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))


def test_the_experiment_is_meant_where_its_data_stand_alone():
    assert EXPERIMENT in with_experiment(["data=folder", "data.root=x", "seed=1"])
    for words in (["data=folder", "model=gan"], ["data=folder", "experiment=quick"], ["data=mnist"], ["resume=run"]):
        assert with_experiment(words) == words


def test_what_is_typed_is_not_chosen():
    assert is_typed("data.size", {"data.size"}) and is_typed("trainer.images", {"trainer.epochs"})
    assert is_typed("callbacks.grid.every", {"callbacks"}) and is_typed("augment.ada.images", {"augment"})
    assert not is_typed("model", {"model.generator.width"}) and not is_typed("data.size", {"data.flip"})


def test_a_folder_alone_trains_and_the_printed_command_is_the_same_run(photos, capsys):
    words = ["data=folder", f"data.root={photos}", "data.size=32", *SMALL, *NARROW]
    assert train.main([*words, "hydra.run.dir=one"]) == 0
    said = capsys.readouterr().out
    assert "24 pictures to train on" in said and "data.flip=true" in said and "12 of 24 pictures lie beside" in said
    command = next(line for line in said.splitlines() if "python -m genlab.train" in line)
    typed = [word for word in shlex.split(command)[3:] if not word.startswith("hydra.run.dir=")]
    assert EXPERIMENT not in typed and train.main([*typed, "hydra.run.dir=two"]) == 0
    assert "pictures to train on" not in capsys.readouterr().out
    one, two = (config_of(photos.parent / name) for name in ("one", "two"))
    assert one == two and one["data"]["size"] == 32 and one["data"]["flip"] and one["data"]["classes"] == "none"


def test_jobs_of_a_sweep_choose_for_themselves(photos, capsys):
    words = ["-m", "data=folder", f"data.root={photos},{photos}/old", "data.size=32", *SMALL, *NARROW, "dry_run=true"]
    assert train.main(words) == 2
    said = capsys.readouterr()
    assert "24 pictures to train on" in said.out and "preview.png" in said.out
    assert "12 different pictures to train on, and from fewer than 20" in said.err


def test_a_model_of_ones_own_is_as_it_was(photos, monkeypatch, capsys):
    monkeypatch.setattr(own_pictures, "completed_words", None)  # it would be called
    words = ["model=gan", "data=folder", f"data.root={photos}/old", "data.size=8", *TINY, "dry_run=true"]
    assert train.main(words) == 0 and "pictures to train on" not in capsys.readouterr().out


def test_a_mistake_in_what_is_typed_is_one_message(photos, capsys):
    for words, message in (
        (["data=folder"], "data.root=null: name the folder"),
        (["data=folder", "data.root=nowhere"], "there is no such folder"),
        (["data=folder", f"data.root={photos}", "data.size=big"], "data.size=big"),
        (["data=folder", f"data.root={photos}", "trainer.images=many"], "trainer.images=many"),
        ([EXPERIMENT, "data=mnist"], "data=mnist: it looks at files of your own"),
    ):
        assert train.main(words) == 2 and message in capsys.readouterr().err
