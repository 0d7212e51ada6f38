"""Words that belong to images: from file names, folders and captions to indices, and back."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.types import Count
from genlab.data.labels.attribute_vectors import Told
from genlab.data.storage.archives import Source, listed
from genlab.data.storage.folder_layout import Members

WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")  # letters and digits of any script; apostrophes within
TABLES = ("captions.json", "captions.csv")
NEAR = 3  # known words that are named beside an unknown one

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
        labels = encoded(texts, words, self.length)
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


def words_of(text: str) -> list[str]:
    return WORD.findall(text.lower())


def encoded(texts: Sequence[str], vocabulary: Sequence[str], length: int) -> Tensor:
    """int64 [N, length]: the numbers of a text's first known words, from 1, and 0 behind the last."""
    numbers = {word: number for number, word in enumerate(vocabulary, start=1)}
    rows = [[numbers[word] for word in words_of(text) if word in numbers][:length] for text in texts]
    padded = [row + [0] * (length - len(row)) for row in rows]
    return torch.tensor(padded, dtype=torch.int64).view(len(rows), length)


def text_of(row: Sequence[int], vocabulary: Sequence[str]) -> str:
    return " ".join(vocabulary[number - 1] for number in row if number)


def asked(texts: Sequence[str], vocabulary: Sequence[str], *, key: str = "words") -> Tensor:
    """What a user wants to be shown, as `encoded`. Raises ConfigError for texts with unknown words, or without any."""
    unknown = dict.fromkeys(word for text in texts for word in words_of(text) if word not in vocabulary)
    if unknown:
        raise ConfigError(f"{key}: this model knows {len(vocabulary)} words, but not {described(unknown, vocabulary)}.")
    empty = [text for text in texts if not words_of(text)]
    if empty or not texts:
        raise ConfigError(f"{key}={list(texts)}: expected words, such as {', '.join(vocabulary[:NEAR])}.")
    return encoded(texts, vocabulary, max(len(words_of(text)) for text in texts))


def described(unknown: Iterable[str], vocabulary: Sequence[str]) -> str:
    """Every unknown word with known ones like it."""
    near = {word: get_close_matches(word, vocabulary, n=NEAR, cutoff=0.0) for word in unknown}
    return "; ".join(f"{word} (nearest: {', '.join(known)})" for word, known in near.items())


def classes_named(words: Tensor, vocabulary: Sequence[str], class_names: Sequence[str]) -> Tensor:
    """int64 [N]: the class whose name is among the words [N, L], all of it; -1 where that is none, or more than one."""
    bags = bags_of(words, len(vocabulary))
    said = torch.stack([says(bags, words_of(name), vocabulary) for name in class_names], 1)  # [N, classes]
    return torch.where(said.sum(1) == 1, said.int().argmax(1), -1)


def bags_of(words: Tensor, known: int) -> Tensor:
    """bool [N, 1 + known]: which numbers are among the words [N, L]."""
    return torch.zeros(len(words), 1 + known, dtype=torch.bool, device=words.device).scatter_(1, words, True)


def says(bags: Tensor, name: Sequence[str], vocabulary: Sequence[str]) -> Tensor:
    """[N]: whether all words of a name are in bags [N, 1 + vocabulary]."""
    if not name or not set(name) <= set(vocabulary):
        return torch.zeros(len(bags), dtype=torch.bool, device=bags.device)
    return bags[:, [1 + vocabulary.index(word) for word in name]].all(1)
