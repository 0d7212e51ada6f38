"""Layers for networks conditioned on words: conditioning augmentation, and attention of map positions to words."""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from genlab.core.spec import Spec
from genlab.core.words import Words


class ConditioningAugmentation(nn.Module):
    """(condition, noise [N, size]) -> code [N, size], normal with moments that depend on the condition.

    Zhang et al. 2017, section 3.2. Words are embedded as a bag; classes and attributes are possible as well.
    """

    def __init__(self, spec: Spec, embedding_size: int, size: int) -> None:
        super().__init__()
        self.embedding = spec.condition.embedding(embedding_size)
        self.law = nn.Linear(embedding_size, 2 * size)

    def moments(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the code, [N, size] each."""
        return self.law(leaky_relu(self.embedding(condition), 0.2)).chunk(2, dim=1)

    def forward(self, condition: Tensor, noise: Tensor) -> Tensor:
        mean, log_variance = self.moments(condition)
        return mean + (log_variance / 2).exp() * noise


class WordAttention(nn.Module):
    """(maps [N, C, H, W], words int64 [N, L]) -> [N, C, H, W]: the words that each position attends to.

    Xu et al. 2018 (AttnGAN), section 3.1: weights are the softmax over words of the inner product of features and word
    vector; the result is the weighted mean of word vectors. The vectors are learned here, without a sentence encoder.
    An image without words has a vector of its own.

    Raises ConfigError for data without words.
    """

    def __init__(self, spec: Spec, channels: int) -> None:
        super().__init__()
        words = spec.require(
            Words,
            "model.generator.attention=true: attends to single words, and these data have none. Set data.words="
            "caption (or name, folders, path), choose data=mnist_words, or set it to false.",
        )
        self.vectors = nn.Embedding(1 + words.size, channels)
        nn.init.normal_(self.vectors.weight, std=channels**-0.5)  # initial weights neither equal nor one-hot

    def forward(self, maps: Tensor, words: Tensor) -> Tensor:
        vectors = self.vectors(words)  # [N, L, C]
        weights = self.attention_weights(maps.flatten(2).transpose(1, 2) @ vectors.transpose(1, 2), words)
        return (weights @ vectors).unflatten(1, maps.shape[2:]).permute(0, 3, 1, 2)

    @staticmethod
    def attention_weights(scores: Tensor, words: Tensor) -> Tensor:
        """Return attention weights [N, HW, L]; positions after the last word have weight 0."""
        behind = (words == 0) & (torch.arange(words.shape[1], device=words.device) > 0)
        return scores.masked_fill(behind[:, None], -torch.inf).softmax(2)
