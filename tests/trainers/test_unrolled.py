"""The unrolled generator's gradient against finite differences of a game that is really played ahead."""

from copy import deepcopy

import pytest
import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from genlab.build import instantiate as build
from genlab.core.errors import ConfigError
from genlab.trainers.turns import micro_batches
from tests.conftest import NARROW, NARROW_MLP, composed

TINY_MLP = ("model=unrolled_gan", "model.generator.widths=[6]", "model.discriminator.widths=[5]", "model.latent.size=3")
EXACT = ("trainer.precision=float64", "trainer.ema=null")
INNER = {
    "descent": (
        "trainer.inner._target_=genlab.trainers.differentiable_optimizers.GradientDescent",
        "trainer.inner.lr=0.3",
    ),
    "adam": ("trainer.inner.lr=0.05",),
}


def draws_of(trainer):
    (draws,) = micro_batches(trainer.main_phases["generator"], trainer.players["generator"], trainer.engine)
    return draws


def gradient(trainer):
    """Of the generator's loss by its weights, as the turn computes it."""
    for name, player in trainer.players.items():
        player.freeze(name == "discriminator")
    loss = trainer.compute_losses(trainer.main_phases["generator"], draws_of(trainer))
    weights = list(trainer.model.generator.parameters())
    return torch.cat([grad.flatten() for grad in torch.autograd.grad(loss.terms["adversarial"].mean(), weights)])


def played_ahead(trainer, steps):
    """The discriminator's loss after real steps of a real optimizer on a real copy."""
    draws = draws_of(trainer)
    real = trainer.stream.batch("generator", 0, draws)
    with torch.no_grad():
        fake = trainer.model.generator(trainer.model.latent.draw(draws))
    network = deepcopy(trainer.model.discriminator).requires_grad_(True)
    optimizer = real_optimizer(trainer, network)

    def cost(images):
        return trainer.loss.discriminator(network(images), network(fake)).mean()

    for _ in range(steps):
        penalties = [term.weight / 2 * squared_slope(network, real if name == "r1" else fake)
                     for name, term in trainer.penalties.items()]  # fmt: skip
        optimizer.zero_grad()
        (cost(real) + sum(penalties)).backward()
        optimizer.step()
    return cost(real).item()


def squared_slope(network, images):
    images = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(images).sum(), images, create_graph=True)
    return slope.square().sum() / len(images)


def real_optimizer(trainer, network):
    inner, own = trainer.inner, trainer.players["discriminator"].optimizer
    if "GradientDescent" in type(inner).__name__:
        return torch.optim.SGD(network.parameters(), lr=inner.lr)
    optimizer = type(own)(network.parameters())
    optimizer.load_state_dict(deepcopy(own.state_dict()))
    optimizer.param_groups[0]["lr"] = inner.lr
    return optimizer


