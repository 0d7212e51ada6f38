"""What a step does: who moves, how often, on which images."""

from itertools import product

import pytest
import torch
from hydra.utils import get_object

from genlab.build import preflight
from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.data import InMemory, Split
from genlab.trainers.turns import micro_batches
from tests.conftest import NARROW, NARROW_MLP, choices, narrow, read, tiny_data


def weights(module):
    return torch.cat([param.detach().flatten().clone() for param in module.parameters()])


def test_each_turn_moves_its_player_alone(make_trainer):
    trainer = make_trainer("model=gan", *NARROW_MLP)
    generator, discriminator = trainer.model.generator, trainer.model.discriminator
    before = weights(generator), weights(discriminator)
    trainer.take_turns("discriminator")
    assert torch.equal(before[0], weights(generator)) and not torch.equal(before[1], weights(discriminator))
    before = weights(generator), weights(discriminator)
    trainer.take_turns("generator")
    assert not torch.equal(before[0], weights(generator)) and torch.equal(before[1], weights(discriminator))


def test_turns_and_images_of_a_step(make_trainer):
    trainer = make_trainer("model=gan", *NARROW_MLP, "trainer.n_critic=3", "trainer.n_generator=2")
    trainer.take_step()
    assert {name: player.turns for name, player in trainer.players.items()} == {"generator": 2, "discriminator": 3}
    assert trainer.images == 3 * 8


def test_n_critic_as_a_staircase(make_trainer):
    trainer = make_trainer("model=gan", *NARROW_MLP, "trainer.n_critic={0:3,24:1}", "trainer.images=40")
    trainer.fit()
    assert trainer.step == 3  # 24 images in the first step, then 8 a step
    assert trainer.players["generator"].turns == 3


def test_weights_are_clipped_after_every_critic_turn(make_trainer):
    trainer = make_trainer("model=wgan", *NARROW, "trainer.clip_weights=0.003", "trainer.n_critic=1")
    trainer.take_turns("discriminator")
    assert weights(trainer.model.discriminator).abs().max() <= 0.003
    assert weights(trainer.model.generator).abs().max() > 0.003


def test_lazy_penalty_comes_every_kth_turn_and_k_times_as_strong(make_trainer):
    """Under SGD a lazy turn moves the weights by k times the gradient of the penalty's mean."""
    rate, every = 0.1, 4
    trainer = make_trainer(
        "model=gan", *NARROW_MLP, "optimizer=sgd", f"optimizer.discriminator.lr={rate}", "penalty=[r1]",
        f"penalty.r1.every={every}", "trainer.precision=float64",
    )  # fmt: skip
    for turn in range(1, 2 * every + 1):
        before = weights(trainer.model.discriminator)
        trainer.take_turns("discriminator")
        assert ("discriminator/r1" in trainer.statistics.flush()) == (turn % every == 0)
    (phase,) = trainer.lazy_phases["discriminator"]
    before = weights(trainer.model.discriminator)
    (draws,) = micro_batches(phase, trainer.players["discriminator"], trainer.engine)
    cost, moved = (
        trainer.compute_losses(phase, draws).terms["r1"].mean(),
        list(trainer.model.discriminator.parameters()),
    )
    gradient = torch.autograd.grad(cost, moved, allow_unused=True, materialize_grads=True)
    trainer.take_turn(phase)
    expected = before - rate * every / (every + 1) * every * torch.cat([grad.flatten() for grad in gradient])
    torch.testing.assert_close(weights(trainer.model.discriminator), expected)


def test_lazy_turns_lower_rate_and_betas_as_stylegan2_does(make_trainer):
    """Karras et al. 2020, appendix B: c = k / (k + 1); rate times c, betas to the power of c."""
    trainer = make_trainer("model=gan", *NARROW_MLP, "penalty=[r1]", "penalty.r1.every=16", "optimizer=adam_wgan_gp")
    trainer.take_step()
    group = trainer.players["discriminator"].optimizer.param_groups[0]
    assert group["lr"] == pytest.approx(1e-4 * 16 / 17)
    assert group["betas"] == pytest.approx((0.0, 0.9 ** (16 / 17)))
    assert trainer.players["generator"].optimizer.param_groups[0]["lr"] == pytest.approx(1e-4)


@pytest.mark.parametrize("pieces", [1, 2, 4])
def test_accumulated_gradients_are_those_of_the_whole_batch(make_trainer, pieces):
    system = (
        "model=wgan_gp",
        *NARROW,
        "model.generator.norm=none",
        "trainer.precision=float64",
        "penalty=[gradient_penalty]",
    )
    trainer, whole = make_trainer(*system, f"trainer.accumulate={pieces}"), make_trainer(*system)
    trainer.take_step()
    whole.take_step()
    torch.testing.assert_close(
        weights(trainer.model.discriminator), weights(whole.model.discriminator), rtol=1e-7, atol=1e-9
    )


def test_reused_fakes_are_the_generators_own(make_trainer):
    trainer = make_trainer("model=gan", *NARROW_MLP, "trainer.reuse_fakes=true")
    seen, generate = [], trainer.model.generator.forward
    trainer.model.generator.forward = lambda *z: seen.append(z) or generate(*z)
    trainer.take_step()
    assert len(seen) == 1  # one generator pass a step
    with pytest.raises(ConfigError, match="n_critic=1"):
        make_trainer("model=gan", *NARROW_MLP, "trainer.reuse_fakes=true", "trainer.n_critic=2")


def test_flipped_labels_swap_a_share_of_the_pairs(make_trainer):
    trainer = make_trainer("model=gan", *NARROW_MLP, "trainer.flip_labels=0.5", "trainer.batch_size=64")
    (draws,) = micro_batches(trainer.main_phases["discriminator"], trainer.players["discriminator"], trainer.engine)
    real, fake = trainer.swap_pairs(torch.ones(64), torch.zeros(64), draws)
    assert torch.equal(real + fake, torch.ones(64))
    assert 16 < fake.sum() < 48


