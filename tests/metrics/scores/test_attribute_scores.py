"""Attribute accuracy, and what changes with an attribute, of models and classifiers that are right or wrong by rule."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from genlab.core.condition import Attributes
from genlab.core.spec import Spec
from genlab.core.words import Words, encode_texts
from genlab.metrics import AttributeAccuracy, AttributeChanges

NAMES = ("glasses", "dark_glasses", "hat")
KIND = Attributes(3, NAMES, implies=(("dark_glasses", "glasses"),))
ROWS = torch.tensor([[1.0, 0, 1], [1, 1, 0], [0, 0, 0], [0, 0, 1]])


class Reader:
    """Images whose first row of pixels is the attributes: it reads them from there."""

    name, attribute_names = "reader", NAMES

    def __call__(self, images):
        return images[:, 0, 0, :3]

    def attribute_logits(self, features):
        return features


def draw(rows):
    """Images [N, 1, 2, 4] that show attributes [N, 3]: white for those that are there."""
    images = torch.zeros(len(rows), 1, 2, 4)
    images[:, 0, 0, :3] = rows.float() * 2 - 1
    return images


def reference(kind=KIND, other=None, labels=ROWS):
    train = SimpleNamespace(labels=labels)
    data = SimpleNamespace(spec=Spec(1, 2, 4, images=4, condition=kind), label_kind=kind, other=other, train=train)
    return SimpleNamespace(data=data, extractor=Reader(), batch_size=3)


def accuracy(shown, asked, kind=KIND):
    metric = AttributeAccuracy()
    metric.update(shown, asked)
    return metric.compute(reference(kind))


def test_accuracy_is_counted_for_each_attribute_and_for_all():
    shown = ROWS * 2 - 1
    found = accuracy(shown, ROWS)
    assert set(found.values()) == {1.0} and list(found)[:2] == ["attribute_accuracy", "all_attributes"]
    shown[1, 2] = 1  # a hat that nobody asked for
    shown[3] = torch.nan  # an image that diverged
    found = accuracy(shown, ROWS)
    assert found["attribute_accuracy_glasses"] == 0.75 and found["attribute_accuracy_hat"] == 0.5
    assert found["all_attributes"] == 0.5 and found["attribute_accuracy"] == pytest.approx(2 / 3)


def test_words_ask_for_attributes_and_other_attributes_for_none():
    words = ("dark", "glasses", "hat", "plain")
    asked = encode_texts(["glasses hat", "dark glasses", "plain", "hat"], words, 3)
    assert accuracy(ROWS * 2 - 1, asked, Words(words, 3))["all_attributes"] == 1
    assert accuracy(ROWS * 2 - 1, ROWS, Attributes(3, ("a", "b", "c"))) == {} == accuracy(ROWS, None)
    assert accuracy(ROWS, asked, Words(("plain", "hat", "x", "y"), 3)) == {}


class Model(nn.Module):
    """Shows what it is asked for; with `forgets`, never a hat."""

    conditional = True

    def __init__(self, forgets=False):
        super().__init__()
        self.forgets = forgets


class Trained:
    spec, device = Spec(1, 2, 4, images=4, condition=KIND), "cpu"

    def __init__(self, **options):
        self.model = Model(**options)

    def sampling(self):
        from contextlib import nullcontext

        return nullcontext(self.model)

    def sample_conditions(self, start, count):
        return ROWS[torch.arange(start, start + count) % len(ROWS)]

    def draw_samples(self, start, count, condition=None):
        shown = condition.clone()
        if self.model.forgets:
            shown[:, 2] = 0
        return draw(shown)


def changes(trained, at):
    metric = AttributeChanges(images=12)
    metric.start(SimpleNamespace(trained=trained))
    assert metric.unfit_reason(at, trained) is None
    return metric.compute(at)


def test_one_attribute_changes_and_the_others_stay():
    assert changes(Trained(), reference()) == {"change_shown": 1, "others_stayed": 1}  # dark ones turn glasses on too
    found = changes(Trained(forgets=True), reference())
    assert found["others_stayed"] == 1 and found["change_shown"] < 1


class Translator(Trained):
    """Gives pictures without glasses dark ones; the second of each four loses its hat, too."""

    def sample_conditions(self, start, count):
        hats = torch.arange(start, start + count) % 2
        return draw(torch.stack([0 * hats, 0 * hats, hats], 1))

    def draw_samples(self, start, count, condition=None):
        shown = (condition[:, 0, 0, :3] > 0).float()
        shown[:, :2] = 1
        shown[torch.arange(start, start + count) % 4 == 1, 2] = 0
        return draw(shown)


def test_dark_glasses_are_no_other_change_than_glasses():
    others = SimpleNamespace(train=SimpleNamespace(labels=ROWS[2:]))
    found = changes(Translator(), reference(other=others, labels=ROWS[:2]))
    assert found == {"change_shown": 1, "others_stayed": 0.75}


def test_what_it_cannot_measure_is_said():
    metric, trained = AttributeChanges(), Trained()
    same = SimpleNamespace(train=SimpleNamespace(labels=ROWS))
    assert "do not differ" in metric.unfit_reason(reference(other=same), trained)
    assert "reader" in metric.unfit_reason(reference(Attributes(3, ("a", "b", "c"))), trained)
    trained.model.conditional = False
    assert "cyclegan" in metric.unfit_reason(reference(), trained)
