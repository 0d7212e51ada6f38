"""Advice on choices that are allowed and usually regretted; never an error."""

from collections.abc import Callable

import torch

from genlab.callbacks.health_advice import PUBLISHED_CLIP
from genlab.callbacks.scores import Scores
from genlab.models.contract import is_unbounded
from genlab.models.layer_contract import has_batch_norm
from genlab.trainers.callback import callbacks_of
from genlab.trainers.system import bounds_critic
from genlab.trainers.trainer import Trainer

Rule = Callable[[Trainer], str | None]

MIN_BATCH_NORM_SIZE = 32  # images a batch
MIN_IMAGES = 5_000  # Karras et al. 2020 (ADA), figure 1: below some thousands a discriminator memorises
MIN_STEPS_PER_EPOCH = 10
MIN_CLIP = PUBLISHED_CLIP / 4  # of a critic's weights; with a tenth, gradients are below 1e-3
MAX_RATE = 1.0  # learning rates above it are typing mistakes
MIN_RATE_RATIO = 0.8  # of the discriminator's learning rate to the generator's: StyleGAN3's, as published


def advice(trainer: Trainer) -> list[str]:
    """Return a sentence for each rule that a run breaks, after what its data say of their files."""
    rules = [*RULES, *(ADVERSARIAL_RULES if "discriminator" in trainer.players else [])]
    return [*trainer.data.notes.advice, *(line for rule in rules if (line := rule(trainer)))]


def small_batch_with_batch_norm(trainer: Trainer) -> str | None:
    if trainer.batch_size >= MIN_BATCH_NORM_SIZE or not has_batch_norm(trainer.model):
        return None
    choice = f"trainer.batch_size={trainer.batch_size} with batch normalisation"
    return f"{choice}: its statistics are noisy below {MIN_BATCH_NORM_SIZE}."


def idle_player(trainer: Trainer) -> str | None:
    idle = [name for name, player in trainer.players.items() if not player.optimizer.param_groups[0]["lr"]]
    return f"optimizer.{idle[0]}.lr=0: the {idle[0]} will learn nothing." if idle else None


def steep_rate(trainer: Trainer) -> str | None:
    rates = {name: float(player.optimizer.param_groups[0]["lr"]) for name, player in trainer.players.items()}
    steep = [f"optimizer.{name}.lr={rate:g}" for name, rate in rates.items() if rate > MAX_RATE]
    return f"{' and '.join(steep)}: so large a step diverges; usual rates are 1e-5 to 1e-2." if steep else None


def slow_discriminator(trainer: Trainer) -> str | None:
    rates = {name: float(player.optimizer.param_groups[0]["lr"]) for name, player in trainer.players.items()}
    generator, discriminator = rates.get("generator"), rates.get("discriminator")
    if generator is None or discriminator is None or discriminator >= MIN_RATE_RATIO * generator:
        return None
    return (
        f"optimizer.discriminator.lr={discriminator:g} is below the generator's {generator:g}: where the two differ, "
        "the discriminator is to be the faster one (Heusel et al. 2017)."
    )


def saturating_loss_at_one_rate(trainer: Trainer) -> str | None:
    rates = {name: player.optimizer.param_groups[0]["lr"] for name, player in trainer.players.items()}
    if not trainer.loss.saturates or rates.get("generator") != rates["discriminator"]:
        return None
    return (
        f"{type(trainer.loss).__name__} teaches the generator nothing where the discriminator is sure, and both learn "
        f"at {rates['discriminator']:g}: choose loss=non_saturating, or lower optimizer.discriminator.lr "
        "(Goodfellow et al. 2014, section 3)."
    )


def narrow_clipping(trainer: Trainer) -> str | None:
    clip = trainer.clip_weights
    if clip is None or clip >= MIN_CLIP:
        return None
    return (
        f"trainer.clip_weights={clip:g} is far below the published {PUBLISHED_CLIP}: the critic's slope is a product "
        "of such weights, and hardly any gradient is left for the generator."
    )


def clipping_and_penalty(trainer: Trainer) -> str | None:
    if trainer.clip_weights is None or not trainer.penalties:
        return None
    return (
        f"trainer.clip_weights={trainer.clip_weights} and penalty=[{','.join(trainer.penalties)}] both hold the "
        "critic's slope down: one of them is enough (trainer.clip_weights=null or penalty=[])."
    )


