"""genlab trains deep generative image models from configuration.

From a shell: `python -m genlab.train model=wgan_gp data=mnist`. From Python:
`genlab.run(["model=wgan_gp", "data=mnist"])`, then `genlab.load("outputs/...").sample(64)`.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from genlab.core.errors import ConfigError, GenlabError, Interrupted, RunError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from genlab.data import InMemory
    from genlab.sampling import Loaded

__version__ = version("genlab")
__all__ = ["ConfigError", "GenlabError", "Interrupted", "RunError", "__version__", "load", "run"]


def run(overrides: list[str] | None = None, *, data: InMemory | None = None) -> float | None:
    """Train as the command line does and return the best score of the first metric (None without scores).

    `overrides` are written as in a shell: `["model=dcgan", "trainer.images=1e6"]`. `data` replaces the configured
    data set. Raises GenlabError where the command line would print and exit.
    """
    from genlab.train import run as train  # imported late: `import genlab` stays quick

    return train(list(overrides or []), data=data)


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
