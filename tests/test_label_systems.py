"""Systems that use labels or codes, built as the command line builds them: what each player learns from."""

from dataclasses import replace

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.data import InMemory
from tests.conftest import NARROW, NARROW_MLP, composed, tiny_data

SYSTEMS = {
    "cgan": NARROW_MLP,
    "cgan_conv": NARROW,
    "acgan": NARROW,
    "infogan": NARROW,
    "semi_supervised_gan": NARROW_MLP,
    "stylegan2": (*NARROW, "model.conditional=true"),
    "stylegan3_t": (*NARROW, "model.conditional=true"),
}
HEADS = {"acgan": "classifier", "infogan": "guesser"}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_moves_both_players(make_trainer, system, channels):
    data = tiny_data(size=16, channels=channels)
    trainer = make_trainer(f"model={system}", *SYSTEMS[system], data=data)
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    for _ in range(2):
        trainer.take_step()
    unmoved = [name for name, value in trainer.model.named_parameters() if torch.equal(value, before[name])]
    assert not unmoved
    trainer.statistics.flush()  # raises for what is not finite


@pytest.mark.parametrize("system", HEADS)
def test_without_its_penalty_the_second_head_rests(make_trainer, system):
    trainer = make_trainer(f"model={system}", *NARROW, "penalty=[]", data=tiny_data(size=16))
    head = getattr(trainer.model.discriminator, HEADS[system])
    before = torch.nn.utils.parameters_to_vector(head.parameters()).clone()
    trainer.take_step()
    assert torch.equal(torch.nn.utils.parameters_to_vector(head.parameters()), before)


@pytest.mark.parametrize("system", HEADS)
@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_both_players_learn_from_the_second_head(make_trainer, system, player):
    """The penalty's gradient reaches the first layer of the player whose turn it is, and no other's."""
    trainer = make_trainer(f"model={system}", *NARROW, data=tiny_data(size=16))
    (name,) = trainer.penalties
    trainer.model.zero_grad()
    for other in trainer.players.values():
        other.freeze(other.name != player)
    draws = draws_of(trainer)
    turn = trainer.begin_turn(replace(trainer.main_phases[player], with_features=True), draws)
    trainer.penalties[name](turn).sum().backward()
    reached = {key.split(".")[0] for key, value in trainer.model.named_parameters() if value.grad is not None}
    assert reached == {player}
    assert trainer.model.get_submodule(player).get_parameter(first_weight(trainer, player)).grad.abs().sum() > 0


def draws_of(trainer):
    return Draws((0, "test", 0), trainer.batch_size, 0, trainer.batch_size, trainer.device)


def first_weight(trainer, player):
    return next(name for name, _ in trainer.model.get_submodule(player).named_parameters() if "layers" in name)


def test_only_the_labelled_images_supervise(make_trainer):
    data = InMemory(tiny_data(size=16).train, labelled=10, name="few")
    trainer = make_trainer("model=semi_supervised_gan", *SYSTEMS["semi_supervised_gan"], data=data)
    images, classes = trainer.begin_turn(trainer.main_phases["discriminator"], draws_of(trainer)).draw_labelled()
    known = data.train.labels >= 0
    pixels = ((images + 1) * 127.5).round().to(torch.uint8)
    for image, label in zip(pixels, classes, strict=True):
        (row,) = (data.train.images == image).flatten(1).all(1).nonzero()
        assert known[row] and data.train.labels[row] == label


def test_a_hundred_labels_come_with_the_model_and_give_way_to_the_command_line():
    assert composed("model=semi_supervised_gan")["data"]["labelled"] == 100
    assert composed("model=semi_supervised_gan", "data.labelled=20", "seed=3")["data"]["labelled"] == 20
    assert composed("model=semi_supervised_gan", "data=mnist")["data"]["labelled"] is None
    assert composed("model=semi_supervised_gan", "seed=3")["data"]["label_seed"] == 3


@pytest.mark.parametrize("penalty", ["auxiliary_classification", "mutual_information", "supervised"])
def test_a_penalty_without_its_system_is_refused(make_trainer, penalty):
    with pytest.raises(ConfigError, match=f"penalty={penalty} .*model="):
        make_trainer("model=cgan", *NARROW_MLP, f"penalty=[{penalty}]")
