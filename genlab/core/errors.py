"""Errors that users see, each with one readable message and an exit code."""

from typing import TypeVar

Value = TypeVar("Value")


class GenlabError(Exception):
    """A failure that is shown as one message, without a traceback."""

    exit_code = 3
    shown_elsewhere = False  # by another rank


class ConfigError(GenlabError):
    """A user's mistake; the message says what was found, what was expected and what to do."""

    exit_code = 2


class Outdated(ConfigError):
    """A part of a checkpoint that has another form today, and cannot be converted."""


def require(value: Value | None, refusal: str) -> Value:
    """Return a value that is not None. Raises ConfigError, with the refusal as its message, for None."""
    if value is None:
        raise ConfigError(refusal)
    return value


class RunError(GenlabError):
    """A failure of the run itself: it diverged, or memory or disk ran out."""


class Diverged(RunError):
    """A training in which a number is not finite."""


class Interrupted(GenlabError):
    """The end of a run by a signal, after it saved."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


def describe_error(error: BaseException) -> str:
    """Return an error's message in one line without a full stop; its kind too, where it was not written for users."""
    words = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, GenlabError):
        return words
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
