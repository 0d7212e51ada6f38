"""What an error or a signal in a callback costs: what it would have published, never the run."""

import json
import os
import re
import signal
from pathlib import Path

import pytest
import torch

from genlab.build import instantiate as build
from genlab.callbacks import Callback
from genlab.callbacks.once_per_position import OncePerPosition
from genlab.callbacks.scores import Scores
from genlab.core import checkpoint
from genlab.core.errors import RunError
from genlab.core.interruption import Interruption, Signals, interruptible
from genlab.metrics import FID, Pixels
from tests.callbacks.test_health_rollback import LOG, WRITERS
from tests.conftest import NARROW_MLP, TINY, composed, tiny_data
from tests.test_resume import assert_same, curves, state

EVENTS = ("start", "tick", "scalars", "picture", "record", "save", "finish")


@pytest.fixture
def make(tmp_path):
    def make(name="run", **added):
        words = (*TINY, "model=gan", *NARROW_MLP, "trainer.images=640", "trainer.batch_size=16", LOG, *WRITERS)
        trainer = build.trainer(composed(*words), tmp_path / name, tiny_data())
        trainer.run_dir.mkdir(exist_ok=True)
        trainer.callbacks = {**added, **trainer.callbacks}
        return trainer

    return make


class Broken(Callback):
    """Fails at one event."""

    every = 160

    def __init__(self, event, error):
        def fail(*_):
            raise error

        setattr(self, event, fail)


class Publisher(Callback):
    every = 160

    def tick(self, trainer):
        trainer.publish({"mine": 1.0})
        trainer.show("mine", torch.zeros(1, 4, 4, dtype=torch.uint8))
        trainer.report({"metric": "mine", "value": 1.0})


def test_an_error_in_a_callback_costs_one_warning(make, caplog):
    broken = {f"broken_{event}": Broken(event, ZeroDivisionError("my bug")) for event in EVENTS}
    trainer, whole = make(**broken, mine=Publisher()), make("whole", mine=Publisher())
    trainer.fit()
    whole.fit()
    told = [record.message for record in caplog.records if "callbacks.broken" in record.message]
    assert sorted(one.split()[0] for one in told) == sorted(f"callbacks.{name}" for name in broken)
    assert all("ZeroDivisionError: my bug" in one and "goes on" in one for one in told)
    assert_same(state(trainer.run_dir, 640), state(whole.run_dir, 640))
    assert curves(trainer.run_dir) == curves(whole.run_dir)


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), OSError(24, "Too many open files"), ValueError()]
)
def test_no_error_of_a_publisher_ends_the_run(make, error):
    trainer = make(mine=Publisher())
    trainer.callbacks["summary"].finish = Broken("finish", error).finish
    trainer.callbacks["jsonl"].scalars = Broken("scalars", error).scalars
    trainer.fit()
    assert trainer.images == 640


class Ending(Callback):
    every = 400

    def __init__(self, error):
        self.error = error

    def tick(self, trainer):
        raise self.error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RunError("enough is enough"), "enough is enough"),
        (SystemExit(0), "callbacks.ending called sys.exit(0). A callback ends a run with trainer.stop(reason)."),
    ],
)
def test_a_callback_that_ends_the_run_has_it_saved_first(make, error, words):
    trainer = make(ending=Ending(error))
    with pytest.raises(RunError, match=re.escape(words)):
        trainer.fit()
    path, saved = checkpoint.newest_good(trainer.run_dir / "checkpoints")
    assert saved["parts"]["position"]["images"] == trainer.images == 400 == int(path.stem)
    summary = json.loads((trainer.run_dir / "summary.json").read_text())
    assert summary["stopped"] == words and not summary["complete"]


def test_any_error_of_an_essential_callback_does_so(make):
    trainer = make(broken=Broken("tick", ZeroDivisionError("my bug")))
    trainer.callbacks["broken"].essential = True
    with pytest.raises(RunError, match=r"callbacks\.broken: ZeroDivisionError: my bug"):
        trainer.fit()
    assert checkpoint.newest_first(trainer.run_dir / "checkpoints")[0].stem == "0000000160"


