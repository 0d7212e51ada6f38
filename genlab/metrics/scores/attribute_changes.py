"""Changes of attributes: does a model change the attribute that it should, and nothing else?"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.core.pixels import as_saved
from genlab.core.types import Amount
from genlab.data import InMemory
from genlab.metrics.metric import SourceMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.scores.attribute_accuracy import shown_attributes
from genlab.metrics.trained_model import TrainedModel, evaluation_mode


class Change(NamedTuple):
    """Images before and after one attribute each was to change."""

    before: Tensor  # [N, C, H, W] in [-1, 1]
    after: Tensor
    attribute: Tensor  # int64 [N]
    wanted: Tensor  # bool [N]: is it to be there afterwards?


class AttributeChanges(SourceMetric):
    """`change_shown`: the share of images that show the attribute, or its absence, after it was to change.
    `others_stayed`: the share in which all other attributes are as before.

    A model that translates one kind of pictures into another, such as faces into faces with glasses, changes what the
    kinds differ in. A model that is told attributes makes each image twice of the same noise, the second time with one
    attribute changed, each in turn. Attributes of which one implies the other, as dark glasses are glasses, count as
    one: they are no others of each other. The extractor's classifier tells what images show.
    """

    uses_split = False
    numbers = ("change_shown", "others_stayed")
    higher_is_better = True
    uses_extractor = True

    def __init__(self, images: Amount = 2_000) -> None:  # that are changed
        self.images = images

    @property
    def settings(self) -> str:
        return f"{self.images:,} changes"

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        kind, names = reference.data.label_kind, reference.extractor.attribute_names
        if not names or kind is None or kind.attribute_names != names:
            return f"it needs data with attributes that metrics.extractor tells, and that is {reference.extractor.name}"
        told = trained is not None and trained.model.conditional
        if told and reference.data.other is not None and differing_attribute(reference.data) is None:
            return "the two kinds of pictures do not differ in one attribute: data=pixel_faces_glasses does"
        if told and (reference.data.other is not None or trained.spec.condition.attribute_names):
            return None
        return "it needs a model that is told attributes, or one that translates between kinds, such as cyclegan"

    @torch.no_grad()
    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the shares; images that are not finite have neither changed nor stayed."""
        kind = reference.data.label_kind
        related = torch.tensor([[other in kind.names_tied_to(name) for other in kind.names] for name in kind.names])
        shown, stayed = [], []
        with evaluation_mode(self.source.trained):
            for change in self.changes(reference):
                features = [reference.extractor(as_saved(images)) for images in (change.before, change.after)]
                before, after = (shown_attributes(reference, part) for part in features)
                finite = change.after.flatten(1).isfinite().all(1).cpu()
                shown.append(finite & (after.gather(1, change.attribute[:, None])[:, 0] == change.wanted))
                stayed.append(finite & ((before == after) | related[change.attribute]).all(1))
        shares = (torch.cat(part).double().mean().item() for part in (shown, stayed))
        return dict(zip(self.numbers, shares, strict=True))

    def changes(self, reference: Reference) -> Iterator[Change]:
        trained, crop = self.source.trained, reference.data.spec.crop
        make = self.translate if reference.data.other is not None else self.ask_anew
        for start in range(0, self.images, reference.batch_size):
            count = min(reference.batch_size, self.images - start)
            change = make(reference.data, trained, start, trained.sample_conditions(start, count))
            yield change._replace(before=crop(change.before).clamp(-1, 1), after=crop(change.after).clamp(-1, 1))

    def translate(self, data: InMemory, trained: TrainedModel, start: int, sources: Tensor) -> Change:
        number = differing_attribute(data)
        wanted = bool(data.train.labels[0, number])
        after = trained.draw_samples(start, len(sources), sources)
        return Change(sources, after, torch.full((len(sources),), number), torch.full((len(sources),), wanted))

    def ask_anew(self, data: InMemory, trained: TrainedModel, start: int, asked: Tensor) -> Change:
        kind = data.label_kind
        attribute = torch.arange(start, start + len(asked)) % kind.count
        changed = torch.stack([kind.toggle(row, number) for row, number in zip(asked.cpu(), attribute, strict=True)])
        both = (trained.draw_samples(start, len(asked), rows) for rows in (asked, changed.to(asked)))
        return Change(*both, attribute, changed.gather(1, attribute[:, None])[:, 0] > 0.5)


def differing_attribute(data: InMemory) -> int | None:
    """Return the attribute that all images of one kind have, and none of the other; None if there is none."""
    shares = [split.labels.mean(0) for split in (data.train, data.other.train)]
    found = ((shares[0] - shares[1]).abs() == 1).nonzero().flatten().tolist()
    return found[0] if found else None
