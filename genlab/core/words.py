"""Words as a condition: texts as numbers and back."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from genlab.core.base_condition import Condition
from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.user_values import as_typed, is_text

WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")  # letters and digits of any script; apostrophes within
MAX_STAND_INS = 16  # single words that stand in for texts
MAX_LISTED = 12  # words of a vocabulary in a message
MAX_NEAREST = 3  # known words that a message names beside an unknown one
MAX_CONCATENATED = 128  # width of a concatenated bag of words: a vocabulary may have thousands


@dataclass(frozen=True)
class Words(Condition):
    """Labels int64 [N, length]: the numbers of words, from 1 for the first of the vocabulary, padded with 0."""

    vocabulary: tuple[str, ...]
    length: int

    saved_as_captions: ClassVar[bool] = True

    @property
    def size(self) -> int:
        return len(self.vocabulary)

    @property
    def grid_lines(self) -> Literal["rows"]:
        return "rows"

    @property
    def names_in_files(self) -> dict[str, tuple[str, ...]]:
        return {"vocabulary": self.vocabulary}

    @property
    def concatenated_size(self) -> int:
        return min(self.size, MAX_CONCATENATED)

    @property
    def fingerprint(self) -> str:
        return str(self.vocabulary)

    @property
    def description(self) -> str:
        return f"{self.size} words"

    @property
    def full_description(self) -> str:
        return f"{self.description} by number, from 1 (0: none): {', '.join(self.vocabulary)}"

    @property
    def how_to_ask(self) -> str:
        more = f" and {self.size - MAX_LISTED} more" if self.size > MAX_LISTED else ""
        known = ", ".join(self.vocabulary[:MAX_LISTED]) + more
        return f"words=[{self.vocabulary[0]},{self.vocabulary[-1]}] (it knows {known})"

    def embedding(self, width: int) -> nn.Module:
        return WordSum(self.size, width)

    def reference_batch(self, draws: Draws) -> Tensor:
        return (draws.uniform("words", self.length) * (1 + self.size)).long()

    def stand_ins(self) -> Tensor:
        count = min(self.size, MAX_STAND_INS)
        alone = torch.zeros(count, self.length, dtype=torch.int64)
        alone[:, 0] = torch.arange(1, count + 1)
        return alone

    def check(self, labels: Tensor, images: Tensor) -> None:
        if labels.ndim != 2 or labels.dtype != torch.int64 or labels.min() < 0 or labels.max() > self.size:
            raise ConfigError(
                f"the words of images are {labels.dtype} of shape {list(labels.shape)}: expected torch.int64 [N, L], "
                f"with numbers from 0 (none) to {self.size}, the number of words known."
            )

    def classes_of(self, labels: Tensor, names: Sequence[str] = ()) -> Tensor | None:
        """Return the class int64 [N] whose whole name is among a label's words; -1 for none or more than one."""
        if not names:
            return None
        bags = bags_of(labels, self.size)
        named = torch.stack([self._contains_all(bags, words_of(name)) for name in names], 1)  # [N, classes]
        return torch.where(named.sum(1) == 1, named.int().argmax(1), -1)

    def attributes_of(self, labels: Tensor, names: Sequence[str]) -> Tensor | None:
        """Return whether all words of each name are among a label's, bool [N, K]; None: some are never used."""
        if not {word for name in names for word in words_of(name.replace("_", " "))} <= set(self.vocabulary):
            return None
        bags = bags_of(labels, self.size)
        return torch.stack([self._contains_all(bags, words_of(name.replace("_", " "))) for name in names], 1)

    def _contains_all(self, bags: Tensor, words: Sequence[str]) -> Tensor:
        """Return bool [N]: whether bags [N, 1 + size] contain all the words."""
        if not words or not set(words) <= set(self.vocabulary):
            return torch.zeros(len(bags), dtype=torch.bool, device=bags.device)
        return bags[:, [1 + self.vocabulary.index(word) for word in words]].all(1)

    def parse(self, given: Any, key: str = "words") -> Tensor:
        if isinstance(given, Tensor):
            return given
        if not is_text(given):
            raise ConfigError(f"{key}={as_typed(given)}: this model is told words. Say words='{self.vocabulary[0]}'.")
        texts = [given] if isinstance(given, str) else list(given)
        unknown = dict.fromkeys(word for text in texts for word in words_of(text) if word not in self.vocabulary)
        if unknown:
            raise ConfigError(f"{key}: this model knows {self.size} words, but not {self._with_nearest(unknown)}.")
        if not all(map(words_of, texts)):
            raise ConfigError(f"{key}={texts}: expected words, such as {', '.join(self.vocabulary[:MAX_NEAREST])}.")
        return encode_texts(texts, self.vocabulary, max(len(words_of(text)) for text in texts))

    def _with_nearest(self, unknown: Iterable[str]) -> str:
        near = {word: get_close_matches(word, self.vocabulary, n=MAX_NEAREST, cutoff=0.0) for word in unknown}
        return "; ".join(f"{word} (nearest: {', '.join(known)})" for word, known in near.items())

    def caption(self, label: Tensor) -> str:
        return " ".join(self.vocabulary[number - 1] for number in label.tolist() if number)


class WordSum(nn.Linear):
    """Embed words int64 [N, L] as [N, width]: the sum of the words' vectors over the root of their number.

    The order of words does not count. The scaled sum of independent vectors is as long as one of them; for no word at
    all it is 0.
    """

    def __init__(self, words: int, width: int) -> None:
        super().__init__(words, width, bias=False)

    def reset_parameters(self) -> None:
        """Draw standard normal weights, as `nn.Embedding` does."""
        nn.init.normal_(self.weight)

    def forward(self, words: Tensor) -> Tensor:
        ones = torch.ones_like(words, dtype=self.weight.dtype)
        bags = ones.new_zeros(words.shape[0], self.in_features + 1).scatter_add(1, words, ones)[:, 1:]
        return super().forward(bags / bags.sum(1, keepdim=True).clamp(min=1).sqrt())


def words_of(text: str) -> list[str]:
    """Return the lower-case words of a text, runs of letters and digits."""
    return WORD.findall(text.lower())


def encode_texts(texts: Sequence[str], vocabulary: Sequence[str], length: int) -> Tensor:
    """Return int64 [N, length]: the numbers of each text's first known words, from 1, padded with 0."""
    numbers = {word: number for number, word in enumerate(vocabulary, start=1)}
    rows = [[numbers[word] for word in words_of(text) if word in numbers][:length] for text in texts]
    padded = [row + [0] * (length - len(row)) for row in rows]
    return torch.tensor(padded, dtype=torch.int64).view(len(rows), length)


def bags_of(words: Tensor, known: int) -> Tensor:
    """Return bool [N, 1 + known]: which numbers are among the words [N, L]."""
    return torch.zeros(len(words), 1 + known, dtype=torch.bool, device=words.device).scatter_(1, words, True)
