"""What a health warning says: the finding, its cause and the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genlab.callbacks.health_rules import Reading

PUBLISHED_CLIP = 0.01  # of a critic's weights: Arjovsky et al. 2017


def describe_idle(reading: Reading) -> str:
    """Return the cause and the remedy where a player's learning rate is 0; "" elsewhere."""
    player = reading.settings.idle_player
    return f"Nothing is learnt at optimizer.{player}.lr=0: raise it." if player else ""


def calm_down(reading: Reading) -> str:
    return describe_idle(reading) or ("Lower the learning rates, or set trainer.clip_gradients.")


def describe_posterior_collapse(nats: float) -> str:
    """Bowman et al. 2016, section 3: the decoder ignores the latent, and the divergence costs nothing."""
    words = f"The posterior collapsed: the latent tells {nats:.2g} nats of an image, and the decoder ignores it"
    remedies = "Lower trainer.beta, let it rise slowly (trainer.kl_warmup), or set trainer.free_bits"
    return f"{words}. {remedies}; under loss=gaussian a smaller loss.deviation has the same effect."


def describe_collapse(alike: str, reading: Reading) -> str:
    idle = describe_idle(reading)
    if reading.settings.adversarial:
        remedy = idle or "Lower its learning rate, or try, in a new run, model=wgan_gp or another penalty."
        return f"The generator collapsed: {alike}. {remedy}"
    return f"The decoder collapsed: {alike}. {idle or 'Lower its learning rate (optimizer.autoencoder.lr).'}"


def describe_missing(classes: str, reading: Reading) -> str:
    """Return words on classes without a sample: a generator loses them, a decoder has not learnt them yet."""
    if idle := describe_idle(reading):
        return f"Classes are missing: no sample shows {classes}. {idle}"
    if reading.settings.adversarial:
        return f"The generator lost classes: no sample shows {classes}."
    remedy = "Train longer (trainer.images), or lower trainer.beta."
    return f"The decoder lacks classes: no sample shows {classes}. {remedy}"


def describe_victory(margin: float, reading: Reading) -> str:
    flipped, lowest = reading.settings.flipped, reading.settings.lowest_loss
    expecting = f" ({lowest:.2g}, as {flipped:.0%} of the labels are flipped)" if flipped else ""
    words = f"the discriminator won, its loss is {margin:.2g} above its lowest{expecting}"
    return f"{words} and it has little left to teach. {slow_down_discriminator(reading.published)}"


def describe_vanished(norm: float, reading: Reading) -> str:
    before = f", {reading.steepest:.2g} before" if reading.steepest > norm else ""
    words = f"the generator's gradient vanished, its norm is {norm:.2g}{before}"
    return f"{words}. {strengthen_gradient(reading)}"


def describe_separation(separation: float, reading: Reading) -> str:
    words = f"the discriminator won, real and generated images' logits lie {separation:.2g} times their spread apart"
    return f"{words}. {slow_down_discriminator(reading.published)}"


def describe_standstill(reading: Reading) -> str:
    moved, other = (reading.measured.get(f"{name}_moved", 0.0) for name in ("generator", "discriminator"))
    words = "the generator stands still, since the last look its weights changed by"
    return f"{words} {moved:.2g} of their length, the discriminator's by {other:.2g}. {speed_up_generator(reading)}"


def speed_up_generator(reading: Reading) -> str:
    norm = reading.published.get("generator/gradient_norm")
    gradient = "" if norm is None else f" The norm of the generator's gradient is {norm:.2g}."
    return describe_idle(reading) or f"{slow_down_discriminator(reading.published)}{gradient}"


def slow_down_discriminator(published: dict[str, float]) -> str:
    generator, discriminator = published.get("generator/lr"), published.get("discriminator/lr")
    penalty = "or add a penalty in a new run (penalty=[r1])"
    if generator is None or discriminator is None:
        return f"Lower optimizer.discriminator.lr, {penalty}."
    if generator == discriminator:
        return f"Both players learn at {generator:.3g}: lower optimizer.discriminator.lr alone, {penalty}."
    rates = f"it learns at {discriminator:.3g}, the generator at {generator:.3g}"
    if not generator:
        return f"Raise optimizer.generator.lr ({rates})."
    return f"Lower optimizer.discriminator.lr or raise optimizer.generator.lr ({rates}), {penalty}."


def strengthen_gradient(reading: Reading) -> str:
    clip = reading.settings.clip_weights
    if clip is None:
        return slow_down_discriminator(reading.published)
    widen = f"widen it ({PUBLISHED_CLIP} as published)" if clip < PUBLISHED_CLIP else "change it"
    return (
        f"Weights clipped at trainer.clip_weights={clip:g} leave the critic almost no slope: {widen}, or choose "
        "trainer.clip_weights=null penalty=[gradient_penalty] in a new run."
    )
