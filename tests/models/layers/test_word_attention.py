"""Layers for words, against their papers' equations."""

import pytest
import torch
from torch.nn.functional import leaky_relu

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.words import MAX_CONCATENATED, Words, WordSum
from genlab.models.layers.concatenation import ConcatenatedMaps, Concatenation
from genlab.models.layers.word_attention import ConditioningAugmentation, WordAttention

WORDED = Spec(1, 8, 8, images=64, condition=Words(("a", "b", "c", "d"), 3))
TEXTS = torch.tensor([[2, 1, 0], [3, 3, 3], [0, 0, 0], [4, 0, 0]])


def test_a_sum_of_words_is_that_of_their_vectors_over_the_root_of_their_number():
    layer = WORDED.condition.embedding(5)
    assert isinstance(layer, WordSum)
    a, b, c, d = layer.weight.T
    expected = torch.stack([(a + b) / 2**0.5, 3 * c / 3**0.5, torch.zeros(5), d])
    torch.testing.assert_close(layer(TEXTS), expected)
    torch.testing.assert_close(layer(TEXTS.flip(1)), expected)


def test_words_start_as_classes_do():
    words, classes = Words(tuple(map(str, range(500))), 6), Classes(500)
    texts = torch.randint(1, 501, (400, 6))
    for found in (words.embedding(50)(texts), classes.embedding(50)(texts[:, 0] - 1)):
        assert found.std().item() == pytest.approx(1, abs=0.1)


def test_a_long_vocabulary_is_concatenated_as_a_short_vector():
    many = Spec(1, 8, 8, images=64, condition=Words(tuple(map(str, range(1_000))), 3))
    assert Concatenation(many)(torch.zeros(4, 7), TEXTS).shape == (4, 7 + MAX_CONCATENATED)
    assert ConcatenatedMaps(WORDED)(torch.zeros(4, 1, 8, 8), TEXTS).shape == (4, 1 + 4, 8, 8)


def test_a_code_is_drawn_around_the_condition():
    """Zhang et al. 2017, equation 5: c = mu + sigma * epsilon."""
    layer = ConditioningAugmentation(WORDED, 6, 2)
    mean, log_variance = layer.law(leaky_relu(layer.embedding(TEXTS), 0.2)).chunk(2, 1)
    noise = torch.randn(4, 2)
    torch.testing.assert_close(layer(TEXTS, noise), mean + log_variance.exp().sqrt() * noise)
    torch.testing.assert_close(layer.moments(TEXTS), (mean, log_variance))


def test_every_position_attends_to_the_words():
    """Xu et al. 2018, equations 2 and 3, place by place."""
    layer, maps = WordAttention(WORDED, 6), torch.randn(4, 6, 2, 3)
    found = layer(maps, TEXTS)
    for image, text in enumerate(TEXTS.tolist()):
        vectors = layer.vectors.weight[[word for word in text if word] or [0]]
        for row in range(2):
            for column in range(3):
                weights = (vectors @ maps[image, :, row, column]).softmax(0)
                torch.testing.assert_close(found[image, :, row, column], weights @ vectors)


def test_positions_after_the_last_word_have_no_weight():
    layer, maps = WordAttention(WORDED, 6), torch.randn(4, 6, 2, 3)
    longer = torch.cat([TEXTS, torch.zeros(4, 5, dtype=torch.int64)], 1)
    torch.testing.assert_close(layer(maps, longer), layer(maps, TEXTS))


def test_attention_needs_words():
    with pytest.raises(ConfigError, match=r"attention=true: attends to single words.*data\.words="):
        WordAttention(Spec(1, 8, 8, images=64, condition=Classes(5)), 6)
