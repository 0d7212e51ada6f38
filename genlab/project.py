"""The entry point that looks for an image's latent: `python -m genlab.project run=outputs/... image=FILE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab.cli import command
from genlab.core.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.metrics.extractors.extractor import Extractor
    from genlab.trainers.sample_stream import TrainedRun

USAGE = """\
Looks for the latent of a given image, by Adam from several starts and then by L-BFGS from the best; writes way.png
(the image, then the way to it), latent.npz and distance.json, and prints the distance.

  python -m genlab.project run=outputs/wgan_gp-mnist/DATE_TIME image=seven.png
  python -m genlab.project run=outputs/... image=seven.png features=extractor steps=1000 restarts=16
  python -m genlab.project run=outputs/... image=seven.png class=7           of a conditional model; else all are tried

  run, image    a run directory, and an image file: its centred square is resized to the run's size with a
                Lanczos filter, and made grey or RGB as the run's images are; what is transparent becomes white
  steps, lr, polish, restarts, candidates, prior, snapshots, seed    see configs/project.yaml
  features      pixels (default), or extractor: the features of the run's scores count too
  checkpoint    best (default; the newest if no scores were measured), newest, or a number of images
  device        auto (default), cpu, cuda, mps
  to            a folder; by default projections/IMAGE in the run directory
"""


def job(config: dict[str, Any]) -> None:
    import torch

    from genlab.build import runs
    from genlab.projecting import (
        LatentSearch,
        conditions,
        distances,
        error_of,
        load_target,
        refuse_ignored_prior,
        require_searchable,
        starts_of,
    )

    options = {"device": config["device"], "trust": config["trust"], "named": config["data"]}
    run = runs.open_run(config["run"], checkpoint=runs.best_unless(config["checkpoint"], config["run"]), **options)
    law = require_searchable(run.model.latent)
    target = load_target(Path(config["image"]).expanduser(), run.spec).to(run.device)
    run.model.requires_grad_(False)
    tried, count = conditions(run, config["class"]), config["restarts"]
    starts, condition = starts_of(run, tried, count=count * config["candidates"], seed=config["seed"])
    refuse_ignored_prior(config["prior"], law, starts)
    extractor = extractor_of(config, run)
    with run.sampling() as network:
        descent = LatentSearch(
            generate=lambda z, given: run.spec.crop(run.render(network(z, given))),
            error=error_of(target, extractor, config["features"]["weight"]),
            law=law,
            **search_options(config),
        )
        rows = descent.nearest_starts(starts, condition, groups=1 if tried is None else len(tried), count=count)
        found = descent(starts[rows], None if condition is None else condition[rows])
    chosen = None if condition is None else condition[rows][found.row : found.row + 1]
    with torch.no_grad():
        facts = {
            "image": str(config["image"]),
            "images": run.images,
            "start": distances(found.frames[:1], target, extractor),
            "end": distances(found.frames[-1:], target, extractor),
            "class": None if chosen is None else chosen[0].tolist(),
            "class_name": class_name(run, chosen),
        }
    images = torch.cat([target, found.frames.clamp(-1, 1)])
    write_results(folder_of(config, run), facts, images, z=found.z, condition=chosen)


def search_options(config: dict[str, Any]) -> dict[str, Any]:
    """Return the options of the search that are given."""
    names = ("steps", "lr", "polish", "prior", "snapshots")
    return {name: config[name] for name in names if config[name] is not None}


def class_name(run: TrainedRun, chosen: Tensor | None) -> str | None:
    """Return the name of the class found, or of its attributes, if they have names."""
    condition = run.spec.condition
    if chosen is None or condition is None or not condition.label_names:
        return None
    return condition.caption(chosen[0])


def extractor_of(config: dict[str, Any], run: TrainedRun) -> Extractor | None:
    """Build the extractor; None if it does not read such images. Raises ConfigError then if features have a weight."""
    from genlab.build import instantiate as build
    from genlab.build.run_extractor import extractor_of_run
    from genlab.metrics.extractors.extractor import Extractor

    features = config["features"]
    node = features["extractor"] or extractor_of_run(run.run_dir, config["trust"])
    node = build.check_node(node, "features.extractor")
    extractor = build.make_kind(node, Extractor, "features.extractor")
    try:
        extractor.check(run.spec)
    except ConfigError as error:
        if features["weight"]:
            raise ConfigError(f"features: {error} Here: features=pixels.") from error
        return None
    return extractor.to(run.device)


def folder_of(config: dict[str, Any], run: TrainedRun) -> Path:
    from genlab.core.run_links import own_folder
    from genlab.sampling.output_paths import make_folder

    if config["to"]:
        return make_folder(Path(config["to"]).expanduser())
    return make_folder(own_folder(run.run_dir, "projections", Path(config["image"]).stem))


def write_results(folder: Path, facts: dict[str, Any], images: Tensor, **latent: Tensor | None) -> None:
    import numpy as np

    from genlab.core.pixels import to_uint8
    from genlab.core.printable import printable
    from genlab.core.whole_files import drop_link, write_atomically
    from genlab.pictures.sheet import sheet, write_png

    write_png(sheet(to_uint8(images), len(images)), folder / "way.png")
    arrays: dict[str, Any] = {name: value.cpu().numpy() for name, value in latent.items() if value is not None}
    np.savez(drop_link(folder / "latent.npz"), **arrays)
    write_atomically(folder / "distance.json", (json.dumps(facts, indent=2) + "\n").encode())
    for name, value in facts["end"].items():
        if value is not None:
            print(f"{name:<9} {value:.4g} (at the start {facts['start'][name]:.4g})")
    found = printable(str(facts["class_name"] or facts["class"] or ""))
    print(f"{'class':<9} {found}\n" * (found != "") + str(folder / "way.png"))


def main(arguments: list[str]) -> int:
    return command.main("project", USAGE, job, arguments)


if __name__ == "__main__":
    command.start(main)
