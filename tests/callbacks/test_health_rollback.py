"""A sick run goes back to its last healthy state and continues at lower rates."""

import json
import math
from types import SimpleNamespace

import pytest
import torch

from genlab.build import instantiate as build
from genlab.callbacks import Callback, Grid
from genlab.callbacks.health_rules import is_declining
from genlab.callbacks.scores import Scores
from genlab.core import checkpoint
from genlab.core.errors import ConfigError, Diverged
from genlab.metrics import FID, Pixels
from tests.conftest import NARROW_MLP, TINY, composed, tiny_data
from tests.test_resume import assert_same, curves, state

LOG = "+callbacks.log={_target_: genlab.callbacks.Log, every: 160}"
WRITERS = (
    "+callbacks.jsonl={_target_: genlab.callbacks.JSONL}",
    "+callbacks.checkpoint={_target_: genlab.callbacks.Checkpoint, every: 320, keep: 9}",
    "+callbacks.summary={_target_: genlab.callbacks.Summary}",
)
EXPLODING_RATE = (
    "optimizer.schedule._target_=genlab.trainers.schedules.Linear", "+optimizer.schedule.begin=640",
    "+optimizer.schedule.end=656", "+optimizer.schedule.final=1e6",
)  # fmt: skip


def callback_words(**settings):
    values = {"every": 320, "after": 320, "samples": 32, "action": "rollback", **settings}
    listed = ", ".join(f"{name}: {value}" for name, value in values.items())
    return LOG, f"+callbacks.health={{_target_: genlab.callbacks.Health, {listed}}}", *WRITERS


@pytest.fixture
def make(tmp_path):
    def make(*words, directory=tmp_path, **settings):
        directory.mkdir(exist_ok=True)
        short = (*TINY, "model=gan", *NARROW_MLP, "trainer.images=2560", "trainer.batch_size=16")
        return build.trainer(composed(*short, *callback_words(**settings), *words), directory, tiny_data())

    return make


def spoil_model(trainer, how, *, at, times=1):
    """Change the generator after the step that reaches a position."""
    step = trainer.take_step

    def take_spoiled_step():
        step()
        if trainer.images == at and trainer.rollback.count < times:
            with torch.no_grad():
                how(trainer.model.generator)
            trainer.restart_average()

    trainer.take_step = take_spoiled_step


def zero_weights(network):
    """Make a generator ignore its latent, so that all samples are one image."""
    for parameter in network.parameters():
        parameter.zero_()


def fill_with_nan(network):
    next(network.parameters()).fill_(math.nan)


def summary(trainer):
    return json.loads((trainer.run_dir / "summary.json").read_text())


def rates(trainer):
    return [group["lr"] for player in trainer.players.values() for group in player.optimizer.param_groups]


@pytest.mark.parametrize(
    ("how", "kind", "at"),
    [
        (zero_weights, "collapsed", 1280),
        (fill_with_nan, "diverged", 960),
    ],  # the second look in a row; the numbers logged next
)
def test_a_sick_run_goes_back_and_completes_at_half_the_rates(make, how, kind, at):
    trainer = make()
    before = rates(trainer)
    spoil_model(trainer, how, at=960 if how is zero_weights else 880)
    trainer.fit()
    facts = summary(trainer)
    assert facts["complete"] and facts["stopped"] is None
    (found,) = facts["health"]
    assert (found["kind"], found["images"]) == (kind, at)
    assert "Rolled back to 640 images, learning rates x 0.5 from there." in found["message"]
    assert rates(trainer) == [rate / 2 for rate in before]
    samples = trainer.samples.draw_samples(0, 8)
    assert samples.isfinite().all() and torch.pdist(samples.flatten(1)).min() > 0