def test_labels_of_a_whole_batch_are_flipped_at_a_share_of_the_turns(make_trainer):
    """The same verdict for every micro-batch, whatever its rows."""
    trainer = make_trainer("model=gan", *NARROW_MLP, "trainer.flip_labels=0.3", "trainer.flip_unit=batch")
    flipped = []
    for turn in range(200):
        parts = [Draws((0, turn), 8, start, start + 4, torch.device("cpu")) for start in (0, 4)]
        fakes = [trainer.swap_pairs(torch.ones(4, 2), torch.zeros(4, 2), draws)[1] for draws in parts]
        assert torch.cat(fakes).unique().numel() == 1
        flipped.append(fakes[0].mean())
    assert 40 < sum(flipped) < 80


@pytest.mark.parametrize("bound", ["0.01", "{norm: 0.01}", "{value: 0.001}"])
def test_clipped_gradients(make_trainer, bound):
    trainer = make_trainer("model=gan", *NARROW_MLP, f"trainer.clip_gradients={bound}")
    trainer.take_step()
    grads = [param.grad for param in trainer.model.generator.parameters()]
    assert torch.cat([grad.flatten() for grad in grads]).norm() < 0.0101 or max(g.abs().max() for g in grads) <= 0.001


BASES = ("gan", "dcgan", "wgan_gp", "sngan")
LOSSES = [name for name in choices("loss") if not hasattr(get_object(read("loss", name)["_target_"]), "reconstruction")]
SLOPES = ("gradient_penalty", "gradient_penalty_lazy", "one_sided_gradient_penalty", "dragan")


def why_not(model: str, penalty: str) -> str | None:
    """Words of the refusal, for a pair that cannot work."""
    if model == "dcgan" and penalty in SLOPES:
        return "discriminator.norm"
    return {
        "auxiliary_classification": "model=acgan",
        "supervised": "model=semi_supervised_gan",
        "mutual_information": "model=infogan",
        "path_length": "a style-based model",
        "l1": "model=pix2pix",
        "mse": "model=pix2pix",
        "feature_matching_pairs": "model=pix2pix",
        "perceptual": "penalty.perceptual.features.weights: missing",
        "perceptual_five": "penalty.perceptual.features.weights: missing",
        "feature_decoding": "model=fastgan",
        "feature_decoding_perceptual": "penalty.feature_decoding.distance.vgg=null: no file is given",
        "cycle": "model=cyclegan",
        "identity": "model=cyclegan",
        "mismatch": "model.conditional=true",
        "conditioning_kl": "model=text_gan",
    }.get(penalty)


def pairs():
    """Every loss with every penalty, each on one of the bases in turn, so that all pairs of the three occur."""
    rows = list(product(LOSSES, choices("penalty")))
    return [(BASES[index % len(BASES)], *row) for index, row in enumerate(rows)]


@pytest.mark.parametrize(("model", "loss", "penalty"), pairs())
def test_a_combination_takes_a_step_or_is_refused(make_trainer, model, loss, penalty):
    (key,) = read("penalty", penalty)
    words = (f"model={model}", *narrow(model), f"loss={loss}", f"penalty=[{penalty}]", f"penalty.{key}.every=1")
    if refusal := why_not(model, penalty):
        with pytest.raises(ConfigError, match=refusal):
            make_trainer(*words, data=tiny_data(size=16))  # so large that dcgan's discriminator has a batch norm
        return
    trainer = make_trainer(*words)
    before = weights(trainer.model)
    trainer.take_step()
    found = trainer.statistics.flush()  # raises if anything is not finite
    assert not torch.equal(before, weights(trainer.model))
    assert any(name.endswith(f"/{key}") for name in found)


@pytest.mark.parametrize("precision", ["bfloat16", "float64"])
def test_precisions(make_trainer, precision):
    trainer = make_trainer("model=wgan_gp", *NARROW, "penalty=[gradient_penalty]", f"trainer.precision={precision}")
    trainer.take_step()
    trainer.statistics.flush()
    kept = {param.dtype for param in trainer.model.parameters()}
    assert kept == {torch.float64 if precision == "float64" else torch.float32}


@pytest.mark.parametrize(
    ("choice", "words", "weight"),
    [
        ("r1_auto", [], 2e-4 * 64 / 8),  # 8 x 8 pixels, batches of 8
        ("r1_auto_stylegan3", [], 1e-3 * 64 / 8),
        ("r1_auto", ["penalty.r1.weight=3"], 3.0),
        ("r1", ["penalty.r1.weight=auto"], 2e-4 * 64 / 8),
    ],
)
def test_an_automatic_weight_is_known_before_training(make_trainer, choice, words, weight):
    trainer = make_trainer("model=dcgan", *NARROW, f"penalty=[{choice}]", *words)
    assert trainer.penalties["r1"].weight == pytest.approx(weight)
    assert f"weight={trainer.penalties['r1'].weight}" in dict(preflight.describe(trainer))["penalties"]


def test_a_distance_between_points_is_in_the_units_of_the_data(make_trainer):
    """A critic of slope 1 in the networks' units estimates W1 there, which is `scale` times as much in the data's."""
    data = InMemory(Split(torch.randn(64, 2)), scale=4.0)
    trainer = make_trainer("model=gan", *NARROW_MLP, "loss=wasserstein", data=data)
    trainer.take_step()
    found = trainer.statistics.flush()
    gap = found["discriminator/real_logits"] - found["discriminator/fake_logits"]
    assert found["discriminator/wasserstein"] == pytest.approx(4 * gap, rel=1e-4)
