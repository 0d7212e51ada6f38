"""The entry point that looks for an image's latent: `python -m genlab.project run=outputs/... image=FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab import command
from genlab.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.metrics.extractors import Extractor
    from genlab.spec import Spec
    from genlab.trainers import Trainer

USAGE = """\
Looks for the latent of a given image, by Adam from several starts; writes way.png (the image, then the way to it),
latent.npz and distance.json, and prints the distance.

  python -m genlab.project run=outputs/wgan_gp-mnist/DATE_TIME image=seven.png
  python -m genlab.project run=outputs/... image=seven.png features=extractor steps=1000 restarts=16
  python -m genlab.project run=outputs/... image=seven.png class=7           of a conditional model; else all are tried

  run, image    a run directory, and an image file: its centred square is resized to the run's size with a
                Lanczos filter, and made grey or RGB as the run's images are; what is transparent becomes white
  steps, lr, restarts, prior, snapshots, seed                see configs/project.yaml
  features      pixels (default), or extractor: the digit classifier's features count too
  checkpoint    best (default), newest, or a number of images;  device: auto, cpu, cuda, mps
  to            a folder; by default projections/IMAGE in the run directory
"""
LEAST = {"steps": 1, "restarts": 1, "snapshots": 2}


def job(config: dict[str, Any]) -> None:
    import torch

    from genlab import runs
    from genlab.projecting import Descent, law_of

    check(config)
    trainer = runs.opened(config["run"], checkpoint=config["checkpoint"], device=config["device"])
    law = law_of(trainer.model.latent)
    target = target_of(Path(config["image"]).expanduser(), trainer.spec).to(trainer.device)
    trainer.model.requires_grad_(False)
    starts, condition = starts_of(trainer, config)
    extractor = extractor_of(config, trainer)
    with trainer.sampling() as network:
        descent = Descent(
            generate=lambda z, told: trainer.spec.crop(trainer.render(network(z, told))),
            error=error_of(target, extractor, config["features"]["weight"]),
            law=law,
            **{name: config[name] for name in ("steps", "lr", "prior", "snapshots")},
        )
        found = descent(starts.float(), condition)
    chosen = None if condition is None else condition[found.row : found.row + 1]
    with torch.no_grad():
        facts = {
            "image": str(config["image"]),
            "images": trainer.images,
            "start": distances(found.way[:1], target, extractor),
            "end": distances(found.way[-1:], target, extractor),
            "class": None if chosen is None else chosen[0].tolist(),
        }
    keep(folder_of(config, trainer), facts, torch.cat([target, found.way.clamp(-1, 1)]), z=found.z, condition=chosen)


def check(config: dict[str, Any]) -> None:
    """Raises ConfigError for numbers out of range."""
    for name, least in LEAST.items():
        if not isinstance(config[name], int) or config[name] < least:
            raise ConfigError(f"{name}={config[name]}: expected a whole number, {least} or more.")
    for name, value in {"lr": config["lr"], "prior": config["prior"], "seed": config["seed"]}.items():
        if not isinstance(value, (int, float)) or value < 0:
            raise ConfigError(f"{name}={value}: expected a number, 0 or more.")


def target_of(path: Path, spec: Spec) -> Tensor:
    """[1, C, H, W] in [-1, 1], without the data's padding. Raises ConfigError if it cannot be such an image."""
    import torch

    from genlab.data.pictures import Rule, Unusable, picture

    spec.require_images()
    if spec.channels not in (1, 3) or spec.height != spec.width:
        raise ConfigError(f"run: images are {spec.shape}; an image file gives 1 or 3 channels and a square.")
    try:
        pixels = picture(path.read_bytes(), Rule(spec.channels, spec.height - 2 * spec.padding))
    except (OSError, Unusable) as error:
        raise ConfigError(
            f"image={path}: cannot be read: {error}. Give a PNG, JPEG, BMP, GIF, WEBP or TIFF."
        ) from error
    return torch.from_numpy(pixels.copy())[None].float() / 127.5 - 1