def test_what_was_written_has_one_line_a_position_and_holds_nothing_of_what_was_left(make):
    trainer = make()
    spoil_model(trainer, zero_weights, at=960)
    trainer.fit()
    rows = [row for row in curves(trainer.run_dir) if "generator/adversarial" in row]
    assert [row["images"] for row in rows] == list(range(160, 2561, 160))
    assert [row["generator/lr"] for row in rows] == [2e-4] * 4 + [1e-4] * 12
    assert all(row["health/collapsed"] == 0 for row in curves(trainer.run_dir) if "health/collapsed" in row)
    kept = [path.stem for path in checkpoint.newest_first(trainer.run_dir / "checkpoints" / "healthy")]
    assert kept == ["0000002560"]


def test_the_end_of_a_run_is_judged_before_it_is_saved(make):
    """No second look can confirm what the last one shows."""
    trainer = make("callbacks.health.every=640")
    spoil_model(trainer, zero_weights, at=2480)
    trainer.fit()
    (found,) = summary(trainer)["health"]
    assert found["images"] == 2560 and "Rolled back to 1,920 images" in found["message"]
    assert trainer.rollback.count == 1 and trainer.images == 2560
    assert torch.pdist(trainer.samples.draw_samples(0, 8).flatten(1)).min() > 0


def test_after_so_many_times_the_run_stops(make):
    trainer = make(rollbacks=2)
    before = rates(trainer)
    spoil_model(trainer, zero_weights, at=960, times=9)
    trainer.fit()
    facts = summary(trainer)
    assert trainer.rollback.count == 2 and rates(trainer) == [rate / 4 for rate in before]
    assert not facts["complete"] and "sick again after callbacks.health.rollbacks=2" in facts["stopped"]
    words = [found["message"].partition("another penalty. ")[2] for found in facts["health"]]
    assert words == [
        "Rolled back to 640 images, learning rates x 0.5 from there.",
        "Rolled back to 640 images, learning rates x 0.25 from there.",
        "It was rolled back 2 times (callbacks.health.rollbacks) and stops.",
    ]


def test_a_run_that_diverges_ever_again_fails_with_its_error(make):
    trainer = make(rollbacks=2)
    spoil_model(trainer, fill_with_nan, at=880, times=9)
    with pytest.raises(Diverged):
        trainer.fit()
    assert len(summary(trainer)["health"]) == 3 and "diverged" in summary(trainer)["stopped"]
    assert checkpoint.newest_good(trainer.run_dir / "checkpoints")[1]["parts"]["position"]["rollbacks"] == 2


def test_without_a_healthy_checkpoint_it_goes_on_and_says_so(make):
    trainer = make("trainer.images=1280")
    before = rates(trainer)
    spoil_model(trainer, zero_weights, at=16)
    trainer.fit()
    (found,) = summary(trainer)["health"]
    assert "There is no healthy checkpoint to roll back to." in found["message"]
    assert summary(trainer)["complete"] and rates(trainer) == before


def test_what_is_not_judged_is_not_called_healthy(make):
    trainer = make("trainer.images=1280", after=960)
    trainer.fit(lambda: trainer.images >= 720)
    assert not (trainer.run_dir / "checkpoints" / "healthy").exists()


def test_a_damaged_healthy_checkpoint_is_none(make, caplog):
    trainer = make("trainer.images=1280")
    trainer.fit(lambda: trainer.images >= 720)
    (path,) = checkpoint.newest_first(trainer.run_dir / "checkpoints" / "healthy")
    path.write_bytes(path.read_bytes()[:-9])
    assert trainer.callbacks["health"]._last_healthy.read(trainer) is None
    assert str(path) in caplog.text


def test_who_asked_to_stop_is_not_kept_by_a_rollback(make):
    trainer = make()
    spoil_model(trainer, zero_weights, at=960)

    def stop(*_):
        if trainer.images == 1280:
            trainer.stop("enough")

    trainer.callbacks["log"].tick = stop
    trainer.fit()
    assert trainer.images == 1280 and summary(trainer)["stopped"] == "enough" and not trainer.rollback.count