@pytest.mark.parametrize(
    ("number", "words"), [(28, "no space left"), (13, "permission denied"), (30, "read-only"), (24, "ulimit")]
)
def test_a_checkpoint_that_cannot_be_written_ends_the_run_and_says_why(make, monkeypatch, number, words):
    trainer = make()

    def fail(*_):
        raise OSError(number, "")

    monkeypatch.setattr(os, "fsync", fail)
    trainer.callbacks = {"checkpoint": trainer.callbacks["checkpoint"]}
    with pytest.raises(RunError, match=words) as error:
        trainer.fit()
    assert ("make room" in str(error.value)) == (number == 28)


class Failing(OncePerPosition):
    """Publishes, but ends the run the first time, at 320 images."""

    every, essential = 160, True

    def __init__(self, fails=False):
        self.fails = fails

    def work(self, trainer):
        if self.fails and trainer.images == 320:
            raise OSError(28, "No space left on device")
        trainer.publish({"mine": float(trainer.images)})


def test_what_an_error_that_ends_the_run_left_out_is_made_up_for(make):
    whole, cut = make("whole", first=Failing()), make("cut", first=Failing(fails=True))
    whole.fit()
    with pytest.raises(RunError):
        cut.fit()
    assert cut.calls.owed[0] == "first" and len(cut.statistics)  # the curves of the last interval are not out yet
    resumed(make("cut", first=Failing())).fit()
    assert_same(state(whole.run_dir, 640), state(cut.run_dir, 640))
    assert curves(whole.run_dir) == curves(cut.run_dir)


@pytest.mark.parametrize("at", [160, 640])
def test_a_best_checkpoint_that_could_not_be_written_is_written_by_the_resumed_run(make, at, tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path))
    save, full = checkpoint.save, []

    def save_unless_full(path, parts, **facts):
        if path.name == "best.pt" and "cut" in str(path) and cut.images >= at and not full:
            full.append(cut.images)
            raise RunError("the disk is full")
        save(path, parts, **facts)

    monkeypatch.setattr(checkpoint, "save", save_unless_full)
    whole, cut = (make(name, mine=worsening() if at == 160 else improving()) for name in ("whole", "cut"))
    whole.fit()
    with pytest.raises(RunError, match="the disk is full"):
        cut.fit()
    resumed(make("cut", mine=worsening() if at == 160 else improving())).fit()
    best = [checkpoint.read(run.run_dir / "checkpoints" / "best.pt")["parts"] for run in (whole, cut)]
    assert best[0]["position"]["images"] == best[1]["position"]["images"] == full[0]
    assert_same(state(whole.run_dir, 640), state(cut.run_dir, 640))
    assert curves(whole.run_dir) == curves(cut.run_dir)


class Note(Callback):
    """Notes the positions of its ticks; sends the run back at one of them."""

    every = 160

    def __init__(self, back_at=None):
        self.back_at, self.ticks = back_at, []

    def tick(self, trainer):
        self.ticks.append(trainer.images)
        if trainer.images == self.back_at:
            trainer.rollback.target = Path("sent back")


def test_nothing_is_saved_after_a_callback_that_sends_the_run_back(make):
    trainer = make()
    trainer.callbacks = {"first": Note(), "sends": Note(back_at=320), "later": Note()}
    for position in (160, 320):
        trainer.images = position
        trainer.calls.tick(position - 160)
    assert [callback.ticks for callback in trainer.callbacks.values()] == [[160, 320], [160, 320], [160]]


def test_half_a_step_is_not_saved(make):
    trainer = make()

    def fail(*_):
        raise RunError("in the middle")

    trainer.fit(lambda: trainer.images >= 160)
    trainer.stop_reason, trainer.take_step = None, fail
    with pytest.raises(RunError):
        trainer.fit()
    assert checkpoint.newest_first(trainer.run_dir / "checkpoints")[0].stem == "0000000160"


class Slow(OncePerPosition):
    """Publishes after work that a signal interrupts the first time, at a position."""

    every = 160

    def __init__(self, at=None):
        self.at = at

    def work(self, trainer):
        if trainer.images == self.at:
            os.kill(os.getpid(), signal.SIGTERM)
            raise AssertionError("the signal waits")
        trainer.publish({"slow": float(trainer.images)})