def starts_of(trainer: Trainer, config: dict[str, Any]) -> tuple[Tensor, Tensor | None]:
    """Latents [restarts x classes, ...] of the law, and the condition of each."""
    from genlab.random import Draws

    count, told = config["restarts"], conditions(trainer, config["class"])
    draws = Draws((config["seed"], "projection"), count, 0, count, trainer.device)
    z = trainer.model.latent.draw(draws)
    if told is None:
        return z, None
    return z.repeat(len(told), *[1] * (z.ndim - 1)), told.repeat_interleave(count, 0)


def conditions(trainer: Trainer, asked: Any) -> Tensor | None:
    """Those to try, [K] or [1, attributes]; None: it is told none. Raises ConfigError if there is no such class."""
    import torch

    spec = trainer.spec
    if not trainer.model.conditional:
        if asked is not None:
            raise ConfigError(f"class={asked}: this model is told no class. Leave it out.")
        return None
    if spec.source:
        raise ConfigError(
            f"{trainer.run_dir}: this model makes an image from a picture, so there is no latent to search for. Use "
            "python -m genlab.sample mode=translate input=PICTURE."
        )
    if spec.classes:
        if asked is not None and (not isinstance(asked, int) or not 0 <= asked < spec.classes):
            raise ConfigError(f"class={asked}: expected 0 to {spec.classes - 1}, or null to try all.")
        return torch.arange(spec.classes, device=trainer.device)[slice(None) if asked is None else [asked]]
    if not isinstance(asked, list) or len(asked) != spec.attributes:
        raise ConfigError(
            f"class={asked}: this model is told {spec.attributes} attributes; give as many: class=[0,1,...]."
        )
    return torch.tensor([asked], dtype=torch.float32, device=trainer.device)


def extractor_of(config: dict[str, Any], trainer: Trainer) -> Extractor | None:
    """None if it does not read such images. Raises ConfigError then, if features are to count."""
    from genlab import build

    features = config["features"]
    extractor = build.make(build.checked(features["extractor"], "features.extractor", config), "features.extractor")
    try:
        extractor.check(trainer.spec)
    except ConfigError as error:
        if features["weight"]:
            raise ConfigError(f"features: {error} Here: features=pixels.") from error
        return None
    return extractor.to(trainer.device)


def error_of(target: Tensor, extractor: Extractor | None, weight: float) -> Any:
    """images [N, C, H, W] -> mean squared error of pixels, and `weight` times that of features, [N]."""
    if not weight:
        return lambda images: (images - target).square().flatten(1).mean(1)
    wanted = extractor.slope(target).detach()

    def error(images: Tensor) -> Tensor:
        pixels = (images - target).square().flatten(1).mean(1)
        return pixels + weight * (extractor.slope(images) - wanted).square().mean(1)

    return error


def distances(images: Tensor, target: Tensor, extractor: Extractor | None) -> dict[str, float | None]:
    """Euclidean, of the images as they would be saved: in pixels in [-1, 1], and in features."""
    images = images.clamp(-1, 1)
    features = None if extractor is None else float((extractor(images) - extractor(target)).norm())
    return {"pixels": float((images - target).norm()), "features": features}


def folder_of(config: dict[str, Any], trainer: Trainer) -> Path:
    folder = Path(config["to"] or trainer.run_dir / "projections" / Path(config["image"]).stem).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"to={folder}: cannot be made a folder ({error}). Choose another: to=FOLDER.") from error
    return folder


def keep(folder: Path, facts: dict[str, Any], images: Tensor, **latent: Tensor | None) -> None:
    import numpy as np

    from genlab.callbacks.grid import sheet, to_uint8, write_png

    write_png(sheet(to_uint8(images), len(images)), folder / "way.png")
    np.savez(
        folder / "latent.npz", **{name: value.cpu().numpy() for name, value in latent.items() if value is not None}
    )
    (folder / "distance.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    for name, value in facts["end"].items():
        if value is not None:
            print(f"{name:<9} {value:.4g} (at the start {facts['start'][name]:.4g})")
    print(f"{'class':<9} {facts['class']}\n" * (facts["class"] is not None) + str(folder / "way.png"))


if __name__ == "__main__":
    sys.exit(command.main("project", USAGE, job, sys.argv[1:]))
