"""Truncated latents: samples of every model come closer together, or it says why not."""

import pytest
import torch
from torch import nn

from genlab.callbacks import Truncation
from genlab.core.errors import ConfigError
from genlab.models.contract import Model
from genlab.models.latent import Normal
from genlab.models.latent_contract import Truncates
from genlab.trainers.truncation import truncate_law
from tests.conftest import choices, narrow, read

SOLVED = {"pca"}  # has a closed form instead of running statistics


@torch.no_grad()
def settle(model: Model, trainer) -> None:
    """Give a generator biases, as training does, and the running statistics of its own samples."""
    for name, weights in trainer.samples.ema.network.named_parameters() if trainer.samples.ema else ():
        if name.endswith("bias"):
            weights.normal_()
    z, condition = model.latent.draw(trainer.samples.fixed_draws(0)), trainer.samples.sample_conditions(0, 500)
    generator = trainer.samples.ema.network if trainer.samples.ema else model.generator
    generator.train()
    for part in range(0, 500, 50):
        generator(z[part : part + 50], None if condition is None else condition[part : part + 50])


@torch.no_grad()
def distance(trainer, threshold: float) -> float:
    """Return the mean distance of samples that are truncated as at the end of a run."""
    with trainer.samples.sampling() as generator:
        samples = Truncation([threshold], batches=10, rows=4, columns=4).sample(trainer, generator, threshold)
    return torch.pdist(samples.flatten(1)).mean().item()


def cases():
    """Every model; slow are those whose generator another one shares, and StyleGAN3."""
    seen = {"genlab.models.style_based.stylegan3.Generator"}
    for name in choices("model"):
        node = read("model", name)["model"]
        generator = node.get("generator", node.get("decoder", node))["_target_"]
        yield pytest.param(name, marks=[pytest.mark.slow] * (generator in seen))
        seen.add(generator)


@pytest.mark.parametrize("name", list(cases()))
def test_samples_come_closer_with_the_threshold_or_it_is_refused(make_trainer, name):
    trainer = make_trainer(f"model={name}", *narrow(name))
    try:
        Truncation([0.5]).start(trainer)
    except ConfigError as error:
        assert name in ("progan", "projected_gan") or not isinstance(trainer.model.latent, Truncates), error
        return
    trainer.take_step() if name in SOLVED else settle(trainer.model, trainer)
    far, middle, near = (distance(trainer, threshold) for threshold in (2.0, 0.5, 0.04))
    assert near < 0.995 * middle and middle < 0.995 * far


def test_what_a_threshold_cannot_change_is_refused():
    directions = nn.Module()
    directions.normalises_latent = True
    with pytest.raises(ConfigError, match=r"truncation=0\.5: this generator .* one length"):
        truncate_law(0.5, Normal(4), directions)
    with pytest.raises(ConfigError, match="expected more than 0"):
        truncate_law(0.0, Normal(4), nn.Identity())
