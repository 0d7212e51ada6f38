"""The words of a command line: flags, durations, and sweeps in which one job alone is refused."""

import pytest

from genlab import train
from genlab.cli import sweep
from genlab.cli.words import check_words, split_flags
from genlab.core.errors import ConfigError
from tests.conftest import NARROW_MLP, TINY


@pytest.mark.parametrize(
    ("arguments", "flags", "words"),
    [
        (["model=a,b", "-m", "seed=1"], ["-m"], ["model=a,b", "seed=1"]),
        (["--cfg", "job", "seed=1"], ["--cfg", "job"], ["seed=1"]),
        (["seed=1", "--config-dir=mine"], ["--config-dir", "mine"], ["seed=1"]),
        (["~loss", "+a.b=1"], [], ["~loss", "+a.b=1"]),
    ],
)
def test_flags_may_stand_anywhere(arguments, flags, words):
    assert split_flags(arguments) == (flags, words)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cfg", "nonsense"], "--cfg nonsense: expected job or hydra or all"),
        (["seed=1", "--config-dir"], "expected a value after --config-dir"),
        (["--count", "16"], "--count 16: keys are written without dashes, as KEY=VALUE: count=16"),
        (["--verbose", "seed=1"], "--verbose: keys are written without dashes, as KEY=VALUE: verbose=VALUE"),
    ],
)
def test_another_flag_is_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        split_flags(arguments)


def test_epochs_set_the_images_and_both_are_refused(make_trainer):
    trainer = make_trainer("model=gan", *NARROW_MLP, "trainer.epochs=1.5")
    assert trainer.total_images == 96 and "epochs" not in trainer.config["trainer"]
    with pytest.raises(ConfigError, match="both say how long to train"):
        check_words(["trainer.images=5", "trainer.epochs=2"], "train")
    check_words(["trainer.images=5", "trainer.epochs=null"], "train")
    with pytest.raises(ConfigError, match="trainer.epochs=-1: expected a number above 0 or null"):
        make_trainer("model=gan", *NARROW_MLP, "trainer.epochs=-1")


def test_a_duration_of_another_unit_is_refused_with_the_unit(make_trainer):
    with pytest.raises(ConfigError, match="trainer.max_time=40m: expected a number of seconds above 0 or null"):
        make_trainer("model=gan", *NARROW_MLP, "trainer.max_time=40m")


def test_two_wrong_keys_are_both_named(capsys):
    assert train.main(["trainer.imges=3", "optimizer.generator.rl=3"]) == 2
    said = capsys.readouterr().err
    assert "Did you mean trainer.images?" in said and "optimizer.generator.rl: there is no such key" in said


def test_a_sweep_over_models_goes_on_where_one_lacks_a_key(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [word for word in TINY if word != "callbacks=none"]
    small = ["callbacks=none", "data.limit=64", "dry_run=true"]
    assert train.main(["model=pca,vae", *words, *small, "trainer.beta=2.0", "-m"]) == 2
    said = capsys.readouterr()
    assert "jobs failed" in said.err and "0-pca-mnist: trainer.beta: there is no such key" in said.err
    assert "whole run" in said.out
    assert not sweep.finished_sweeps


def test_a_dry_run_refuses_what_the_run_would(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ["model=pca", "data.limit=64", "trainer.batch_size=8", "trainer.device=cpu", "dry_run=true"]
    for words, message in [
        (["metrics.split=holdout"], "holdout"),
        (["metrics/extractor=inception", "metrics.extractor.weights=nowhere.pth"], "there is no such file"),
    ]:
        assert train.main([*small, *words]) == 2
        assert message in capsys.readouterr().err
