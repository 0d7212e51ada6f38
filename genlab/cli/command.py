"""Main function of the entry points: `--help`, one composed config, and one message for a mistake."""

import io
import logging
import os
import stat
import sys
from collections.abc import Callable
from typing import Any, TextIO

from genlab.core import distributed
from genlab.core.errors import GenlabError


class Pipe(io.FileIO):
    """A pipe whose reader may go away, as `| head` does: what follows is written nowhere, and the command goes on."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            return len(data)


def start(main: Callable[[list[str]], int]) -> None:
    """Call a program's main function with the words of the command line, and exit with its code.

    Modules of the working directory can be imported, as with `python -m`.
    """
    here = os.path.abspath("")
    if not getattr(sys.flags, "safe_path", False) and not {"", here} & set(sys.path[:1]):
        sys.path.insert(0, here)
    sys.stdout, sys.stderr = outlive_reader(sys.stdout), outlive_reader(sys.stderr)
    sys.exit(main(sys.argv[1:]))


def outlive_reader(stream: TextIO) -> TextIO:
    """Return a standard stream that raises no error when the reader of its pipe goes away."""
    if not isinstance(stream, io.TextIOWrapper) or not stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode):
        return stream
    buffer = io.BufferedWriter(Pipe(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(
        buffer,
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


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
    logging.basicConfig(level=logging.INFO if distributed.is_main() else logging.ERROR, format="%(message)s")
    try:
        call()
    except GenlabError as error:
        if not error.shown_elsewhere:
            print(f"\n{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0
