"""A run that was killed and resumed is, bit for bit, the run that was never stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from genlab.core import checkpoint
from genlab.core.config_differences import differences
from genlab.core.errors import ConfigError, RunError
from tests.commands import run_command
from tests.conftest import NARROW, NARROW_MLP, choices, composed, narrow, replace_words, tiny_data

SHORT = (
    "metrics=none", "trainer.images=640", "trainer.batch_size=8", "data.limit=200", "trainer.device=cpu",
    "callbacks.log.every=80", "callbacks.checkpoint.every=160", "callbacks.checkpoint.keep=9",
    "callbacks.grid.every=320",
)  # fmt: skip


def command(*overrides):
    return [sys.executable, "-m", "genlab.train", *overrides]


def flat(tree, name=""):
    """(path, leaf) of nested dicts and lists."""
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, (list, tuple)) else None
    if children is None:
        yield name, tree
        return
    for key, child in children:
        yield from flat(child, f"{name}/{key}")


def state(run_dir, images):
    parts = checkpoint.read(run_dir / "checkpoints" / f"{images:010d}.pt")["parts"]
    return dict(flat({name: part for name, part in parts.items() if name != "callback/summary"}))  # it holds wall time


def assert_same(one, other):
    assert one.keys() == other.keys()
    differing = [name for name, leaf in one.items() if not same(leaf, other[name])]
    assert not differing


def same(one, other):
    return torch.equal(one, other) if torch.is_tensor(one) else one == other


def curves(run_dir):
    timed = ("time", "speed/images_per_second", "health/time_share")
    lines = (run_dir / "metrics.jsonl").read_text().splitlines()
    return [{key: value for key, value in json.loads(line).items() if key not in timed} for line in lines]


def kill_after(checkpoints, process, run_dir):
    """SIGKILL once that many checkpoints are there."""
    deadline = time.monotonic() + 120
    while len(list((run_dir / "checkpoints").glob("[0-9]*.pt"))) < checkpoints:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_killed_and_resumed_equals_never_stopped(tmp_path):
    """The whole command line; every tensor and every published number."""
    system = ("model=wgan_gp", *NARROW, "penalty=[gradient_penalty,r1]", "penalty.r1.every=3", *SHORT)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run_command(*system, f"hydra.run.dir={whole}", cwd=tmp_path).returncode == 0
    process = subprocess.Popen(
        command(*system, f"hydra.run.dir={killed}"), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    kill_after(2, process, killed)
    assert not (killed / "summary.json").exists()  # it really was cut off
    resumed = run_command(f"resume={killed}", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    last = max(int(path.stem) for path in (whole / "checkpoints").glob("[0-9]*.pt"))
    assert_same(state(whole, last), state(killed, last))
    assert curves(whole) == curves(killed)


STATEFUL = (
    "penalty=[r1,historical_averaging,lecam]",
    "penalty.r1.every=2",
    "trainer.replay=16",
    "augment=[diffaugment,ada]",
    "augment.ada.every=4",  # a window is open where the run is cut
    "augment.ada.images=128",
)


@pytest.mark.parametrize("model", [name for name in choices("model") if name != "pca"])  # which is done in one step
def test_every_model_resumes_to_the_same_bits(model, make_trainer, tmp_path):
    resumes_to_the_same_bits(lambda: make_trainer(f"model={model}", *narrow(model), "trainer.images=96"), tmp_path)


@pytest.mark.parametrize("options", [STATEFUL, ("penalty=[r1]", "penalty.r1.every=2", "trainer.n_critic={0:2,32:1}")])
def test_options_with_state_resume_to_the_same_bits(options, make_trainer, tmp_path):
    words = ("model=dcgan", *narrow("dcgan"), *options, "trainer.images=96")
    resumes_to_the_same_bits(lambda: make_trainer(*words), tmp_path)


def resumes_to_the_same_bits(make, tmp_path):
    whole, first, second = make(), make(), make()
    whole.fit()
    first.fit(lambda: first.images >= 48)
    assert first.images < whole.images
    second.take_step()  # a state replaces all that a living trainer has: a run may go back
    second.take_step()
    path = tmp_path / "checkpoints" / "1.pt"
    checkpoint.save(path, first.parts, config=first.config, fingerprint=first.data.fingerprint)
    checkpoint.restore(second.parts, checkpoint.read(path), config=second.config, fingerprint=second.data.fingerprint)
    second.fit()
    assert_same(*(dict(flat({k: p.state_dict() for k, p in t.parts.items()})) for t in (whole, second)))


def test_more_evaluations_change_nothing(make_trainer):
    plain, watched = (make_trainer("model=dcgan", *NARROW) for _ in range(2))
    for trainer in (plain, watched):
        while trainer.images < 64:
            trainer.take_step()
            if trainer is watched:
                trainer.samples.draw_samples(0, 7)
                torch.rand(1)
    states = [trainer.model.discriminator.state_dict() for trainer in (plain, watched)]
    assert_same(*states)


@pytest.fixture
def saved(make_trainer, tmp_path):
    """A trainer with two checkpoints, and the folder they are in."""
    trainer = make_trainer("model=gan", *NARROW_MLP)
    folder = tmp_path / "checkpoints"
    for _ in range(2):
        trainer.take_step()
        path = folder / f"{trainer.images:010d}.pt"
        checkpoint.save(path, trainer.parts, config=trainer.config, fingerprint=trainer.data.fingerprint)
    return trainer, folder


@pytest.mark.parametrize("damage", ["cut", "flipped", "no checksum"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(saved, damage, caplog):
    _, folder = saved
    newest = checkpoint.newest_first(folder)[0]
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "no checksum":
        checkpoint.checksum_path(newest).unlink()
    else:
        newest.write_bytes(data if damage == "flipped" else data[: len(data) // 2])
    path, found = checkpoint.newest_good(folder)
    assert path.stem == "0000000008" and found["parts"]["position"]["images"] == 8
    assert str(newest) in caplog.text and "Falling back" in caplog.text


def test_no_good_checkpoint_is_an_error(saved):
    _, folder = saved
    for path in checkpoint.newest_first(folder):
        path.write_bytes(b"")
    with pytest.raises(RunError, match="none of its 2 checkpoints"):
        checkpoint.newest_good(folder)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("evil_was_here",)


def test_pickled_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "1.pt"
    torch.save({"format": 1, "parts": Evil()}, path)
    import hashlib

    checkpoint.checksum_path(path).write_text(hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(ValueError, match="holds code"):
        checkpoint.read(path)
    assert not Path("evil_was_here").exists()


def test_another_config_or_other_data_are_refused_with_the_differences(saved, make_trainer):
    _, folder = saved
    _, found = checkpoint.newest_good(folder)
    other = make_trainer("model=gan", *NARROW_MLP, "loss=hinge", "optimizer.generator.lr=1", data=tiny_data(images=65))
    with pytest.raises(ConfigError) as error:
        checkpoint.restore(other.parts, found, config=other.config, fingerprint=other.data.fingerprint)
    assert "optimizer.generator.lr: 0.0002 before, 1" in str(error.value)
    assert "loss._target_: 'genlab.losses.NonSaturating' before, 'genlab.losses.Hinge' now" in str(error.value)
    assert "images or labels themselves differ" in str(error.value)


def test_what_is_free_to_differ(make_trainer):
    before = composed("model=gan")
    now = composed(
        "model=gan", "trainer.images=5", "trainer.max_time=9", "metrics=none", "callbacks=none", "data.root=x"
    )
    assert not list(differences(before, now))
    assert list(differences(before, composed("model=gan", "seed=1")))


def test_a_full_disk_is_one_message_and_keeps_what_was_there(saved, monkeypatch):
    trainer, folder = saved
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="no space left"):
        checkpoint.save(folder / "9.pt", trainer.parts, config={}, fingerprint="")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_init_from_takes_weights_alone(saved, make_trainer):
    trainer, folder = saved
    fresh = make_trainer("model=gan", *NARROW_MLP, "seed=5")
    networks = {f"network/{name}": player.module for name, player in fresh.players.items()}
    checkpoint.load_weights(networks, str(folder.parent))
    fresh.restart_average()
    assert_same(fresh.model.state_dict(), trainer.model.state_dict())
    assert_same(fresh.ema.network.state_dict(), trainer.model.generator.state_dict())
    assert fresh.images == 0 and not fresh.players["generator"].optimizer.state
    wider = make_trainer("model=gan")
    with pytest.raises(
        ConfigError, match=r"does not fit this model: .*\. It was trained with .*'model.generator.widths=\[8,8\]'"
    ):
        networks = {"network/generator": wider.model.generator}
        checkpoint.load_weights(networks, str(folder.parent), wider.config["model"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_exits(tmp_path, number, code):
    run_dir = tmp_path / "run"
    process = subprocess.Popen(
        command("model=gan", *replace_words(SHORT, "trainer.images=1e7"), f"hydra.run.dir={run_dir}"),
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not list((run_dir / "checkpoints").glob("[0-9]*.pt")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert f"Continue with resume={run_dir}" in errors and "Traceback" not in errors
    newest = checkpoint.newest_first(run_dir / "checkpoints")[0]
    position = checkpoint.read(newest)["parts"]["position"]["images"]
    assert f"saved at {position:,} images" in errors


def test_resume_auto_starts_then_continues(tmp_path):
    system = ("model=gan", *SHORT, "hydra.run.dir=here", "resume=auto")
    assert run_command(*replace_words(system, "trainer.images=160"), cwd=tmp_path).returncode == 0
    second = run_command(*system, cwd=tmp_path)
    assert second.returncode == 0 and "resumed from" in second.stderr + second.stdout
    measured = [line["images"] for line in curves(tmp_path / "here") if "generator/adversarial" in line]
    assert measured == list(range(80, 641, 80))


def test_a_second_writer_is_refused(tmp_path):
    from filelock import FileLock

    from genlab.cli.job import lock_run_dir

    with FileLock(tmp_path / ".lock"), pytest.raises(ConfigError, match="another run"), lock_run_dir(tmp_path):
        raise AssertionError("two runs in one directory")