def few_images_without_augmentation(trainer: Trainer) -> str | None:
    images = trainer.spec.images
    if images >= MIN_IMAGES or trainer.augmentations or trainer.spec.has_source:  # augmentation would move images alone
        return None
    return f"{images:,} images without augmentation: the discriminator will soon know them by heart."


def unbounded_output(trainer: Trainer) -> str | None:
    if "discriminator" not in trainer.players or is_unbounded(trainer.model.generator):
        return None
    low, high = trainer.samples.draw_samples(0, 8).aminmax()
    if low >= -1.001 and high <= 1.001:
        return None
    return (
        f"the generator's images span {low:.3g} to {high:.3g}, the data's -1 to 1: end the generator with tanh, "
        "or the discriminator tells them apart by range alone."
    )


def slow_bfloat16(trainer: Trainer) -> str | None:
    has_amx = getattr(torch.cpu, "_is_amx_tile_supported", None)  # private: absent before torch 2.6
    autocasts = trainer.device.type == "cpu" and trainer.engine.autocast is not None
    if not autocasts or has_amx is None or has_amx():
        return None
    return "trainer.precision=bfloat16 on a CPU without AMX is slower than float32 (0.5 to 0.8 times as fast)."


def unbounded_critic(trainer: Trainer) -> str | None:
    if not trainer.loss.needs_lipschitz or bounds_critic(trainer.system, trainer.clip_weights):
        return None
    # a gradient penalty refuses a discriminator with batch normalisation
    penalty = "" if has_batch_norm(trainer.players["discriminator"].module) else "penalty=[gradient_penalty] or "
    return (
        f"{type(trainer.loss).__name__} needs a critic of bounded slope and nothing bounds it: add "
        f"{penalty}trainer.clip_weights={PUBLISHED_CLIP}."
    )


def penalty_with_batch_norm(trainer: Trainer) -> str | None:
    names = [name for name, penalty in trainer.penalties.items() if penalty.per_sample_gradient]
    if not names or not has_batch_norm(trainer.players["discriminator"].module):
        return None
    return (
        f"penalty=[{','.join(names)}] measures each sample's own slope, and batch normalisation mixes the samples of "
        "a batch: choose layer or instance normalisation for the discriminator."
    )


def no_ema(trainer: Trainer) -> str | None:
    if trainer.ema is not None:
        return None
    return (
        "no EMA of the generator: samples and scores follow its last few steps. Average them: "
        "'trainer.ema={_target_: genlab.trainers.EMA, _partial_: true, halflife: 10000}' (images)."
    )


def short_run(trainer: Trainer) -> str | None:
    if trainer.total_images >= trainer.spec.images:
        return None
    return (
        f"trainer.images={trainer.total_images:,} is less than one epoch ({trainer.spec.images:,}): some images are "
        "never seen."
    )


def unfinished_growth(trainer: Trainer) -> str | None:
    needed = trainer.images_to_full_size
    if needed <= trainer.total_images:
        return None
    return (
        f"trainer.images={trainer.total_images:,}: the networks reach their full size after {needed:,} images. "
        "Raise it, or lower trainer.stage_images."
    )


def few_score_images(trainer: Trainer) -> str | None:
    found = [line for scores in callbacks_of(trainer, Scores) for line in scores.evaluation.advice(trainer.data)]
    return " ".join(found) or None


def batch_near_data(trainer: Trainer) -> str | None:
    batch, images = trainer.batch_size, trainer.spec.images
    if batch * MIN_STEPS_PER_EPOCH <= images:
        return None
    choice = f"trainer.batch_size={batch:,} of {images:,} images"
    return f"{choice}: under {MIN_STEPS_PER_EPOCH} steps an epoch; try a smaller one."


RULES: list[Rule] = [
    idle_player,
    steep_rate,
    small_batch_with_batch_norm,
    slow_bfloat16,
    short_run,
    unfinished_growth,
    few_score_images,
    batch_near_data,
]
ADVERSARIAL_RULES: list[Rule] = [  # of systems with a discriminator
    slow_discriminator,
    saturating_loss_at_one_rate,
    narrow_clipping,
    clipping_and_penalty,
    few_images_without_augmentation,
    unbounded_output,
    unbounded_critic,
    penalty_with_batch_norm,
    no_ema,
]
