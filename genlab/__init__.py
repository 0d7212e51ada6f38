"""genlab trains deep generative image models from configuration.

From a shell: `python -m genlab.train model=wgan_gp data=mnist`. From Python:
`genlab.run(["model=wgan_gp", "data=mnist"]).load().sample(64)`, later `genlab.load("outputs/...").sample(64)`.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from genlab.core.errors import ConfigError, GenlabError, Interrupted, RunError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from genlab.cli.result import Result
    from genlab.data import InMemory
    from genlab.sampling import Loaded

__version__ = version("genlab")
__all__ = ["ConfigError", "GenlabError", "Interrupted", "RunError", "__version__", "load", "run"]


def run(overrides: Sequence[str] = (), *, data: InMemory | None = None) -> Result | None:
    """Train as the command line does and return the result; None if nothing was trained, as with dry_run=true.

    The result has `scores`, `run_dir` and `load()`; as a number it is the best score of the first metric, nan without
    scores. `overrides` are written as in a shell: `["model=dcgan", "trainer.images=1e6"]`. `data` replaces the
    configured data set. Raises GenlabError where the command line would print and exit.
    """
    from genlab.train import run as train  # imported late: `import genlab` stays quick

    words = [] if overrides is None else overrides
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        raise ConfigError(f'overrides={overrides!r}: expected a list of words, such as ["model=dcgan", "seed=1"].')
    try:
        return train(list(words), data=data)
    except SystemExit as error:  # Hydra's own, for flags such as --version, or a sweep that Ctrl-C ended
        if error.code:
            raise RunError(f"the command ended with code {error.code}; what it printed says why.") from error
        return None


def load(
    run: str | Path,
    *,
    checkpoint: str | int = "newest",  # or best, or a number of images
    device: str = "auto",
    real: bool = False,  # with the run's own data, from which sampled attributes and sources are taken
    data: InMemory | None = None,  # with these data, which need not be the run's own
    batch_size: int = 250,  # images at a time
    trust: Sequence[str] = (),  # packages of your own that the run's config may name
) -> Loaded:
    """Open a trained run from its directory, to sample and encode.

    Raises ConfigError if there is none, if the data of its config are no longer those that it was trained on, or if
    its config names code that is neither genlab's nor trusted.
    """
    from genlab.build.runs import open_run
    from genlab.sampling import Loaded

    opened = open_run(run, checkpoint=checkpoint, device=device, real=real, data=data, trust=trust)
    return Loaded(opened, batch_size=batch_size)
