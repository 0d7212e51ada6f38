"""Batches of one image: refused before the first step where a network needs more, and else trained on."""

import re

import pytest
import torch

from genlab.build import instantiate
from genlab.core import distributed
from genlab.core.errors import ConfigError
from tests.conftest import choices, data_of, narrow, worded

NEED_TWO = {"gan", "cgan", "infogan", "semi_supervised_gan", "projected_gan", "super_resolution", "mmd_gan"}
SHARES = [(1, 1), (2, 1), (3, 1), (2, 2), (3, 3), (6, 3)]  # batch size, accumulate


def train(make_trainer, model, batch_size, accumulate):
    pieces = [f"trainer.accumulate={accumulate}"] if accumulate > 1 else []
    data = worded() if model == "text_gan" else data_of(model)
    trainer = make_trainer(f"model={model}", *narrow(model), f"trainer.batch_size={batch_size}", *pieces, data=data)
    trainer.take_step()
    trainer.statistics.check_finite()


def train_or_follow_the_advice(make_trainer, model, batch_size, accumulate):
    """What is refused trains with each value that the message names."""
    if batch_size > accumulate or model not in NEED_TWO:
        return train(make_trainer, model, batch_size, accumulate)
    with pytest.raises(ConfigError, match="a backward pass sees one image|compares images of a kind") as caught:
        train(make_trainer, model, batch_size, accumulate)
    assert "compares" in str(caught.value) or ("trainer.accumulate=1" in str(caught.value)) == (accumulate > 1)
    advice = str(caught.value).partition("Set ")[2]
    train(make_trainer, model, int(re.search(r"batch_size=(\d+)", advice)[1]), accumulate)
    if "trainer.accumulate=1" in advice:
        train(make_trainer, model, batch_size, 1)


@pytest.mark.parametrize(("model", "share"), [("gan", (1, 1)), ("cgan", (3, 3)), ("dcgan", (2, 2))])
def test_single_images_train_or_are_refused_with_what_to_type(make_trainer, model, share):
    train_or_follow_the_advice(make_trainer, model, *share)


@pytest.mark.slow
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("model", [name for name in choices("model") if name != "pca"])
def test_every_model_trains_on_small_batches_or_says_why_not(make_trainer, model, share):
    train_or_follow_the_advice(make_trainer, model, *share)


def test_a_rank_s_share_of_one_image_is_refused(make_trainer, monkeypatch):
    monkeypatch.setattr(distributed, "world_size", lambda: 2)
    monkeypatch.setattr(distributed, "average_gradients", lambda parameters: None)
    with pytest.raises(ConfigError, match="batch_size=2 over 2 ranks: .* Set trainer.batch_size=4"):
        make_trainer("model=gan", *narrow("gan"), "trainer.batch_size=2")


def test_the_rehearsed_step_leaves_no_trace(make_trainer, monkeypatch):
    words = ("model=dcgan", *narrow("dcgan"), "trainer.batch_size=1", "trainer.images=4", "penalty=[r1]")
    rehearsed = make_trainer(*words)
    monkeypatch.setattr(instantiate, "refuse_single_images", lambda trainer: None)
    plain = make_trainer(*words)
    for trainer in (rehearsed, plain):
        trainer.fit()
    for name, tensor in plain.model.state_dict().items():
        assert torch.equal(tensor, rehearsed.model.state_dict()[name]), name
    assert rehearsed.state_dict() == plain.state_dict()