class SlowFID(FID):
    def __init__(self, at=None):
        super().__init__()
        self.at, self.positions = at, []

    def start(self, source):
        self.positions.append(source.position)

    def compute(self, reference):
        if self.positions[-1] == self.at:
            os.kill(os.getpid(), signal.SIGTERM)
            raise AssertionError("the signal waits")
        return super().compute(reference)


class Trend(FID):
    """A score that follows the position, so that the first or the last is the best."""

    def __init__(self, sign):
        super().__init__()
        self.sign = sign

    def start(self, source):
        super().start(source)
        self.position = source.position

    def compute(self, reference):
        return {name: self.sign * self.position for name in super().compute(reference)}


def worsening():
    return Scores(Pixels(), {"fid": Trend(1.0)}, every=160, images=16, split="train")


def improving():
    return Scores(Pixels(), {"fid": Trend(-1.0)}, every=640, images=16, split="train")


def scored(at=None):
    return Scores(Pixels(), {"fid": SlowFID(at)}, every=160, images=16, split="train")


def fit(trainer):
    with Signals() as signals:
        trainer.fit(lambda: signals.received is not None)
    return signals.received


def resumed(trainer):
    _, found = checkpoint.newest_good(trainer.run_dir / "checkpoints")
    checkpoint.restore(trainer.parts, found, config=trainer.config, fingerprint=trainer.data.fingerprint)
    return trainer


@pytest.mark.parametrize("at", [320, 640])
@pytest.mark.parametrize("kind", [Slow, scored])
def test_a_signal_does_not_wait_and_the_resumed_run_makes_up_for_it(make, kind, at, tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path))
    whole, cut = make("whole", slow=kind()), make("cut", slow=kind(at))
    assert fit(whole) is None
    assert fit(cut) == signal.SIGTERM
    assert cut.images == at and not json.loads((cut.run_dir / "summary.json").read_text())["complete"]
    again = resumed(make("cut", slow=kind()))
    assert fit(again) is None and json.loads((cut.run_dir / "summary.json").read_text())["complete"]
    assert_same(state(whole.run_dir, 640), state(cut.run_dir, 640))
    assert curves(whole.run_dir) == curves(cut.run_dir)


def test_a_run_killed_while_its_end_is_scored_is_saved_and_completes(make, tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path))
    whole, killed = make("whole", slow=scored()), make("killed", slow=scored())
    whole.callbacks["slow"].every = killed.callbacks["slow"].every = 10_000
    fit(whole)

    def die(*_):
        raise KeyboardInterrupt

    killed.callbacks["slow"].finish = die
    with pytest.raises(KeyboardInterrupt):
        killed.fit()
    assert (killed.run_dir / "checkpoints" / "0000000640.pt").exists()
    again = make("killed", slow=scored())
    again.callbacks["slow"].every = 10_000
    fit(resumed(again))
    assert_same(state(whole.run_dir, 640), state(killed.run_dir, 640))
    assert curves(whole.run_dir) == curves(killed.run_dir)


def written(trainer):
    """Return the contents of the curves, and when each checkpoint was written."""
    checkpoints = {path.name: path.stat().st_mtime_ns for path in (trainer.run_dir / "checkpoints").glob("*.pt")}
    return (trainer.run_dir / "metrics.jsonl").read_bytes(), checkpoints


def test_a_finished_run_that_is_resumed_writes_nothing_anew(make):
    trainer = make(slow=Slow())
    trainer.fit()
    before = written(trainer)
    resumed(make(slow=Slow())).fit()
    assert written(trainer) == before


def test_an_error_that_c_code_makes_of_an_interruption_is_one():
    with Signals(), pytest.raises(Interruption), interruptible():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except BaseException as interruption:
            raise ValueError("could not determine the shape") from interruption


def test_work_that_may_be_cut_is_cut_and_nothing_else(tmp_path):
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.received == signal.SIGINT
        with pytest.raises(Interruption), interruptible():
            raise AssertionError("it was to end at once")
    with interruptible():
        pass  # without handlers of signals it runs as usual
