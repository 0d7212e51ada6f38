"""Score runs on MNIST beside references: fidelity, variety, and copying of training images.

python scripts/quality.py RUN_DIR [RUN_DIR ...] [--checkpoint best] [--samples N] [--json FILE]
python scripts/quality.py --references [--seconds 480] [RUN_DIR ...]

Prints a table in Markdown. In the 64 features of the bundled digit classifier, against the 10,000 test images: FID;
precision and recall (Kynkäänniemi et al. 2019, k = 3); density and coverage (Naeem et al. 2020, k = 5). In pixels:
`nearest` is the L2 distance in [0, 1] from a sample to the nearest training image, mean over 1,000 samples; `of test`
is the same for 1,000 test images: samples far below it are copied, or blurred. `time` is the run's own clock, which
includes scoring and saving.

References are the training images, a small VAE, and systems that are trained for --seconds each into
outputs/references, unless they are there already.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import references
import torch
from torch import Tensor

from genlab.build import runs
from genlab.callbacks import jsonl
from genlab.cli.command import exit_code_of
from genlab.core import checkpoint, json_files
from genlab.core.device import choose_device
from genlab.core.errors import ConfigError
from genlab.core.pixels import as_saved, to_float
from genlab.data import MNIST, InMemory
from genlab.metrics import Classifier, Moments, frechet_distance
from genlab.metrics.scores.distances import MAX_ROWS, map_rows
from genlab.metrics.scores.prdc import prdc

NEAREST = 1_000  # images whose nearest training image is found


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    return exit_code_of(lambda: report(options))


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run_dirs", nargs="*", type=Path, metavar="RUN_DIR")
    parser.add_argument("--checkpoint", choices=["newest", "best"], default="newest", help="of the RUN_DIRs")
    parser.add_argument("--samples", type=int, default=10_000, help="scores of other numbers do not compare")
    parser.add_argument("--references", action="store_true", help="train what is missing of them, and measure them too")
    parser.add_argument("--seconds", type=float, default=480.0, help="of training, for each trained reference")
    parser.add_argument("--device", default="auto", help="to measure on, and to train the references on")
    parser.add_argument("--json", type=Path, help="write the records here")
    options = parser.parse_args(arguments)
    if not options.run_dirs and not options.references:
        parser.error("give a RUN_DIR, or --references")
    return options


def report(options: argparse.Namespace) -> None:
    """Train the references, then print the table, each row as soon as it is measured."""
    for run_dir in options.run_dirs:  # mistakes are found before training
        find_checkpoint(run_dir, options.checkpoint)
    names = references.REFERENCES if options.references else ()
    folders = [references.train_reference(name, options.seconds, options.device) for name in names]
    ruler, records = Ruler(MNIST(), choose_device(options.device)), []
    print(f"\n{options.samples:,} samples, {len(ruler.test):,} test images, {ruler.extractor.name}\n")
    print("\n".join(table_header()), flush=True)
    for record, samples in sample_all(folders, ruler, options):
        records.append(record | {"samples": len(samples)} | ruler.measure(samples))
        print(table_row(records[-1]), flush=True)
        if options.json:
            options.json.write_text(
                json.dumps(json_files.replace_non_finite(records), indent=2) + "\n", encoding="utf-8"
            )


def sample_all(folders: list[Path], ruler: Ruler, options: argparse.Namespace) -> Iterator[tuple[dict, Tensor]]:
    """Yield (record, samples) for each row."""
    if options.references:
        yield {"name": "training images"}, references.real_samples(ruler.train, options.samples)
        yield references.vae_samples(ruler.train, options.samples)
    chosen = [(folder, "newest") for folder in folders] + [(folder, options.checkpoint) for folder in options.run_dirs]
    for folder, which in chosen:
        yield sample_run(folder, which, options.samples, options.device)


# ---- what is measured


class Ruler:
    """Real images and their features, computed once for all rows. Images are float [N, 1, 28, 28] in [-1, 1]."""

    def __init__(self, data: InMemory, device: torch.device | str = "cpu") -> None:
        self.extractor = Classifier().to(device)
        self.extractor.check(data.spec)
        self.train, self.test = to_float(data.train.images), to_float(data.reference("test").images)
        self.identity = {"extractor_hash": self.extractor.identity, "reference_hash": data.test.fingerprint()}
        self.real = self.features(self.test)
        self.moments = moments_of(self.real)
        self.pixels = as_pixels(self.train).to(device)
        self.nearest_of_test = self.nearest(self.test)

    def measure(self, samples: Tensor) -> dict[str, float | str]:
        fake = self.features(samples)
        return {
            "fid": frechet_distance(moments_of(fake), self.moments),
            **prdc(self.real, fake),
            "nearest": self.nearest(samples),
            "nearest_of_test": self.nearest_of_test,
            **self.identity,
        }

    def features(self, images: Tensor) -> Tensor:
        return torch.cat([self.extractor(batch) for batch in images.split(MAX_ROWS)])

    def nearest(self, images: Tensor) -> float:
        spread = images[:: max(1, len(images) // NEAREST)][:NEAREST]  # MNIST's first test images are the neatest
        return nearest_distance(as_pixels(spread).to(self.pixels.device), self.pixels).mean().item()


def nearest_distance(images: Tensor, others: Tensor) -> Tensor:
    """Return distances [N] of [N, D] to the nearest of [M, D], by differences: exactly 0 for a copy."""
    return (images - others[map_rows(images, others, lambda far: far.argmin(1))]).norm(dim=1)


def moments_of(features: Tensor) -> Moments:
    moments = Moments()
    moments.update(features)
    return moments


def as_pixels(images: Tensor) -> Tensor:
    """Return pixels [N, D] in [0, 1]."""
    return (images.flatten(1) + 1) / 2


# ---- runs


def sample_run(run_dir: Path, which: str, count: int, device: str) -> tuple[dict[str, Any], Tensor]:
    """Return a run's record, and samples as they would be saved, from averaged weights if it has any."""
    path, _ = find_checkpoint(run_dir, which)
    run = runs.open_run(run_dir, checkpoint=path.name, device=device, real=True)
    Classifier().check(run.spec)
    drawn = (run.draw_samples(start, min(MAX_ROWS, count - start)) for start in range(0, count, MAX_ROWS))
    samples = torch.cat([as_saved(run.spec.crop(images)).cpu() for images in drawn])
    seconds = training_seconds(run_dir, run.images)
    return {"name": str(run_dir), "checkpoint": path.name, "images": run.images, "seconds": seconds}, samples


