"""The word `change=[KEY=VALUE]` as Hydra can read it. Imports no torch."""

from genlab.core.errors import ConfigError

OPENING, CLOSING, QUOTES = "[{(", "]})", "\"'"


def quote_changes(words: list[str]) -> list[str]:
    """Return a command line's words with those of `change=[...]` in quotes: Hydra reads no `=` in a list.

    Raises ConfigError for a reference: a run's record holds values, whatever they refer to becomes later.
    """
    for word in words:
        if word.startswith("change=") and "${" in word:
            raise ConfigError(f"{word}: expected values, and ${{...}} refers to another key. Write the value itself.")
    return [quote_entries(word) if word.startswith("change=") else word for word in words]


def quote_entries(word: str) -> str:
    value = word.removeprefix("change=")
    inner = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    if value in ("", "null") or (len(inner) > 1 and inner[0] in QUOTES):
        return word
    quoted = (entry.strip().replace("\\", "\\\\").replace('"', '\\"') for entry in split_entries(inner))
    return f"change=[{','.join(f'{chr(34)}{entry}{chr(34)}' for entry in quoted if entry)}]"


def split_entries(text: str) -> list[str]:
    """Split at the commas that stand in no bracket and no quotes."""
    entries, depth, quote = [""], 0, ""
    for letter in text:
        if letter == "," and not depth and not quote:
            entries.append("")
            continue
        entries[-1] += letter
        if letter in QUOTES and quote in ("", letter):
            quote = "" if quote else letter
        elif not quote:
            depth += (letter in OPENING) - (letter in CLOSING)
    return entries
