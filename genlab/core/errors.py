"""The errors a user meets: one readable message each, and the exit code that goes with it."""

from typing import TypeVar

Value = TypeVar("Value")


class GenlabError(Exception):
    """A failure that is shown as one message, without a traceback."""

    exit_code = 3


class ConfigError(GenlabError):
    """The user's mistake: what was found, what was expected, what to do."""

    exit_code = 2


def require(value: Value | None, refusal: str) -> Value:
    """Return a value that is not None. Raises ConfigError, with the refusal as its message, for None."""
    if value is None:
        raise ConfigError(refusal)
    return value


class RunError(GenlabError):
    """The run itself failed: it diverged, memory or disk ran out."""


class Diverged(RunError):
    """A number of the training is not finite."""


class Interrupted(GenlabError):
    """A signal ended the run; it saved first."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number
