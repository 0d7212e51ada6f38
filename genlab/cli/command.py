"""Main function of the entry points: `--help`, one composed config, and one message for a mistake."""

import logging
import sys
from collections.abc import Callable
from typing import Any

from genlab.core import distributed
from genlab.core.errors import GenlabError
from genlab.core.printable import PrintableFormatter, printable


def main(
    name: str,
    usage: str,
    job: Callable[[dict[str, Any]], None],
    arguments: list[str],
    *,
    every_rank: bool = False,  # do all ranks of torchrun work? Else rank 0 alone does
) -> int:
    """Compose `configs/NAME.yaml` with a command line's words, call the job with it, and return the exit code."""
    if not (every_rank or distributed.is_main()):
        return 0
    if {"--help", "-h"} & set(arguments) or not arguments:
        print(usage)
        return 0 if arguments else 2
    return exit_code_of(lambda: job(compose_config(name, arguments)))


def compose_config(name: str, arguments: list[str]) -> dict[str, Any]:
    from genlab.cli.composition import compose  # late: `--help` answers at once

    return compose(name, arguments)


def exit_code_of(call: Callable[[], Any]) -> int:
    """Call, and return 0 or the error's exit code, with its message printed. Ctrl-C before any training gives 130."""
    handler = logging.StreamHandler()
    handler.setFormatter(PrintableFormatter("%(message)s"))
    logging.basicConfig(level=logging.INFO if distributed.is_main() else logging.ERROR, handlers=[handler])
    try:
        call()
    except GenlabError as error:
        if not error.shown_elsewhere:
            print(f"\n{type(error).__name__}: {printable(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0
