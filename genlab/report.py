"""The entry point that writes a page about runs: `python -m genlab.report runs=outputs/...`."""

from pathlib import Path
from typing import Any

from genlab.cli import command
from genlab.core.errors import ConfigError

USAGE = """\
Writes one HTML page about a run, or about many: settings, scores and how they were measured, curves, samples.
It asks nothing of the network, so it can be sent by mail or kept; it reads the runs' files and loads no model.

  python -m genlab.report runs=outputs/wgan_gp-mnist/DATE_TIME             report.html in the run's directory
  python -m genlab.report runs=outputs/sweeps/DATE_TIME to=sweep.html      leaderboard over seeds, overlaid curves
  python -m genlab.report 'runs=[outputs/dcgan-mnist,outputs/wgan_gp-mnist]'  all runs below these directories

  runs    a run directory, one that holds runs at any depth, or a list of such
  to      the file; by default report.html in the directory that holds all the runs
  grids   sample grids shown of a run: 24 by default; the first, the last and evenly spaced ones of more
"""


def job(config: dict[str, Any]) -> None:
    from genlab.core.whole_files import drop_link
    from genlab.reports import page
    from genlab.reports.run import read_run
    from genlab.reports.run_directories import find_runs

    runs = [read_run(path) for path in find_runs(run_paths(config["runs"]))]
    target = Path(config["to"]).expanduser() if config["to"] else drop_link(page.common_folder(runs) / "report.html")
    write_page(page.render(runs, title=page.page_title(runs), grids=config["grids"]), target)
    print(f"{target}  ({len(runs)} run{'s' * (len(runs) > 1)}, {target.stat().st_size / 1e6:.1f} MB)")


def run_paths(runs: Any) -> list[str]:
    """Return the directories a user names. Raises ConfigError if there are none."""
    named = [str(run) for run in (runs if isinstance(runs, list) else [runs]) if run not in (None, "")]
    if not named:
        raise ConfigError("runs=...: names no directory. Give a run's, or one that holds runs.")
    return named


def write_page(text: str, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"to={target}: cannot be written: {error.strerror}. Name another file with to=.") from error


def main(arguments: list[str]) -> int:
    return command.main("report", USAGE, job, arguments)


if __name__ == "__main__":
    command.start(main)
