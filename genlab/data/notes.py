"""Notes on a data set: what a user should know of the files that it was read from."""

from typing import NamedTuple


class Notes(NamedTuple):
    rows: tuple[tuple[str, str], ...] = ()  # (name, value), of the table before the first step
    advice: tuple[str, ...] = ()

    def joined_with(self, other: "Notes") -> "Notes":
        return Notes(self.rows + other.rows, self.advice + other.advice)
