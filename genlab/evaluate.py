"""The entry point that scores a trained run, or pictures: `python -m genlab.evaluate run=outputs/... metrics=full`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab.cli import command
from genlab.core import distributed
from genlab.core.errors import ConfigError, RunError, describe_error
from genlab.core.json_files import append_lines, to_line
from genlab.core.printable import printable

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.cli.compared_pictures import Sides
    from genlab.metrics.evaluation import Evaluation
    from genlab.metrics.records import Record

USAGE = """\
Scores a trained run; prints a table, adds the records to evaluations.jsonl in the run's directory, and puts what
metrics have to show, such as the closest pairs of metrics=birthday, into its pictures/.

  python -m genlab.evaluate run=outputs/wgan_gp-mnist/DATE_TIME                          as it was scored in training
  python -m genlab.evaluate run=outputs/... checkpoint=newest metrics=full images=50000
  python -m genlab.evaluate run=outputs/... metrics=full split=train seed=1              other images, other noise

  run           a run directory
  checkpoint    best (default; the newest if no scores were measured), newest, or a number of images
  metrics       full, quick, points, one or several like [fid,kid]; by default those that the run was trained with
  metrics/extractor    the features to measure in; by default those that the run was trained with
  data.root     where the run's data are now; with other content, or data=NAME, the run is scored on these other data,
                and the records say so. Data that changed and are not named are refused
  images        samples; split: train, test or holdout; seed: of the samples; device: auto, cpu, cuda, mps

  torchrun --nproc_per_node=2 -m genlab.evaluate run=outputs/...    the same records: ranks share the sampling

Without a run it scores pictures: the first side's as samples, against the second's as real images. A side is a folder,
a zip, an .npz file of mode=save, or, as the second, a data set of the menu. Records go to outputs/comparisons/.

  python -m genlab.evaluate 'between=[FOLDER,OTHER.zip]' 'metrics=[fid]' metrics/extractor=inception
  python -m genlab.evaluate 'between=[samples.npz]' data=mnist 'metrics=[fid,kid]'     its test split, or split=train

  files.size, files.channels, files.on_error, ...    how files are read: all that data=folder takes
