"""Attributes of samples by name, as a classifier sees them: `glasses+long_hair`, `no_hat`."""

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.pixels import as_saved
from genlab.metrics.extractors.extractor import Extractor
from genlab.sampling.loaded_run import Loaded
from genlab.sampling.mode import Request

MOST_SEARCHED = 2_000  # samples
WITHOUT = "no_"  # before a name


def require_attributes(loaded: Loaded, extractor: Extractor, said: str) -> None:
    """Raise ConfigError if the extractor tells no attributes of such images; `said`: what the user typed."""
    extractor.check(loaded.spec)
    if not extractor.attribute_names:
        raise ConfigError(
            f"{said}: the extractor of this run's scores, {extractor.name}, tells no attributes. Runs on pixel_faces "
            "have one that does; a classifier of your own data's attributes: scripts/train_classifier.py, and "
            "metrics/extractor@mode.extractor=own_classifier mode.extractor.weights=FILE."
        )


def shown_attributes(loaded: Loaded, extractor: Extractor, images: Tensor) -> Tensor:
    """Return which of the extractor's attributes samples show, bool [N, K], on the CPU."""
    extractor.to(loaded.run.device)
    parts = as_saved(images).split(loaded.batch_size)
    return torch.cat([extractor.attribute_logits(extractor(part)) > 0 for part in parts]).cpu()


def wanted_attributes(text: str, names: tuple[str, ...], said: str) -> dict[int, bool]:
    """Return which attributes a text asks for, by number, and which it asks not to be there."""
    found = {}
    for word in map(str.strip, text.split("+")):
        name = word.removeprefix(WITHOUT) if word not in names else word
        if name not in names:
            raise ConfigError(
                f"{said}: no attribute is called {word}. Expected {', '.join(names)}, joined by +; no_{names[0]}: "
                "without."
            )
        found[names.index(name)] = word == name
    return found


def samples_showing(loaded: Loaded, request: Request, extractor: Extractor, *, text: str, count: int) -> list[int]:
    """Return the numbers of the first `count` samples that show what a text asks for, such as `glasses+no_hat`.

    Raises ConfigError for unknown names, and if too few of 2,000 samples do.
    """
    require_attributes(loaded, extractor, text)
    wanted, found = wanted_attributes(text, extractor.attribute_names, text), []
    for start in range(0, MOST_SEARCHED, loaded.batch_size):
        images = loaded.sample(loaded.batch_size, start=start, **request.options)
        shown = shown_attributes(loaded, extractor, images)[:, list(wanted)]
        fits = (shown == torch.tensor(list(wanted.values()))).all(1)
        found += (start + fits.nonzero().flatten()).tolist()
        if len(found) >= count:
            return found[:count]
    raise ConfigError(
        f"{text}: {len(found)} of {MOST_SEARCHED:,} samples show that, and {count} are needed. Ask for less, or train "
        "on."
    )


def attribute_axes(vectors: Tensor, shown: Tensor, names: tuple[str, ...]) -> Tensor:
    """Return a unit vector [K, D] for each attribute: from the mean of vectors [N, D] without it to that with it.

    Raises ConfigError for an attribute that all samples show, or none.
    """
    axes = []
    for name, has in zip(names, shown.T, strict=True):
        if has.all() or not has.any():
            raise ConfigError(f"{name}: {int(has.sum())} of {len(has)} samples show it, which gives no direction.")
        axes.append(vectors[has].mean(0) - vectors[~has].mean(0))
    axes = torch.stack(axes)
    return axes / axes.norm(dim=1, keepdim=True)
