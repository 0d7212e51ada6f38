"""genlab trains deep generative image models from configuration.

From a shell: `python -m genlab.train model=wgan_gp data=mnist`. From Python:
`genlab.run(["model=wgan_gp", "data=mnist"])`.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from genlab.errors import ConfigError, GenlabError, Interrupted, RunError

if TYPE_CHECKING:
    from genlab.data import InMemory

__version__ = version("genlab")
__all__ = ["ConfigError", "GenlabError", "Interrupted", "RunError", "__version__", "run"]


def run(overrides: list[str] | None = None, *, data: InMemory | None = None) -> float | None:
    """Train as the command line does; returns the best FID (None without scores).

    `overrides` are written as in a shell: `["model=dcgan", "trainer.images=1e6"]`. `data` takes the
    place of the configured data set. Raises GenlabError where the command line would print and exit.
    """
    from genlab.train import run as train  # imported late: `import genlab` stays quick

    return train(list(overrides or []), data=data)
