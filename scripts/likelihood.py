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

from genlab.build import runs
from genlab.cli.command import exit_code_of
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_float
from genlab.metrics.scores.importance_bounds import likelihood
from genlab.models.contract import GivesPosterior
from genlab.trainers.sample_stream import TrainedRun


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
    run = runs.open_run(options.run_dir, device=options.device, real=True)
    require_likelihood(run)
    split = run.data.reference(options.split)
    images = to_float(split.images[: options.images]).to(run.device, run.dtype)
    model, began = run.model.eval(), time.perf_counter()

    def error(z: Tensor, targets: Tensor) -> Tensor:
        return run.decoding.reconstruction(model.decoder(z), targets)

    found = likelihood(images, model.posterior, error, samples=options.samples, seed=options.seed)
    return {
        "nll": found.nll.mean().item(),
        "standard_error": (found.nll.std() / len(images) ** 0.5).item(),
        "negative_elbo": found.negative_elbo.mean().item(),
        "samples": options.samples,
        "images": len(images),
        "reference": f"{run.data.name}/{options.split}",
        "reference_hash": split.fingerprint(),
        "seed": options.seed,
        "trained_images": run.images,
        "run": str(options.run_dir),
        "seconds": round(time.perf_counter() - began, 1),
    }


def require_likelihood(run: TrainedRun) -> None:
    fits = isinstance(run.model, GivesPosterior) and run.decoding is not None and run.decoding.is_likelihood
    if not fits or run.model.conditional:
        raise ConfigError(
            f"{run.run_dir}: the likelihood needs an unconditional VAE with loss=bernoulli or gaussian; this run's "
            f"model is {type(run.model).__name__}, its loss {type(run.decoding).__name__}."
        )


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    sys.exit(main(sys.argv[1:]))
