"""Text of others for terminals, pages and cards: what would steer the reader's screen becomes visible."""

import logging
import re

# Control characters but line ends and tabs (ESC starts a terminal's commands), and marks that turn the direction
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return a text with control characters and marks of direction written out, as `\\x1b`."""
    return STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """Return a printable text without line ends."""
    return printable(" ".join(text.splitlines()))


class PrintableFormatter(logging.Formatter):
    """Formats log records as printable text."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))