def slope_along(trainer, direction, value, step=1e-6):
    """Central difference of a function of the generator's weights."""
    weights = list(trainer.model.generator.parameters())
    start, found = parameters_to_vector(weights).detach().clone(), []
    for sign in (1, -1):
        vector_to_parameters(start + sign * step * direction, weights)
        found.append(value())
    vector_to_parameters(start, weights)
    return (found[0] - found[1]) / (2 * step)


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("penalty", ["", "r1", "r2"])
def test_gradient_against_finite_differences_of_a_game_played_ahead(make_trainer, inner, steps, penalty):
    slopes = (f"penalty=[{penalty}]", f"penalty.{penalty}.every=1", f"penalty.{penalty}.weight=0.5") if penalty else ()
    trainer = make_trainer(*TINY_MLP, *EXACT, *INNER[inner], *slopes, f"trainer.steps={steps}")
    trainer.take_turns("discriminator")  # so that Adam has a past
    found = gradient(trainer)
    for seed in range(3):
        direction = torch.randn(len(found), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        expected = slope_along(trainer, direction, lambda: -played_ahead(trainer, steps))
        assert (found @ direction).item() == pytest.approx(expected, rel=2e-4, abs=1e-8)


@pytest.mark.parametrize(("loss", "zero_sum"), [("minimax", "true"), ("hinge", "false"), ("non_saturating", "false")])
def test_no_step_ahead_is_the_plain_game(make_trainer, loss, zero_sum):
    same = (*TINY_MLP, *EXACT, f"loss={loss}")
    plain = make_trainer(*same, "trainer=alternating")
    unrolled = make_trainer(*same, "trainer.steps=0", f"trainer.zero_sum={zero_sum}")
    torch.testing.assert_close(gradient(unrolled), gradient(plain))


def test_steps_ahead_change_the_gradient(make_trainer):
    found = [gradient(make_trainer(*TINY_MLP, *EXACT, *INNER["descent"], f"trainer.steps={k}")) for k in (0, 1, 5)]
    assert not torch.allclose(found[0], found[1], rtol=0.01) and not torch.allclose(found[1], found[2], rtol=0.01)


@pytest.mark.parametrize("kind", ["model.discriminator.norm=batch", "model.spectral_norm=[discriminator]"])
def test_the_discriminator_stays_as_it_is_in_the_generators_turn(make_trainer, kind):
    """Weights, running statistics, singular vectors and Adam's moments: it looks ahead on a copy."""
    trainer = make_trainer("model=dcgan", *NARROW, kind, "trainer=unrolled", "trainer.steps=2")
    trainer.take_turns("discriminator")
    parts = (trainer.model.discriminator, trainer.players["discriminator"].optimizer)
    before = deepcopy([part.state_dict() for part in parts])
    generator = deepcopy(trainer.model.generator.state_dict())
    trainer.take_turns("generator")
    torch.testing.assert_close([part.state_dict() for part in parts], before, rtol=0, atol=0)
    moved = trainer.model.generator.state_dict()
    assert all(tensor.isfinite().all() for tensor in moved.values())
    assert any(not torch.equal(tensor, moved[name]) for name, tensor in generator.items())


def test_the_discriminator_takes_one_real_step(make_trainer):
    same = ("model=gan", *NARROW_MLP)
    plain, unrolled = make_trainer(*same), make_trainer(*same, "trainer=unrolled")
    for trainer in (plain, unrolled):
        trainer.take_turns("discriminator")
    torch.testing.assert_close(
        unrolled.model.discriminator.state_dict(), plain.model.discriminator.state_dict(), rtol=0, atol=0
    )
    unrolled.take_step()
    assert unrolled.players["discriminator"].turns == 2 and unrolled.players["generator"].turns == 1


def test_another_optimizer_needs_another_step(make_trainer):
    with pytest.raises(ConfigError, match="GradientDescent"):
        make_trainer(*TINY_MLP, "optimizer=rmsprop")
    make_trainer(*TINY_MLP, "optimizer=rmsprop", *INNER["descent"]).take_step()


def covered(trainer, samples=5000):
    """Gaussians with at least 20 of 5,000 samples within three of their standard deviations."""
    modes = trainer.data.modes
    points = trainer.samples.draw_samples(0, samples).cpu() * trainer.spec.scale
    distance, nearest = torch.cdist(points, modes.centres).min(1)
    return int((nearest[distance < 3 * modes.std].bincount(minlength=len(modes.centres)) >= 20).sum())


@pytest.mark.slow
@pytest.mark.parametrize(("model", "least", "most"), [("gan", 0, 4), ("unrolled_gan", 7, 8)])
def test_the_plain_game_drops_gaussians_that_the_unrolled_one_keeps(tmp_path, model, least, most):
    """Metz et al. 2017, section 3.1; a minute each on one core."""
    alone = ("metrics=none", "callbacks=none", "trainer.device=cpu", "trainer.images=200_000")
    trainer = build.trainer(composed("data=ring8", f"model={model}", *alone), tmp_path)
    trainer.fit()
    assert least <= covered(trainer) <= most
