"""What the entry points share: `--help`, one composed config, and one message for a mistake."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

from genlab.core import distributed
from genlab.core.errors import GenlabError


def main(
    name: str,
    usage: str,
    job: Callable[[dict[str, Any]], None],
    arguments: list[str],
    *,
    every_rank: bool = False,  # does torchrun share the work? Else rank 0 does it all, and the others nothing
) -> int:
    """Compose `configs/NAME.yaml` with a command line's words and call the job with it; gives the exit code."""
    if not (every_rank or distributed.is_main()):
        return 0
    if {"--help", "-h"} & set(arguments) or not arguments:
        print(usage)
        return 0 if arguments else 2
    return exit_code_of(lambda: job(composed(name, arguments)))


def composed(name: str, arguments: list[str]) -> dict[str, Any]:
    from genlab.cli.composition import compose  # late: `--help` answers at once

    return compose(name, arguments)


def exit_code_of(call: Callable[[], Any]) -> int:
    """0, or the code of the error, told in one message. Ctrl-C before anything is to be saved gives 130."""
    logging.basicConfig(level=logging.INFO if distributed.is_main() else logging.ERROR, format="%(message)s")
    try:
        call()
    except GenlabError as error:
        print(f"\n{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0
