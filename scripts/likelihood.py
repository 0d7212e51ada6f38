"""Estimate the negative log-likelihood of test images under a trained VAE by importance sampling (Burda et al. 2016).

python -m genlab.train experiment=vae_nll hydra.run.dir=outputs/vae_nll
python scripts/likelihood.py outputs/vae_nll [--samples 200] [--images 10000] [--json FILE]

In nats an image. It is meaningful on data that fit the decoder's likelihood: black and white for loss=bernoulli
(data.binarise=true). Published numbers use another binarisation of MNIST than genlab's.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlab.build import instantiate as build
from genlab.build import runs
from genlab.cli.command import exit_code_of
from genlab.core import checkpoint
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_float
from genlab.metrics.scores.likelihood import likelihood
from genlab.models.contract import GivesPosterior
from genlab.trainers import Trainer


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    return exit_code_of(lambda: report(options))


def report(options: argparse.Namespace) -> None:
    text = json.dumps(measure(options), indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    parser.add_argument("--samples", type=int, default=200, help="an image; more make a tighter bound")
    parser.add_argument("--images", type=int, default=10_000, help="the first so many of the split")
    parser.add_argument("--split", default="test", help="train, test or holdout")
    parser.add_argument("--seed", type=int, default=0, help="of the samples")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path, help="write the record here")
    return parser.parse_args(arguments)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    trainer = load_run(options.run_dir, options.device)
    require_likelihood(trainer)
    split = trainer.data.reference(options.split)
    images = to_float(split.images[: options.images]).to(trainer.device, trainer.engine.dtype)
    model, began = trainer.model.eval(), time.perf_counter()

    def error(z: Tensor, targets: Tensor) -> Tensor:
        return trainer.loss.reconstruction(model.decoder(z), targets)

    found = likelihood(images, model.posterior, error, samples=options.samples, seed=options.seed)
    return {
        "nll": found.nll.mean().item(),
        "standard_error": (found.nll.std() / len(images) ** 0.5).item(),
        "negative_elbo": found.negative_elbo.mean().item(),
        "samples": options.samples,
        "images": len(images),
        "reference": f"{trainer.data.name}/{options.split}",
        "reference_hash": split.fingerprint(),
        "seed": options.seed,
        "trained_images": trainer.images,
        "run": str(options.run_dir),
        "seconds": round(time.perf_counter() - began, 1),
    }


def load_run(run_dir: Path, device: str) -> Trainer:
    """Load a run at its newest checkpoint."""
    found = checkpoint.newest_good(run_dir / "checkpoints")
    if found is None or not (run_dir / "config.yaml").is_file():
        raise ConfigError(f"{run_dir}: no run directory with config.yaml and checkpoints. Give one that was trained.")
    config = runs.read_config(run_dir) | {"metrics": {}, "callbacks": {}}
    config["trainer"]["device"] = device
    trainer = build.trainer(config, run_dir)
    checkpoint.load(trainer.parts, found[1]["parts"])
    return trainer


def require_likelihood(trainer: Trainer) -> None:
    fits = isinstance(trainer.model, GivesPosterior) and trainer.loss.is_likelihood
    if not fits or trainer.model.conditional:
        raise ConfigError(
            f"{trainer.run_dir}: the likelihood needs an unconditional VAE with loss=bernoulli or gaussian; this run's "
            f"model is {type(trainer.model).__name__}, its loss {type(trainer.loss).__name__}."
        )


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    sys.exit(main(sys.argv[1:]))