"""
log = logging.getLogger(__name__)
RECORDS_FILE = "evaluations.jsonl"
COMPARISONS_FOLDER = Path("outputs/comparisons")
SECONDS_BETWEEN_LINES = 10.0  # about how far scoring is
OF_A_RUN = ("ema", "seed", "position", "own_data", "judges_run")  # fields of a record that pictures have none of


def job(config: dict[str, Any]) -> None:
    """Score a run, or pictures. Under torchrun ranks share samples and features; rank 0 does the rest, and writes."""
    if config["run"] is None and config["between"] is None:
        raise ConfigError("run=...: is needed, or between=[A,B]. See --help.")
    with distributed.joined_ranks():
        (score_run if config["between"] is None else compare_pictures)(config)


def score_run(config: dict[str, Any]) -> None:
    from genlab.build import runs
    from genlab.build.run_extractor import extractor_of_run
    from genlab.callbacks.scores import source_of

    config = config | {"checkpoint": runs.best_unless(config["checkpoint"], config["run"])}
    options = {name: config[name] for name in ("checkpoint", "device", "trust")}
    run = runs.open_run(config["run"], real=True, named=config["data"], **options)
    run = run if config["seed"] is None else replace(run, seed=config["seed"])
    is_file = Path(config["run"]).expanduser().is_file()  # of another program, which chose no metrics
    chosen = config["metrics"] or ({} if is_file else metrics_of_run(run.run_dir, config["trust"]))
    if not chosen:
        raise ConfigError(
            f"{config['run'] if is_file else run.run_dir}: was trained without scores. Choose some: metrics=full."
        )
    if not chosen.get("extractor"):
        chosen = chosen | {"extractor": extractor_of_run(run.run_dir, config["trust"])}
    asked = {name: config[name] for name in ("images", "split") if config[name] is not None}
    evaluation = build_evaluation(chosen | asked)
    evaluation.refuse_ignored(asked)
    evaluation.check(run.data, run)
    for line in evaluation.advice(run.data):
        log.warning("advice: %s", line)
    source, shared = source_of(run, run.images), distributed.is_launched()
    records = evaluation.run(source, run.data, device=run.device, shared=shared, tell=log_now_and_then())
    if distributed.is_main():
        print(printable("\n".join(score_table(records, describe_measurement))))
        facts = {"checkpoint": str(config["checkpoint"])}
        append_records([facts | record.as_dict() for record in records], run.run_dir)
        write_pictures(evaluation.pictures, run.run_dir, f"{run.images:09d}_{{}}_seed{run.seed}")
    raise_failure(evaluation.failures)


def compare_pictures(config: dict[str, Any]) -> None:
    from genlab.build.run_extractor import WITHOUT_SCORES
    from genlab.cli.compared_pictures import open_sides
    from genlab.core.device import choose_device
    from genlab.metrics.sample_source import SampleSource

    if not config["metrics"]:
        raise ConfigError(
            "metrics: which ones? metrics=[swd] needs nothing; metrics=[fid,kid] metrics/extractor=inception are the "
            "literature's; MNIST has features of its own: metrics=[fid,kid]."
        )
    sides = open_sides(config)
    images = images_to_compare(config["images"], sides)
    chosen = {**config["metrics"], "extractor": config["metrics"].get("extractor") or WITHOUT_SCORES}
    evaluation = build_evaluation(chosen | {"images": images, "split": sides.split})
    refuse_few_pictures(evaluation, images, sides)
    evaluation.check(sides.reference)
    for line in evaluation.advice(sides.reference):
        log.warning("advice: %s", line)
    source, shared = SampleSource(sides.draw, sides.conditions), distributed.is_launched()
    options: dict[str, Any] = {"device": choose_device(config["device"]), "shared": shared, "tell": log_now_and_then()}
    records = [replace(one, reference=sides.names[1]) for one in evaluation.run(source, sides.reference, **options)]
    if distributed.is_main():
        print(printable("\n".join(score_table(records, lambda record: describe_comparison(record, sides)))))
        append_records(rows_of_comparison(records, sides, images), COMPARISONS_FOLDER)
        write_pictures(evaluation.pictures, COMPARISONS_FOLDER, "{}")
        print(COMPARISONS_FOLDER / RECORDS_FILE)
    raise_failure(evaluation.failures)


def log_now_and_then() -> Callable[[str], None]:
    """Return a function that logs what it is told, at most once in SECONDS_BETWEEN_LINES."""
    last = [time.monotonic()]

    def tell(words: str) -> None:
        if time.monotonic() - last[0] >= SECONDS_BETWEEN_LINES:
            last[0] = time.monotonic()
            log.info(words)

    return tell


def build_evaluation(chosen: dict[str, Any]) -> Evaluation:
    """Build the chosen metrics. Raises ConfigError for settings that they do not take."""
    from genlab.build import instantiate as build

    return build.make(build.check_node(chosen, "metrics"), "metrics").evaluation


def metrics_of_run(run_dir: Path, trust: list[str]) -> dict[str, Any]:
    """Return the metrics that a run was trained with. Raises ConfigError for some that are not trusted."""
    from genlab.build import runs
    from genlab.core.trust import require_trusted

    found = runs.read_config(run_dir).get("metrics") or {}
    require_trusted({"metrics": found}, run_dir / "config.yaml", trust)
    return found


def images_to_compare(asked: int | None, sides: Sides) -> int:
    """Return how many pictures of the first side are scored, by default all. Raises ConfigError if it has fewer."""
    there = len(sides.pictures.images)
    if asked is not None and asked > there:
        raise ConfigError(f"images={asked}: {sides.names[0]} holds {there:,} pictures. Leave images out for all.")
    return asked or there


def refuse_few_pictures(evaluation: Evaluation, images: int, sides: Sides) -> None:
    """Raise ConfigError if a side has fewer pictures than a metric needs."""
    real = len(sides.reference.reference(sides.split).images)
    for name, metric in evaluation.metrics.items():
        if metric.uses_samples and min(images, real) < metric.min_images:
            lower = f", or lower its {metric.settings_to_lower}" if metric.settings_to_lower else ""
            raise ConfigError(
                f"metrics.metrics.{name}: {images:,} pictures of {sides.names[0]} and {real:,} of {sides.names[1]}: "
                f"expected {metric.min_images:,} or more on either side. Add pictures, leave this metric out{lower}."
            )


def score_table(records: list[Record], describe: Callable[[Record], str]) -> list[str]:
    """Return the lines of a table with a row for each score and how it was measured."""
    rows = [("metric", "value", "measured")]
    rows += [(record.metric, f"{record.value:.6g}", describe(record)) for record in records]
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


def describe_comparison(record: Record, sides: Sides) -> str:
    words = [
        f"{record.images:,} of {sides.names[0]}" if record.images else "",
        f"{record.reference_images:,} of {record.reference}",
        f"{record.extractor} {record.extractor_hash[:8]}" if record.extractor_hash else "",
        record.settings,
    ]
    return "; ".join(word for word in words if word)


def rows_of_comparison(records: list[Record], sides: Sides, images: int) -> list[dict[str, Any]]:
    """Return records as rows of a file, with the first side's path and hash in place of what only a run has."""
    facts = {"samples": sides.names[0], "samples_hash": sides.fingerprint(images)}
    rows = [{name: value for name, value in record.as_dict().items() if name not in OF_A_RUN} for record in records]
    return [facts | row for row in rows]


def append_records(rows: list[dict[str, Any]], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    append_lines(folder / RECORDS_FILE, "".join(map(to_line, rows)))


def write_pictures(pictures: dict[str, Tensor], folder: Path, file: str) -> None:
    """Write the metrics' pictures into pictures/ of a folder, and print their paths; `file` has {} for their name."""
    from genlab.callbacks.scores import PICTURE_FOLDER
    from genlab.pictures.sheet import draw_groups, write_png
    from genlab.sampling.output_paths import free_path

    for name, images in pictures.items():
        path = free_path(folder / PICTURE_FOLDER, file.format(name.replace(" ", "_")), ".png")
        write_png(draw_groups(images), path)
        print(path)


def main(arguments: list[str]) -> int:
    return command.main("evaluate", USAGE, job, arguments, every_rank=True)


if __name__ == "__main__":
    command.start(main)
