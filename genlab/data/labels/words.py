"""Words that belong to images: from file names, folders and captions to numbers."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.types import Count
from genlab.core.words import encode_texts, words_of
from genlab.data.labels.attribute_vectors import Told
from genlab.data.storage.archives import Source, listed
from genlab.data.storage.folder_layout import Members

TABLES = ("captions.json", "captions.csv")

SourceName = Literal["name", "folders", "path", "caption"]


@dataclass(frozen=True)
class Words:
    """What is said of an image, as words: lower-case runs of letters and digits.

    `name`: the file's own name; `folders`: those that it lies in, without those that all images share and without
    `train` and `test`; `path`: both; `caption`: the text of NAME.txt beside it, or what captions.json
    ({"name": "text"}) or captions.csv (lines of name,text) say of it, which lie in the root or in the folder that all
    images share. Names are paths from there, with or without their suffix.
    """

    source: SourceName = "caption"
    least: Count = 1  # training images that a word must belong to; others are left out
    length: Count = 16  # words of an image that are kept, its first known ones

    def __call__(self, source: Source, rows: Members, training: int) -> Told:
        """Of the images in their order, the first `training` of which make the vocabulary."""
        texts = self.texts(source, rows)
        words = self.vocabulary(texts[:training])
        labels = encode_texts(texts, words, self.length)
        longest = max(1, int((labels > 0).sum(1).max()))
        return Told(labels[:, :longest].contiguous(), words)

    def texts(self, source: Source, rows: Members) -> list[str]:
        """One an image. Raises ConfigError for images without a caption."""
        if self.source == "caption":
            return Captions(source).of(list(rows))
        wanted = {"name": slice(-1, None), "folders": slice(-1), "path": slice(None)}[self.source]
        return [" ".join((*parts[:-1], stem_of(parts[-1]))[wanted]) for parts in rows.values()]

    def vocabulary(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Sorted. Raises ConfigError if no word is left."""
        counts = Counter(word for text in texts for word in set(words_of(text)))
        known = tuple(sorted(word for word, count in counts.items() if count >= self.least))
        if not known:
            raise ConfigError(
                f"data.words: no word of {self.source} belongs to {self.least} training images or more "
                f"({len(counts)} different words). Lower data.words.least, or choose another data.words: name, "
                "folders, path or caption."
            )
        return known


WordsChoice = SourceName | Words  # with other values: data.words={_target_:genlab.data.Words,source:name,least:5}


class Rule(NamedTuple):
    """Words that can be seen in a picture by measuring it."""

    words: tuple[str, ...]
    see: Callable[[Tensor], Tensor]  # uint8 [N, C, H, W], without padding -> bool [N, words]


class Captions:
    """Texts of images, beside them or in a table."""

    def __init__(self, source: Source) -> None:
        self.source, self.folder = source, shared_folder(source.names)
        places = dict.fromkeys((self.folder, ""))
        files = [(place, place + file) for place in places for file in TABLES]
        self.tables = [(place, read_table(source, file)) for place, file in files if source.holds(file)]

    def of(self, names: Sequence[str]) -> list[str]:
        """Raises ConfigError for names that have none."""
        found = [self.one(name) for name in names]
        missing = [name for name, text in zip(names, found, strict=True) if text is None]
        if missing:
            raise ConfigError(
                f"data.words=caption: {len(missing)} of {len(names)} images have no caption: {listed(missing)}. "
                f"Expected a text beside each ({stem_of(missing[0])}.txt), or {' or '.join(TABLES)} in the root."
            )
        return found

    def one(self, name: str) -> str | None:
        stem = stem_of(name)
        if self.source.holds(f"{stem}.txt"):
            return decoded(self.source, f"{stem}.txt")
        for place, table in self.tables:
            for key in (name.removeprefix(place), stem.removeprefix(place)):
                if key in table:
                    return table[key]
        return None


def read_table(source: Source, file: str) -> dict[str, str]:
    """Name -> text. Raises ConfigError for what is none."""
    text = decoded(source, file)
    try:
        found = json.loads(text) if file.endswith(".json") else dict(csv.reader(io.StringIO(text)))
        if all(isinstance(value, str) for value in found.values()):
            return found
        reason = "a value is no text"
    except (ValueError, AttributeError, csv.Error) as error:
        reason = str(error)
    expected = '{"name": "text"} or lines of name,text'
    raise ConfigError(f"{file}: expected one text a name, {expected}; found: {reason}.")


def decoded(source: Source, file: str) -> str:
    try:
        return source.read(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: a caption must be UTF-8 ({error}). Save it again.") from error


def stem_of(name: str) -> str:
    return name.rpartition(".")[0]


def shared_folder(names: Sequence[str]) -> str:
    """The folder that all files lie in, with its `/`; "" if there is none."""
    first, last = min(names), max(names)  # of sorted names these share the least
    length = next((index for index, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[: first[:length].rfind("/") + 1]
