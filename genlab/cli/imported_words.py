"""`init_from=FILE` of another program: the file chooses the model where none was typed."""

from __future__ import annotations

from genlab.cli.own_pictures import data_of_experiment, keys_of
from genlab.cli.path_words import without_quotes
from genlab.core.command_words import as_override


def with_model_of_file(words: list[str]) -> list[str]:
    """Return the words, with those of the model in the file of `init_from` where no model is chosen.

    Pictures of one's own become as large as the file's. Raises ConfigError for a file that cannot be read.
    """
    named = next((word.partition("=")[2] for word in reversed(words) if word.startswith("init_from=")), "null")
    if keys_of(words) & {"model", "experiment"} or named == "null":
        return words
    from genlab.build.imported_run import is_foreign_file, words_of
    from genlab.importing.reading import read_model

    path = without_quotes(named)
    if not is_foreign_file(path):
        return words
    found = read_model(path, key="init_from")
    own = f"data={data_of_experiment()}" in words
    size = [f"data.size={as_override(found.size[0])}"] if own and found.size[0] == found.size[1] else []
    chosen = [*words_of(found), *size]
    return [*(word for word in chosen if not keys_of([word]) & keys_of(words)), *words]
