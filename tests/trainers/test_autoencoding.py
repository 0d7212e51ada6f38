"""What an autoencoder's step minimises."""

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from genlab.build import instantiate as build
from genlab.core import checkpoint
from genlab.core.errors import ConfigError
from genlab.data import InMemory, Split
from genlab.trainers.turns import micro_batches
from tests.conftest import TINY, composed

DENSE = ("model.encoder.widths=[8]", "model.decoder.widths=[8]", "trainer.precision=float64")
VQ = ("model=vqvae", "model.encoder.width=4", "model.decoder.width=4", "model.size=6", "model.number=16")


def measured(trainer):
    """The losses of the next turn, and its draws."""
    (draws,) = micro_batches(trainer.phase, trainer.players["autoencoder"], trainer.engine)
    return trainer.compute_losses(trainer.phase, draws), draws


def test_the_elbo_is_the_sum_of_its_parts(make_trainer):
    """Kingma and Welling 2014, equation 10, written with torch.distributions."""
    trainer = make_trainer("model=vae", *DENSE)
    losses, draws = measured(trainer)
    images = trainer.stream.batch("autoencoder", 0, draws)
    mean, log_variance = trainer.model.encoder(images).chunk(2, 1)
    posterior = Normal(mean, (log_variance / 2).exp())
    z = mean + posterior.scale * draws.normal("posterior", trainer.model.latent.size)
    pixels = (images + 1) / 2
    decoder = Bernoulli(logits=trainer.model.decoder(z), validate_args=False)
    reconstruction = -decoder.log_prob(pixels).flatten(1).sum(1)
    kl = kl_divergence(posterior, Normal(torch.zeros(()).double(), torch.ones(()).double())).sum(1)
    torch.testing.assert_close(losses.terms["reconstruction"], reconstruction)
    torch.testing.assert_close(losses.stats["kl"], kl)
    torch.testing.assert_close(losses.stats["elbo"], -reconstruction - kl)
    torch.testing.assert_close(losses.terms["divergence"], kl)


def test_a_loss_that_is_no_likelihood_has_no_elbo(make_trainer):
    losses, _ = measured(make_trainer("model=vae", *DENSE, "loss=squared_error"))
    assert losses.stats.keys() == {"kl"}


