"""Every model of the menu with every penalty, loss and augmentation: a finite step, or a message that says why not."""

from copy import deepcopy
from dataclasses import replace
from functools import cache, partial
from math import prod
from pathlib import Path
from tempfile import mkdtemp

import pytest
import torch
from hydra.utils import instantiate
from torch import nn

from genlab.build import instantiate as build
from genlab.build.checks import check
from genlab.core.errors import ConfigError
from genlab.losses import Wasserstein
from genlab.trainers import Run
from tests.conftest import TINY, choices, composed, data_of, narrow, read
from tests.test_models import MODELS, SIZES

PLAIN_FEATURES = {"features": {"_target_": "torch.nn.Identity"}, "shares": None}  # in place of a large network's
FELT = {  # numbers with which a penalty costs something at any weights
    "one_sided_gradient_penalty": {"target": 1e-6},
    "lecam": {"one_sided": False},
    "perceptual": PLAIN_FEATURES,
    "perceptual_five": PLAIN_FEATURES,
    "feature_decoding_perceptual": {"distance": "squared"},  # in place of files of weights
}
EVERYTHING = {"ema": None, "start_size": 8, "adversarial_weight": 1.0}  # from the first image on, at the full size
EQUALISED = ("progan", "stylegan", "stylegan2", "stylegan3_t", "stylegan3_r")


@cache
def system_of(model):
    """A narrow model with tiny data and no penalties, its config, and what makes a trainer of a system."""
    config = composed(*TINY, f"model={model}", *narrow(model), "penalty=[]", "augment=[]")
    config["trainer"] |= {name: value for name, value in EVERYTHING.items() if name in config["trainer"]}
    system = build.trainer(config, Path(mkdtemp()), data_of(model, 1, SIZES.get(model, 10))).system
    plain = dict.fromkeys(system.optimizers, partial(torch.optim.Adam, lr=1e-4))  # Hydra takes longer than a step
    return replace(system, optimizers=plain), config, instantiate(config["trainer"], _partial_=True, _convert_="all")


def built(model, **parts):
    """A trainer of that model with other parts. Raises ConfigError where they do not go together."""
    system, config, strategy = system_of(model)
    system = replace(system, **parts)
    check(system, config)
    return strategy(system, Run(Path(), 0, config, {}))


def step(trainer):
    """One in which penalties of every turn and of every second turn are due."""
    for player in trainer.players.values():
        player.turns = 1
    trainer.take_step()
    trainer.statistics.flush()  # raises if anything is not finite


@cache
def made(group, name):
    """A choice as its YAML has it; of a list, what its key holds."""
    node = read(group, name)
    node = node if "_target_" in node else next(iter(node.values())) | FELT.get(name, {})
    return build.make(build.check_node(node, f"{group}.{name}"), group)


def penalty_of(name, every=1):
    return replace(made("penalty", name), every=every)


def reached(trainer, player):
    """Does the player's last turn, that of its lazy penalties alone, move any of its parameters?"""
    slopes = [parameter.grad for parameter in trainer.players[player].parameters if parameter.grad is not None]
    return any(slope.count_nonzero() for slope in slopes)


def outcome(model, penalty):
    """None where all is well, `refused`, or what is wrong."""
    # Lazy turns come last: the gradients that they leave are the penalty's own.
    pair = {f"{penalty}_{every}": penalty_of(penalty, every) for every in (1, 2)}
    loss = {"loss": Wasserstein()} if "discriminator" in system_of(model)[0].model.players else {}  # never saturates
    try:
        trainer = built(model, penalties=pair, **loss)
    except ConfigError as error:
        assert str(error).startswith(f"penalty={penalty}_1 "), error
        return "refused"
    idle = pair[f"{penalty}_2"].players
    for _ in range(2):  # what compares with an earlier turn costs nothing in the first
        try:
            step(trainer)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        idle = [player for player in idle if not reached(trainer, player)]
        if not idle:
            return None
    return f"moves nothing of {idle}"


@pytest.mark.parametrize("model", MODELS)
def test_every_penalty_moves_its_player_or_is_refused(model):
    outcomes = {penalty: outcome(model, penalty) for penalty in choices("penalty")}
    assert {name: found for name, found in outcomes.items() if found not in (None, "refused")} == {}
    accepted = {name: penalty_of(name) for name, found in outcomes.items() if found is None}
    if accepted:
        step(built(model, penalties=accepted))  # all of them at once


@pytest.mark.parametrize("model", MODELS)
def test_every_loss_and_augmentation_takes_a_step_or_is_refused(model):
    parts = [{"loss": deepcopy(made("loss", name))} for name in choices("loss")]
    parts += [{"augmentations": {name: deepcopy(made("augment", name))}} for name in choices("augment")]
    taken = 0
    for part in parts:
        try:
            trainer = built(model, **part)
        except ConfigError:
            continue
        step(trainer)
        taken += 1
    assert taken


@pytest.mark.parametrize(
    ("model", "penalty"),
    [
        *((model, penalty) for model in EQUALISED for penalty in ("orthogonal", "spectral")),
        ("cyclegan", "pulling_away"),
        ("pix2pix", "pulling_away"),
        ("aae", "gradient_penalty"),
    ],
)
def test_accepted(model, penalty):
    """Not everything is refused."""
    built(model, penalties={penalty: penalty_of(penalty)})


@pytest.mark.parametrize(
    ("model", "penalty", "words"),
    [
        ("aae", "cr", "is about pixels, and the discriminator sees codes"),
        ("aae", "bcr", "is about pixels, and the discriminator sees codes"),
        ("aae", "r1_auto", "is about pixels, and the discriminator sees codes"),
        ("cyclegan", "zcr", "moves latents, and this generator has none"),
        ("acgan", "mismatch", "this one takes none"),
        ("semi_supervised_gan", "auxiliary_classification", "needs a generator that takes a class"),
    ],
)
def test_refused(model, penalty, words):
    with pytest.raises(ConfigError, match=f"penalty={penalty} .*{words}"):
        built(model, penalties={penalty: penalty_of(penalty)})


class WithoutFeatures(nn.Module):
    """A discriminator as the contract has it, which offers nothing beside logits."""

    def __init__(self, spec):
        super().__init__()
        self.last = nn.Linear(prod(spec.shape), 1)

    def forward(self, images, condition=None):
        return self.last(images.flatten(1)).squeeze(1)


def without_features(model, *words):
    """A trainer of a model with that discriminator."""
    config = composed(*TINY, f"model={model}", *narrow(model), *words)
    config["model"]["discriminator"] = {"_target_": f"{__name__}.WithoutFeatures", "_partial_": True}
    return build.trainer(config, Path(mkdtemp()), data_of(model))


def test_a_discriminator_of_ones_own_needs_features_for_what_compares_them():
    without_features("gan").take_step()
    with pytest.raises(ConfigError, match="penalty=feature_matching needs a discriminator that has `features`"):
        without_features("gan", "penalty=[feature_matching]")
    with pytest.raises(ConfigError, match="model.discriminator: it needs `features`"):
        without_features("vae_gan")


@pytest.mark.parametrize("penalty", ["r1", "gradient_penalty", "drift", "cr"])
def test_a_penalty_that_would_move_nothing_of_a_player_is_not_on_it(make_trainer, penalty):
    with pytest.raises(ConfigError, match=f"penalty.{penalty}.on"):
        make_trainer("model=gan", *narrow("gan"), f"penalty=[{penalty}]", f"+penalty.{penalty}.on=generator")
