"""Runs that `results.py` trains, and the columns of its tables."""

from __future__ import annotations

from dataclasses import dataclass

SCORE_AT_END = "metrics.every=1_000_000_000"
MNIST = f"trainer.max_time=175 metrics=full {SCORE_AT_END}"
POINTS_RUN = f"trainer.max_time=175 {SCORE_AT_END}"
STACKED_RUN = f"trainer.max_time=600 {SCORE_AT_END}"
TABLES = {  # columns, and whether less of the first is better
    "mnist": (["fid", "precision", "recall", "density", "coverage", "accuracy", "test_accuracy"], True),
    "ring8": (["modes", "high_quality", "w1", "mmd2", "kl", "reverse_kl", "js"], False),
    "grid25": (["modes", "high_quality", "w1", "mmd2", "kl", "reverse_kl", "js"], False),
    "divergences": (["kl", "reverse_kl", "js", "modes", "high_quality"], True),
    "stacked_mnist": (["modes", "reverse_kl"], False),
}

SUMMARY = (  # the rows of the front page's table, and its columns
    ["fid", "precision", "recall", "coverage", "accuracy"],
    ["sngan_conditional", "biggan", "cgan", "acgan", "cvae", "non_saturating_r1", "wgan_gp", "vae", "sngan", "gan"]
    + ["dcgan", "pca"],
)


@dataclass(frozen=True)
class Row:
    name: str
    command: str  # the words that the table shows
    table: str = "mnist"
    extra: str = ""  # how the run is measured, and how long it may take
    seeds: tuple[int, ...] = (0,)

    @property
    def words(self) -> list[str]:
        return [*self.command.split(), *self.extra.split()]


def mnist_row(name: str, words: str = "", *, seeds: int = 1, model: str | None = None) -> Row:
    return Row(name, f"model={model or name} {words}".strip(), extra=f"data=mnist {MNIST}", seeds=tuple(range(seeds)))


TUNED = (
    "model.generator.norm=none model.generator.widths=[128,128,128,128] model.discriminator.widths=[128,128,128] "
    "model.latent.size=2 penalty=[r1] penalty.r1.weight=0.02 penalty.r1.every=4 optimizer=adam_fast "
    "trainer.batch_size=128 trainer.images=4_200_000"
)
COVERING = (  # a small generator under each divergence: a picture of the results page
    "model=gan data=ring8 data.std=0.1 model.generator.norm=none model.generator.widths=[64,64] model.latent.size=2 "
    "model.discriminator.widths=[128,128] optimizer.discriminator.lr=1e-3 trainer.batch_size=256 "
    "trainer.images=1_000_000"
)
DCGAN = "model.generator.width=32 model.discriminator.width=32"
ROWS = [  # runs with a decaying rate set trainer.images, about three minutes' worth
    mnist_row("vae", seeds=3),
    mnist_row("gan", seeds=3),
    mnist_row("dcgan", DCGAN, seeds=3),
    mnist_row("wgan_gp", "trainer.images=120_000", seeds=3),
    mnist_row(
        "non_saturating_r1",
        "loss=non_saturating penalty=[r1] penalty.r1.weight=1 trainer.images=150_000",
        model="wgan_gp",
    ),
    mnist_row("sngan", "trainer.images=45_000", seeds=3),
    mnist_row("r3gan", "penalty.r1.every=4 penalty.r2.every=4 trainer.images=50_000", seeds=3),
    mnist_row("pca"),
    mnist_row("cgan"),
    mnist_row("acgan", "trainer.images=100_000"),
    mnist_row("cvae"),
    mnist_row("vqvae"),
    mnist_row("aae"),
    mnist_row("autoencoder"),
    mnist_row("lsgan", DCGAN),
    mnist_row("dragan", f"{DCGAN} trainer.images=120_000"),
    mnist_row("wgan", DCGAN),
    mnist_row("infogan"),
    Row("semi_supervised_gan", "model=semi_supervised_gan", extra=MNIST),
    mnist_row("sngan_conditional", "model.conditional=true trainer.images=60_000", model="sngan"),
    mnist_row("sagan", "trainer.batch_size=32 trainer.images=42_000"),
    mnist_row("biggan", "trainer.batch_size=32 trainer.images=32_000"),
    mnist_row("cgan_conv"),
    mnist_row("vae_gan"),
    mnist_row("vae_conv"),
    mnist_row("beta_vae"),
    mnist_row("denoising_autoencoder"),
    mnist_row("autoencoder_conv"),
    mnist_row("linear_autoencoder"),
    mnist_row("ebgan"),
    mnist_row("began", "trainer.batch_size=16"),
    mnist_row("mmd_gan", DCGAN),
    mnist_row("fgan", DCGAN),
    mnist_row("multi_gan"),
    mnist_row("gan_minimal"),
    mnist_row("unrolled_gan"),
    mnist_row("biggan_deep", "trainer.batch_size=32 trainer.images=15_000"),
    *[
        Row(f"{data}_{name}", f"model={model} data={data} {words}".strip(), data, POINTS_RUN)
        for data in ("ring8", "grid25")
        for name, model, words in [
            ("gan", "gan", "model.generator.norm=none"),
            ("unrolled_gan", "unrolled_gan", ""),
            (
                "wgan_gp",
                "gan",
                "model.generator.norm=none loss=wasserstein penalty=[gradient_penalty] optimizer=adam_wgan_gp "
                "trainer=alternating_5 trainer.images=1_200_000",
            ),
            ("r1", "gan", "model.generator.norm=none penalty=[r1] penalty.r1.weight=1 penalty.r1.every=1"),
            ("tuned", "gan", TUNED),
        ]
    ],
    *[
        Row(f"divergences_{loss}", f"loss={loss} {COVERING}", "divergences", f"trainer.max_time=100 {SCORE_AT_END}")
        for loss in ("kl", "jensen_shannon", "reverse_kl")
    ],
    Row("stacked_dcgan", f"model=dcgan data=stacked_mnist {DCGAN}", "stacked_mnist", STACKED_RUN),
    Row(
        "stacked_r1",
        "model=wgan_gp data=stacked_mnist loss=non_saturating penalty=[r1] penalty.r1.weight=1 trainer.images=300_000",
        "stacked_mnist",
        STACKED_RUN,
    ),
    Row(
        "stacked_pairing",
        "model=wgan_gp data=stacked_mnist loss=relativistic_pairing penalty=[r1,r2] penalty.r1.weight=1 "
        "penalty.r2.weight=1 penalty.r1.every=4 penalty.r2.every=4 trainer=alternating trainer.images=200_000",
        "stacked_mnist",
        STACKED_RUN,
    ),
]
