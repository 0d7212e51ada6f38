"""A step never waits for the device."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.conftest import choices, narrow

aten = torch.ops.aten
WAITS = {
    aten._local_scalar_dense.default,  # .item(), float(tensor), if tensor
    aten.nonzero.default,
    aten.masked_select.default,
    aten.is_nonzero.default if hasattr(aten, "is_nonzero") else aten.nonzero.default,
    aten.equal.default,
}


class NoWaiting(TorchDispatchMode):
    """Raises where a GPU would have to be waited for."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        mask = func in (aten.index.Tensor, aten.index_put_.default) and any(
            torch.is_tensor(index) and index.dtype == torch.bool for index in args[1]
        )
        if func in WAITS or mask:
            raise AssertionError(f"{func} waits for the device")
        return func(*args, **(kwargs or {}))


def without_optimizers(trainer):
    """On a CPU the optimizers read their step counts; on a GPU these stay there."""
    for player in trainer.players.values():
        player.optimizer.step = lambda: None
    return trainer


EVERYTHING = (
    "trainer.flip_labels=0.05",
    "penalty=[r1,r2,feature_matching]",
    "penalty.r1.every=1",
    "penalty.r2.every=1",
)


@pytest.mark.parametrize("model", [name for name in choices("model") if name != "pca"])
def test_a_step_does_not_wait(make_trainer, model):
    must_not_wait(make_trainer(f"model={model}", *narrow(model), "trainer.clip_gradients=1.0"))


@pytest.mark.parametrize("model", ["gan", "wgan_gp", "sngan"])
def test_nor_do_the_options(make_trainer, model):
    augment = ("augment=[diffaugment,instance_noise,ada]", "augment.ada.every=1")
    must_not_wait(make_trainer(f"model={model}", *narrow(model), *EVERYTHING, *augment))


def test_nor_do_lazy_penalties_that_come_with_a_model(make_trainer):
    lazy = ("penalty.r1.every=2", "penalty.path_length.every=2")  # due in the second step, which is watched
    must_not_wait(make_trainer("model=stylegan2", *narrow("stylegan2"), *lazy))


def must_not_wait(trainer):
    without_optimizers(trainer).take_step()  # lets what is made once be made
    with NoWaiting():
        trainer.take_step()


@pytest.mark.parametrize("wait", [lambda x: x.sum().item(), lambda x: x[x > 0], lambda x: bool(x.any())])
def test_the_guard_bites(wait):
    with pytest.raises(AssertionError, match="waits"), NoWaiting():
        wait(torch.ones(3))
