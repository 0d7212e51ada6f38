"""The command `genlab`: `genlab train model=wgan_gp data=mnist` is `python -m genlab.train model=wgan_gp data=mnist`.

`python -m genlab` is the same.
"""

import sys
from importlib import import_module
from importlib.metadata import version

from genlab.cli.command import start

PROGRAMS = {
    "train": "trains a model; everything is written to outputs/",
    "evaluate": "scores a trained run",
    "sample": "shows what a run has learnt: grids, films, samples by the thousand",
    "project": "looks for the latent of an image",
    "export": "writes a run's generator to one file, for other programs",
    "report": "writes a page about one run or many",
    "completion": "prints what lets a shell complete these words: bash, zsh or fish",
}
USAGE = """\
genlab trains deep generative image models.

  genlab train model=wgan_gp data=mnist
  genlab sample run=outputs/wgan_gp-mnist/DATE_TIME

{}

Each has --help. `python -m genlab.train`, and so on, are the same commands. genlab --version prints the version.
"""


def cli() -> None:
    start(main)


def main(arguments: list[str]) -> int:
    """Run the program that the first word names with the others, and return its exit code."""
    if not arguments or arguments[0] in ("--help", "-h"):
        print(USAGE.format("\n".join(f"  {name:<12}{purpose}" for name, purpose in PROGRAMS.items())))
        return 0 if arguments else 2
    name, *others = arguments
    if name == "--version":
        print_version()
        return 0
    if name not in PROGRAMS:
        print(f"\nConfigError: {explain_unknown(name, others)}", file=sys.stderr)
        return 2
    sys.argv = [f"genlab {name}", *others]  # what runs record as their command
    return import_module(f"genlab.cli.{name}" if name == "completion" else f"genlab.{name}").main(others)


def print_version() -> None:
    print(f"genlab {version('genlab')}")


def explain_unknown(name: str, others: list[str]) -> str:
    """Return what was probably meant by a first word that names no program."""
    import shlex
    from difflib import get_close_matches

    if "=" in name or name.startswith("-"):
        return f"{name}: a program comes first. Did you mean {shlex.join(['genlab', 'train', name, *others])}?"
    close = get_close_matches(name, PROGRAMS, n=1)
    guess = f"Did you mean genlab {close[0]}? " if close else ""
    return f"genlab {name}: there is no such program. {guess}Valid here: {', '.join(PROGRAMS)}."


if __name__ == "__main__":
    cli()
