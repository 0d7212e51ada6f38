"""A state that is not finite replaces no healthy checkpoint, is never resumed, and is no success."""

import math

import pytest
import torch

from genlab.build import instantiate as build
from genlab.callbacks import Callback
from genlab.core import checkpoint
from genlab.core.errors import Diverged
from genlab.core.finiteness import find_non_finite
from tests.callbacks.test_health_rollback import callback_words, summary
from tests.conftest import NARROW_MLP, TINY, composed, narrow, tiny_data

SICK_AT = 400


class Spoil(Callback):
    """Spoils a part of the state once, between two steps."""

    every = SICK_AT

    def __init__(self, how, times=1):
        self.how, self.times = how, times

    def tick(self, trainer):
        if self.times:
            self.times -= 1
            with torch.no_grad():
                self.how(trainer)


def spoil_average(trainer):
    next(trainer.ema.network.parameters()).fill_(math.nan)


def spoil_running_variance(trainer):
    network = trainer.model.generator
    next(value for name, value in network.named_buffers() if name.endswith("running_var")).fill_(math.inf)


def spoil_optimizer(trainer):
    """The moments of an optimizer whose player then rests, so that no loss tells."""
    state = trainer.players["generator"].optimizer.state
    next(iter(state.values()))["exp_avg_sq"].fill_(math.nan)
    trainer.players["generator"].optimizer.step = lambda: None


SPOILS = [spoil_average, spoil_running_variance, spoil_optimizer]


@pytest.fixture
def make(tmp_path):
    def make(how, *words, times=1, **settings):
        model = "dcgan" if how is spoil_running_variance else "gan"  # it has none
        small = narrow("dcgan") if model == "dcgan" else NARROW_MLP
        short = (*TINY, f"model={model}", *small, "trainer.images=960", "trainer.batch_size=16")
        settings = {"after": 5000, **settings}
        trainer = build.trainer(composed(*short, *callback_words(**settings), *words), tmp_path, tiny_data())
        trainer.callbacks = {"spoil": Spoil(how, times), **trainer.callbacks}
        return trainer

    return make


def names(trainer):
    return sorted(path.name for path in (trainer.run_dir / "checkpoints").glob("*.pt"))


@pytest.mark.parametrize("how", SPOILS)
def test_a_sick_state_is_kept_apart_and_the_run_is_no_success(make, how):
    trainer = make(how, action="warn")
    with pytest.raises(Diverged, match=r"is not finite.*half the learning rates.*resume="):
        trainer.fit()
    assert names(trainer) == ["0000000320.pt", "sick-0000000960.pt"]
    path, state = checkpoint.newest_good(trainer.run_dir / "checkpoints")
    assert path.stem == "0000000320" and state["parts"]["position"]["images"] == 320
    assert checkpoint.weights_file(trainer.run_dir).stem == "0000000320"
    (found,) = summary(trainer)["health"]
    assert (found["kind"], found["images"]) == ("sick", 640) and trainer.images == 960


def test_the_healthy_ones_are_kept_whatever_the_number_of_sick_ones(make):
    trainer = make(spoil_average, "callbacks.checkpoint.keep=1", "callbacks.checkpoint.every=160", action="warn")
    with pytest.raises(Diverged):
        trainer.fit()
    assert names(trainer) == ["0000000320.pt", "sick-0000000960.pt"]


def test_the_best_checkpoint_is_not_replaced_either(make):
    trainer = make(spoil_average, action="warn")
    trainer.fit(lambda: trainer.images >= 320)
    folder = trainer.run_dir / "checkpoints"
    from genlab.callbacks.save_checkpoints import save_run

    save_run(trainer, folder / "best.pt")
    before = (folder / "best.pt").read_bytes()
    spoil_average(trainer)
    save_run(trainer, folder / "best.pt")
    assert (folder / "best.pt").read_bytes() == before


def test_stop_ends_the_run_where_it_is_found(make):
    trainer = make(spoil_average, action="stop")
    with pytest.raises(Diverged):
        trainer.fit()
    assert trainer.images == 640 and names(trainer) == ["0000000320.pt", "sick-0000000640.pt"]


def test_rollback_goes_back_to_the_last_healthy_state(make):
    trainer = make(spoil_average, action="rollback", after=0, samples=4)
    trainer.fit()
    assert trainer.rollback.count == 1 and summary(trainer)["complete"]
    assert names(trainer)[:3] == ["0000000320.pt", "0000000640.pt", "0000000960.pt"]


def test_without_checkpoints_the_end_is_no_success_either(make):
    trainer = make(spoil_running_variance)
    trainer.callbacks = {"spoil": trainer.callbacks["spoil"]}
    with pytest.raises(Diverged, match="running_var is not finite"):
        trainer.fit()


@pytest.mark.parametrize("player", ["generator", "discriminator"])
@pytest.mark.parametrize("kind", ["weight", "data"])
def test_a_spoilt_weight_or_image_fails_before_anything_is_saved(make, player, kind):
    def spoil(trainer):
        next(trainer.model.get_submodule(player).parameters()).fill_(math.nan)

    def spoil_data(trainer):
        batch = trainer.stream.batch
        trainer.stream.batch = lambda *words: batch(*words).fill_(math.nan)

    trainer = make(spoil if kind == "weight" else spoil_data, action="warn")
    with pytest.raises(Diverged):
        trainer.fit()
    assert names(trainer) == ["0000000320.pt"]


def test_a_spoilt_gradient_fails_before_anything_is_saved(make):
    def spoil(trainer):
        parameter = trainer.players["discriminator"].parameters[0]
        parameter.requires_grad_(True).register_hook(lambda gradient: gradient * math.nan)

    trainer = make(spoil, action="warn")
    with pytest.raises(Diverged):
        trainer.fit()
    assert names(trainer) == ["0000000320.pt"]


def test_numbers_are_found_wherever_they_are_and_by_their_path():
    class Part:
        def __init__(self, state):
            self.state = state

        def state_dict(self):
            return self.state

    nan, one, count = torch.tensor(math.nan), torch.ones(2), torch.tensor(3)
    healthy = {
        "a": Part({"x": one, "n": count, "b": torch.ones(1, dtype=torch.bool)}),
        "callback/stop": Part({"best": math.inf}),
    }
    assert find_non_finite(healthy) == []
    sick = healthy | {"o": Part({"state": {0: {"m": nan}}, "groups": [{"lr": math.inf}]}), "c": Part({"z": nan * 1j})}
    assert set(find_non_finite(sick)) == {"o/state/0/m", "o/groups/0/lr", "c/z"}
