"""The entry point that scores a trained run: `python -m genlab.evaluate run=outputs/... metrics=full`."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab.cli import command
from genlab.core import distributed
from genlab.core.errors import ConfigError, RunError, describe_error
from genlab.core.json_files import append_lines, to_line

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.metrics.evaluation import Evaluation
    from genlab.metrics.records import Record
    from genlab.trainers.sample_stream import TrainedRun

USAGE = """\
Scores a trained run; prints a table, adds the records to evaluations.jsonl in the run's directory, and puts what
metrics have to show, such as the closest pairs of metrics=birthday, into its pictures/.

  python -m genlab.evaluate run=outputs/wgan_gp-mnist/DATE_TIME                          as it was scored in training
  python -m genlab.evaluate run=outputs/... checkpoint=newest metrics=full images=50000
  python -m genlab.evaluate run=outputs/... metrics=full split=train seed=1              other images, other noise

  run           a run directory
  checkpoint    best (default; the newest if no scores were measured), newest, or a number of images
  metrics       full, quick, points, one or several like [fid,kid]; by default those that the run was trained with
  data.root     where the run's data are now; with other content, or data=NAME, the run is scored on these other data,
                and the records say so. Data that changed and are not named are refused
  images        samples; split: train, test or holdout; seed: of the samples; device: auto, cpu, cuda, mps

  torchrun --nproc_per_node=2 -m genlab.evaluate run=outputs/...    the same records: ranks share the sampling
"""
log = logging.getLogger(__name__)
RECORDS_FILE = "evaluations.jsonl"


def job(config: dict[str, Any]) -> None:
    """Score a run. Under torchrun the ranks share samples and their features; rank 0 does the rest, and writes."""
    from genlab.build import runs
    from genlab.callbacks.scores import source_of

    config = config | {"checkpoint": runs.best_unless(config["checkpoint"], config["run"])}
    with distributed.joined_ranks():
        options = {name: config[name] for name in ("checkpoint", "device", "trust")}
        run = runs.open_run(config["run"], real=True, named=config["data"], **options)
        run = run if config["seed"] is None else replace(run, seed=config["seed"])
        evaluation = evaluation_of(config, run)
        evaluation.check(run.data, run)
        for line in evaluation.advice(run.data):
            log.warning("advice: %s", line)
        source, shared = source_of(run, run.images), distributed.is_launched()
        records = evaluation.run(source, run.data, device=run.device, shared=shared)
        if distributed.is_main():
            print("\n".join(score_table(records)))
            append_records(records, config, run.run_dir / RECORDS_FILE)
            write_pictures(evaluation.pictures, run)
        raise_failure(evaluation.failures)


def evaluation_of(config: dict[str, Any], run: TrainedRun) -> Evaluation:
    """Build the chosen metrics, by default the run's. Raises ConfigError if there are none."""
    from genlab.build import instantiate as build

    chosen = config["metrics"] or metrics_of_run(run.run_dir, config["trust"])
    if not chosen:
        raise ConfigError(f"{run.run_dir}: was trained without scores. Choose some: metrics=full.")
    asked = {name: config[name] for name in ("images", "split") if config[name] is not None}
    return build.make(build.check_node(chosen | asked, "metrics"), "metrics").evaluation


def metrics_of_run(run_dir: Path, trust: list[str]) -> dict[str, Any]:
    """Return the metrics that a run was trained with. Raises ConfigError for some that are not trusted."""
    from genlab.build import runs
    from genlab.core.trust import require_trusted

    found = runs.read_config(run_dir).get("metrics") or {}
    require_trusted({"metrics": found}, run_dir / "config.yaml", trust)
    return found


def score_table(records: list[Record]) -> list[str]:
    """Return the lines of a table with a row for each score and how it was measured."""
    rows = [("metric", "value", "measured")]
    rows += [(record.metric, f"{record.value:.6g}", describe_measurement(record)) for record in records]
    width, digits = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [f"{name:<{width}}  {value:>{digits}}  {words}" for name, value, words in rows]


def describe_measurement(record: Record) -> str:
    words = [
        f"{record.images:,} samples" if record.images else "",
        f"seed {record.seed}{' (EMA)' if record.ema else ''}",
        f"{record.reference_images:,} of {record.reference}",
        "" if record.own_data else "other data than the run's",
        f"{record.extractor} {record.extractor_hash[:8]}" if record.extractor_hash else "",
        record.settings,
        f"after {record.position:,} images",
    ]
    return "; ".join(word for word in words if word)


def raise_failure(failures: dict[str, Exception]) -> None:
    """Raise the first error of metrics that failed, which cost no other metric its score."""
    for name, error in failures.items():
        kind = type(error) if isinstance(error, ConfigError) else RunError
        raise kind(f"metrics.metrics.{name}: {describe_error(error)}.") from error


def append_records(records: list[Record], config: dict[str, Any], path: Path) -> None:
    rows = [{"checkpoint": str(config["checkpoint"])} | record.as_dict() for record in records]
    append_lines(path, "".join(map(to_line, rows)))


def write_pictures(pictures: dict[str, Tensor], run: TrainedRun) -> None:
    """Write the metrics' pictures into the run's pictures/, and print their paths."""
    from genlab.callbacks.scores import PICTURE_FOLDER
    from genlab.pictures.sheet import draw_groups, write_png
    from genlab.sampling.output_paths import free_path

    for name, images in pictures.items():
        named = f"{run.images:09d}_{name.replace(' ', '_')}_seed{run.seed}"
        path = free_path(run.run_dir / PICTURE_FOLDER, named, ".png")
        write_png(draw_groups(images), path)
        print(path)


def main(arguments: list[str]) -> int:
    return command.main("evaluate", USAGE, job, arguments, every_rank=True)


if __name__ == "__main__":
    command.start(main)