def find_checkpoint(run_dir: Path, which: str) -> tuple[Path, dict]:
    folder = run_dir / "checkpoints"
    if not (run_dir / "config.yaml").is_file() or not folder.is_dir():
        raise ConfigError(
            f"{run_dir}: not a run directory with config.yaml and checkpoints/. Give one that was trained."
        )
    found = checkpoint.newest_good(folder) if which == "newest" else best_checkpoint(folder / "best.pt")
    if found is None:
        raise ConfigError(f"{folder}: holds no numbered checkpoint. Try --checkpoint best, or resume the run.")
    return found


def best_checkpoint(path: Path) -> tuple[Path, dict]:
    try:
        return path, checkpoint.read(path)
    except ValueError as error:
        raise ConfigError(
            f"--checkpoint best: {path} {error}. Use newest; runs without scores have no best."
        ) from error


def training_seconds(run_dir: Path, images: int) -> float | None:
    """Return the run's clock at a position; None if it recorded no numbers."""
    summary = run_dir / "summary.json"
    facts = json.loads(summary.read_text(encoding="utf-8")) if summary.is_file() else {}
    if facts.get("images") == images:
        return facts["seconds"]
    rows = [row for row in jsonl.read_rows(run_dir / "metrics.jsonl") if row["images"] <= images]
    return rows[-1]["time"] if rows else None


# ---- the table

SCORES = {"fid": ".2f", "precision": ".3f", "recall": ".3f", "density": ".3f", "coverage": ".3f"}
COLUMNS = SCORES | {"nearest": ".2f", "nearest_of_test": ".2f", "images": ",", "seconds": ",.0f"}


def table_header() -> list[str]:
    names = ["run", *SCORES, "nearest", "of test", "images", "time (s)"]
    return [f"| {' | '.join(names)} |", "|---" + "|---:" * len(COLUMNS) + "|"]


def table_row(record: dict[str, Any]) -> str:
    cells = ["" if record.get(name) is None else format(record[name], style) for name, style in COLUMNS.items()]
    return f"| {' | '.join([record['name'], *cells])} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
