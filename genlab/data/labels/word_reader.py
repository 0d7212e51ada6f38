"""Words of images: read them from file names, folders and captions, and encode them as numbers."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from genlab.core.errors import ConfigError
from genlab.core.types import Count
from genlab.core.words import encode_texts, words_of
from genlab.data.labels.attribute_vectors import ImageLabels
from genlab.data.labels.unique_keys import read_json, unique
from genlab.data.storage.archives import MAX_LABEL_BYTES, FileSource, list_names, table_bytes, table_values
from genlab.data.storage.file_kinds import stem_of
from genlab.data.storage.split_names import Members

TABLES = ("captions.json", "captions.csv")  # of captions, by name

SourceName = Literal["name", "folders", "path", "caption"]


@dataclass(frozen=True)
class WordReader:
    """Reads the words of images: lower-case runs of letters and digits.

    `name`: of the file's own name; `folders`: of its folders, without `train`, `test` and those that all images share;
    `path`: of both; `caption`: of the text in NAME.txt beside it, or in captions.json ({"name": "text"}) or
    captions.csv (lines of name,text) in the root or the folder that all images share. Names there are paths from that
    folder, with or without their suffix.
    """

    source: SourceName = "caption"
    least: Count = 1  # training images that a word must occur in, or it is left out
    length: Count = 16  # the first known words of an image that are kept

    def __call__(self, source: FileSource, rows: Members, training: int) -> ImageLabels:
        """Return the words of the images in their order; the first `training` images make the vocabulary."""
        texts = self.texts(source, rows)
        words = self.vocabulary(texts[:training])
        labels = encode_texts(texts, words, self.length)
        longest = max(1, int((labels > 0).sum(1).max()))
        return ImageLabels(labels[:, :longest].contiguous(), words)

    def texts(self, source: FileSource, rows: Members) -> list[str]:
        """Return a text for each image. Raises ConfigError for images without a caption."""
        if self.source == "caption":
            return Captions(source).find_all(list(rows))
        wanted = {"name": slice(-1, None), "folders": slice(-1), "path": slice(None)}[self.source]
        return [" ".join((*parts[:-1], stem_of(parts[-1]))[wanted]) for parts in rows.values()]

    def vocabulary(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the sorted vocabulary. Raises ConfigError if no word is left."""
        counts = Counter(word for text in texts for word in set(words_of(text)))
        known = tuple(sorted(word for word, count in counts.items() if count >= self.least))
        if not known:
            raise ConfigError(
                f"data.words: no word of {self.source} belongs to {self.least} training images or more "
                f"({len(counts)} different words). Lower data.words.least, or choose another data.words: name, "
                "folders, path or caption."
            )
        return known


WordsChoice = SourceName | WordReader  # or data.words={_target_:genlab.data.WordReader,source:name,least:5}


class Captions:
    """Captions of images, in files beside them or in a table."""

    def __init__(self, source: FileSource) -> None:
        self.source, self.folder = source, shared_folder(source.names)
        folders = dict.fromkeys((self.folder, ""))
        files = [(folder, folder + file) for folder in folders for file in TABLES]
        self.tables = [(folder, read_table(source, file)) for folder, file in files if source.holds(file)]

    def find_all(self, names: Sequence[str]) -> list[str]:
        """Return the captions of all names. Raises ConfigError for names without one."""
        found = [self.find(name) for name in names]
        missing = [name for name, text in zip(names, found, strict=True) if text is None]
        if missing:
            raise ConfigError(
                f"data.words=caption: {len(missing)} of {len(names)} images have no caption: {list_names(missing)}. "
                f"Expected a text beside each ({stem_of(missing[0])}.txt), or {' or '.join(TABLES)} in the root."
            )
        return [text for text in found if text is not None]

    def find(self, name: str) -> str | None:
        stem = stem_of(name)
        if self.source.holds(f"{stem}.txt"):
            return read_text(self.source, f"{stem}.txt", MAX_LABEL_BYTES)
        for folder, table in self.tables:
            for key in (name.removeprefix(folder), stem.removeprefix(folder)):
                if key in table:
                    return table[key]
        return None


def read_table(source: FileSource, file: str) -> dict[str, str]:
    """Return captions by name. Raises ConfigError for a file that holds none."""
    text = read_text(source, file, table_bytes(source))
    try:
        in_json = file.endswith(".json")
        found = read_json(text, table_values(source)) if in_json else unique(csv.reader(io.StringIO(text)))
        if all(isinstance(value, str) for value in found.values()):
            return found
        reason = "a value is no text"
    except (ValueError, AttributeError, csv.Error) as error:
        reason = str(error)
    expected = '{"name": "text"} or lines of name,text'
    raise ConfigError(f"{file}: expected one text a name, {expected}; found: {reason}.")


def read_text(source: FileSource, file: str, most: int) -> str:
    """Return a file's text, of at most so many bytes. Raises ConfigError if it cannot be read."""
    try:
        return source.read(file, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: a caption must be UTF-8 ({error}). Save it again.") from error
    except Exception as error:  # a damaged, locked or strangely packed archive member raises nearly anything
        raise ConfigError(f"{file}: cannot be read ({error}). Make it readable, or remove it.") from error


def shared_folder(names: Sequence[str]) -> str:
    """Return the folder that all files lie in, with its `/`; "" if there is none."""
    first, last = min(names), max(names)  # of sorted names these share the least
    length = next((index for index, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[: first[:length].rfind("/") + 1]