def spread_points(scale=4.0):
    rows = torch.randn(64, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([3.0, 0.5])
    return InMemory(Split(rows), scale=scale, name="points")


@pytest.mark.parametrize("loss", ["squared_error", "gaussian"])
def test_errors_on_points_are_published_in_the_units_of_the_data(make_trainer, loss):
    """What is minimised is that of the networks' units; the density is written with torch.distributions."""
    trainer = make_trainer("model=vae", *DENSE, f"loss={loss}", data=spread_points())
    losses, draws = measured(trainer)
    seen = trainer.stream.batch("autoencoder", 0, draws)
    z = trainer.model.posterior(seen).sample(draws.normal("posterior", trainer.model.latent.size))
    real, again = 4 * seen, 4 * trainer.model.decoder(z)
    square = (real - again).square().sum(1)
    expected = square if loss == "squared_error" else -Normal(again, 4.0).log_prob(real).sum(1)
    torch.testing.assert_close(losses.stats["reconstruction"], expected)
    if loss == "gaussian":
        torch.testing.assert_close(losses.stats["elbo"], -expected - losses.stats["kl"])
    else:
        torch.testing.assert_close(losses.terms["reconstruction"], square / 16)
    trainer.take_turn(trainer.phase)
    published = trainer.statistics.flush()["autoencoder/reconstruction"]
    assert published == pytest.approx(expected.mean().item(), rel=1e-5)


def test_beta_and_warm_up_weigh_the_divergence_alone(make_trainer):
    trainer = make_trainer("model=beta_vae", *DENSE, "trainer.kl_warmup=32")
    for seen, weight in ((0, 0.0), (8, 1.0), (32, 4.0), (64, 4.0)):
        trainer.images = seen
        losses, _ = measured(trainer)
        torch.testing.assert_close(losses.terms["divergence"], weight * losses.stats["kl"])


def test_free_bits_bound_the_divergence_from_below(make_trainer):
    trainer = make_trainer("model=vae", *DENSE, "trainer.free_bits=2.0", "model.latent.size=3")
    losses, _ = measured(trainer)
    assert losses.terms["divergence"].mean().item() == pytest.approx(6.0)
    assert losses.stats["kl"].mean() < 6.0


def test_a_denoiser_is_shown_noise_and_asked_for_the_image(make_trainer):
    trainer = make_trainer("model=denoising_autoencoder", *DENSE)
    shown, encode = [], trainer.encode
    trainer.encode = lambda images, *rest: shown.append(images) or encode(images, *rest)
    losses, draws = measured(trainer)
    images = trainer.stream.batch("autoencoder", 0, draws)
    assert (shown[0] - images).std() == pytest.approx(0.5, rel=0.1)
    output = trainer.model.decoder(trainer.model.codes(shown[0]))
    torch.testing.assert_close(losses.terms["reconstruction"], trainer.loss.reconstruction(output, images))


def test_a_linear_autoencoder_learns_what_pca_computes(make_trainer):
    """Baldi and Hornik 1989: the same error, the same subspace."""
    data, size = smooth_data(), ("model.latent.size=4", "trainer.precision=float64")
    pca = make_trainer("model=pca", *size, "trainer.images=256", data=data)
    pca.fit()
    linear = make_trainer(
        "model=linear_autoencoder", *size, "trainer.images=200_000", "trainer.batch_size=128",
        "optimizer.autoencoder.lr=0.02", "optimizer.schedule._target_=genlab.trainers.Cosine", data=data,
    )  # fmt: skip
    linear.fit()
    images = data.train.images.double() / 127.5 - 1
    errors = [(model.generator(model.codes(images)) - images).square().mean() for model in (pca.model, linear.model)]
    assert errors[0] <= errors[1] * (1 + 1e-9)
    torch.testing.assert_close(errors[1], errors[0], rtol=1e-3, atol=0)
    learned = torch.linalg.qr(linear.model.decoder.layers[0].weight).Q  # the decoder's columns span the subspace
    cosines = torch.linalg.svdvals(pca.model.components @ learned)  # of the principal angles
    assert cosines.min() > 0.999


def smooth_data():
    """Images of a few cosines, so that few components matter."""
    source = torch.Generator().manual_seed(0)
    places = torch.arange(8) / 8
    waves = torch.stack([torch.cos(torch.pi * k * places) for k in range(6)])
    strengths = torch.randn(256, 6, 6, generator=source) * 0.5 ** torch.arange(6)[:, None] * 0.6 ** torch.arange(6)
    pixels = torch.einsum("nij,ix,jy->nxy", strengths, waves, waves) * 30 + 128
    return InMemory(Split(pixels.round().clamp(0, 255).to(torch.uint8).unsqueeze(1)))


def test_quantised_codes_are_the_decoders_input(make_trainer):
    trainer = make_trainer(*VQ, "trainer.precision=float64")
    trainer.take_step()
    entries = trainer.model.codebook.entries.clone()
    losses, draws = measured(trainer)
    latents = trainer.model.encoder(trainer.stream.batch("autoencoder", 8, draws)).detach()
    nearest = (latents.movedim(1, -1).unsqueeze(-2) - entries).norm(dim=-1).min(-1).values
    expected = 0.25 * nearest.square().flatten(1).sum(1)
    torch.testing.assert_close(losses.terms["commitment"], expected)


def test_a_resumed_codebook_is_the_same(make_trainer, tmp_path):
    whole, first, second = (make_trainer(*VQ) for _ in range(3))
    for trainer, steps in ((whole, 6), (first, 3)):
        for _ in range(steps):
            trainer.take_step()
    path = tmp_path / "1.pt"
    checkpoint.save(path, first.parts, config=first.config, fingerprint=first.data.fingerprint)
    checkpoint.load(second.parts, checkpoint.read(path)["parts"])
    for _ in range(3):
        second.take_step()
    states = [trainer.model.state_dict() for trainer in (whole, second)]
    assert "codebook.sums" in states[0]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_pixels_likelihood_is_not_that_of_points(tmp_path):
    config = composed(*TINY, "model=vae", "data=ring8")
    with pytest.raises(ConfigError, match="the data are points: loss=gaussian"):
        build.trainer(config, tmp_path)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (("model=vae", "loss=hinge"), "Choose loss=bernoulli"),
        (("model=dcgan", "loss=bernoulli"), "loss=non_saturating"),
        (("model=vae", "penalty=[r1]"), "penalty=r1 is for a discriminator, and this model has none"),
        (("model=vae", "trainer=alternating"), "Alternating moves discriminator and generator"),
        (("model=dcgan", "trainer=autoencoding"), "Choose an adversarial one|moves autoencoder|Choose loss"),
        (("model=autoencoder", "trainer=variational"), "gives no distribution"),
        (("model=vae", "trainer=vector_quantising"), "no codebook"),
        (("model=vae", "trainer=closed_form", "loss=squared_error"), "no closed form"),
        (("model=pca", "loss=gaussian"), "loss=squared_error alone"),
        (("model=vae", "optimizer=adam"), "the model's players are"),
        (("model=vae", "augment=[diffaugment]"), "augment=diffaugment is for a discriminator"),
    ],
)
def test_what_does_not_go_together_is_one_message(make_trainer, overrides, words):
    with pytest.raises(ConfigError, match=words):
        make_trainer(*overrides)