def test_killed_after_a_rollback_and_resumed_equals_never_stopped(make, tmp_path):
    """The learning rate explodes, and a millionth of it is reasonable again."""
    words, slow = (*EXPLODING_RATE, "trainer.images=1920"), 1e-6
    whole = make(*words, directory=tmp_path / "whole", rollback_factor=slow)
    whole.fit()
    assert whole.rollback.count == 1 and summary(whole)["complete"]
    for name, position in {"at once": 640, "later": 1280}.items():  # killed when this was the last checkpoint
        killed, resumed = (make(*words, directory=tmp_path / name, rollback_factor=slow) for _ in range(2))
        killed.fit(lambda run=killed, last=position: run.rollback.count == 1 and run.images >= last)
        checkpoint.remove_beyond(tmp_path / name / "checkpoints", position)
        _, found = checkpoint.newest_good(tmp_path / name / "checkpoints")
        facts = {"config": resumed.config, "fingerprint": resumed.data.fingerprint}
        checkpoint.restore(resumed.parts, found, **facts)
        resumed.fit()
        assert_same(state(tmp_path / "whole", 1920), state(tmp_path / name, 1920))
        assert curves(tmp_path / "whole") == curves(tmp_path / name)


def test_another_score_at_the_position_of_the_best_is_not_saved_as_the_best(make):
    """A run that went back passes the positions of the discarded steps once more."""
    trainer = make()
    scoring = Scores(Pixels(), {"fid": FID()})
    scoring.best_record = SimpleNamespace(metric="fid", value=4.0, position=0, as_dict=dict)
    saver, trainer.callbacks = trainer.callbacks["checkpoint"], {"mine": scoring}
    file = trainer.run_dir / "checkpoints" / "best.pt"
    saver.scalars(trainer, {"score/fid": 5.0})
    assert not file.exists()
    saver.scalars(trainer, {"score/fid": 4.0})
    assert file.exists()


def test_what_was_done_at_a_position_is_done_again(make):
    grid = Grid(every=None, rows=1, columns=1)
    trainer = make()
    trainer.show = lambda name, picture: None
    for run in range(2):
        grid.finish(trainer)
        picture = trainer.run_dir / "samples" / "000000000.png"
        assert picture.exists(), run
        picture.unlink()
        grid.after_rollback(trainer)


class MadeUpScores(Callback):
    """Publishes made-up scores."""

    every = 160

    def __init__(self, *values):
        self.values = values

    def tick(self, trainer):
        sick = self.values[trainer.images // 160 - 1]
        value = 5.0 if trainer.rollback.count else float(sick)
        trainer.report({"metric": "fid", "value": value, "higher_is_better": False, "judges_run": True})


def test_scores_that_worsen_lead_back_to_before_they_did(make):
    trainer = make("trainer.images=1280")
    trainer.callbacks = {"scored": MadeUpScores(9, 8, 7, 5, 6, 7, 8, 9), **trainer.callbacks}
    trainer.fit()
    (found,) = summary(trainer)["health"]
    assert (found["kind"], found["images"]) == ("worsening", 1120)
    assert "Rolled back to 640 images" in found["message"]  # at 960 the score was falling


@pytest.mark.parametrize(
    ("rises", "values", "so"),
    [(False, [5, 6], True), (False, [6, 5], False), (True, [6, 5], True), (False, [6], False)],
)
def test_a_score_declines(rises, values, so):
    assert is_declining(values, higher_is_better=rises) is so


@pytest.mark.parametrize("factor", [0, 1, 2])
def test_a_factor_that_slows_nothing_is_refused(make, factor):
    with pytest.raises(ConfigError, match=r"callbacks\.health\.rollback_factor"):
        make(rollback_factor=factor)


def test_an_unknown_action_is_refused_with_those_there_are(make):
    with pytest.raises(ConfigError, match="callbacks.health.action=restart: .*warn or stop or rollback"):
        make(action="restart")
