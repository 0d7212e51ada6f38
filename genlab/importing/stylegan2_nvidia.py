"""StyleGAN2's networks of NVIDIA's PyTorch code (Karras et al. 2020), in the names and shapes of this program.

Sizes are read from the shapes. Refused is what no network here computes: other architectures, activations and filters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from genlab.importing.network_record import NetworkRecord

MAPPING_RATE = 0.01  # learning rate of mappings here relative to other layers'
SMALLEST = 4  # pixels a side of the innermost maps
LARGEST = 1024  # of images
BINOMIAL = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8


@dataclass(frozen=True)
class GeneratorFacts:
    """The architecture of a generator, read from the shapes of its tensors."""

    model: str  # a choice of `model=`
    name: str  # for messages: StyleGAN2
    side: int  # of its images, in pixels
    channels: int  # of its images
    classes: int  # 0: without
    words: dict[str, Any] = field(default_factory=dict)  # values of keys: {"model.generator.width": 32}


def generator_facts(record: NetworkRecord) -> GeneratorFacts:
    """Return the architecture of a generator. Raises ValueError for one that is built otherwise."""
    sides = sides_of(record, "synthesis.b{}.conv1.weight")
    require_filters(record)
    if not all(f"synthesis.b{side}.torgb.weight" in record for side in sides):
        raise ValueError("its generator has another architecture than StyleGAN2's skip connections")
    widths = [len(record[f"synthesis.b{side}.conv1.weight"]) for side in sides]
    channels, classes = len(record[f"synthesis.b{sides[-1]}.torgb.weight"]), classes_of(record)
    words = width_words("generator", widths) | mapping_words(record)
    return GeneratorFacts("stylegan2", "StyleGAN2", sides[-1], channels, classes, words)


def sides_of(record: NetworkRecord, pattern: str) -> list[int]:
    """Return the sides of maps, from 4 to the image's; all but 4 have a tensor of this name."""
    sides = [SMALLEST]
    while sides[-1] < LARGEST and pattern.format(2 * sides[-1]) in record:
        sides.append(2 * sides[-1])
    if len(sides) < 2:
        raise ValueError("its networks are not StyleGAN2's or StyleGAN3's")
    return sides


def classes_of(record: NetworkRecord) -> int:
    return record["mapping.embed.weight"].shape[1] if "mapping.embed.weight" in record else 0


def width_words(network: str, widths: list[int]) -> dict[str, Any]:
    """Return the keys of a network's widths, given from 4 pixels on. Raises ValueError for those of another rule."""
    width, most = widths[-1], max(widths)
    if widths != [min(width << level, most) for level in reversed(range(len(widths)))]:
        raise ValueError(f"the channels of its {network}, {widths}, do not double from size to size")
    return {f"model.{network}.width": width, f"model.{network}.most": most}


def mapping_words(record: NetworkRecord) -> dict[str, Any]:
    """Return the keys of the latent and of the mapping."""
    style, latent = len(record["mapping.w_avg"]), record["mapping.fc0.weight"].shape[1]
    return {
        "model.latent.size": latent - (style if classes_of(record) else 0),
        "model.generator.style_size": style,
        "model.generator.depth": record.count("mapping.fc{}.weight"),
        **({"model.conditional": True} if classes_of(record) else {}),
    }


def require_filters(record: NetworkRecord) -> None:
    """Raise ValueError for other filters than [1, 3, 3, 1], and for other activations than leaky rectifiers."""
    expected = torch.outer(BINOMIAL, BINOMIAL)
    for name, found in record.tensors.items():
        if name.endswith("resample_filter") and not (
            found.shape == expected.shape and torch.allclose(found.float(), expected)
        ):
            raise ValueError(f"it filters by {list(found.shape)} other numbers than StyleGAN2's")
    for name, state in record.attributes.items():
        if state.get("activation", "lrelu") not in ("lrelu", "linear"):
            raise ValueError(f"the activation of {name.rstrip('.')} is {state['activation']}, not a leaky rectifier")


def convert_mapping(record: NetworkRecord, names: Sequence[str], embedding: str) -> dict[str, Tensor]:
    """Return the layers of a mapping under these names, and the embedding of classes if there is one."""
    found = {}
    for index, name in enumerate(names):
        rate = record.number(f"mapping.fc{index}.", "bias_gain", MAPPING_RATE) / MAPPING_RATE
        for kind in ("weight", "bias"):
            found[f"{name}.{kind}"] = record[f"mapping.fc{index}.{kind}"] * rate
    if classes_of(record):
        found[f"{embedding}.table.weight"] = record["mapping.embed.weight"].T.contiguous()
        found[f"{embedding}.bias"] = record["mapping.embed.bias"]
    return found


def convert_generator_mapping(record: NetworkRecord) -> dict[str, Tensor]:
    """Return the state of a generator's mapping, with the tracked mean of its styles."""
    names = [f"mapping.layers.{index}" for index in range(record.count("mapping.fc{}.weight"))]
    return convert_mapping(record, names, "mapping.embedding") | {"mapping.mean": record["mapping.w_avg"]}


def convert_affine(record: NetworkRecord, theirs: str, ours: str) -> dict[str, Tensor]:
    """Return the weight of a modulated convolution, and the affine function of its styles."""
    return {f"{ours}.{name}": record[f"{theirs}.{name}"] for name in ("weight", "affine.weight", "affine.bias")}


def convert_generator(record: NetworkRecord, facts: GeneratorFacts) -> dict[str, Tensor]:
    """Return the state of a generator."""
    found = convert_generator_mapping(record) | {"constant": record[f"synthesis.b{SMALLEST}.const"]}
    for level in range((facts.side // SMALLEST).bit_length()):
        theirs, ours = f"synthesis.b{SMALLEST << level}", f"stages.{level}"
        layers = ("conv0", "conv1") if level else ("conv1",)
        for place, layer in enumerate(layers):
            found |= convert_layer(record, f"{theirs}.{layer}", f"{ours}.layers.{place}")
        found |= convert_affine(record, f"{theirs}.torgb", f"{ours}.to_image")
        found[f"{ours}.bias"] = record[f"{theirs}.torgb.bias"][:, None, None]
    return found


def convert_layer(record: NetworkRecord, theirs: str, ours: str) -> dict[str, Tensor]:
    """Return the state of a styled convolution."""
    return convert_affine(record, theirs, f"{ours}.conv") | {
        f"{ours}.bias": record[f"{theirs}.bias"][:, None, None],
        f"{ours}.noise.strength": record[f"{theirs}.noise_strength"].view(1, 1, 1),
        f"{ours}.noise.fixed": record[f"{theirs}.noise_const"][None, None],
    }


def convert_discriminator(record: NetworkRecord, facts: GeneratorFacts) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the state of a discriminator, and the keys that its shapes tell."""
    sides = sides_of(record, "b{}.conv0.weight")
    if sides[-1] != facts.side or classes_of(record) != facts.classes:
        raise ValueError("its discriminator is for other images than its generator")
    require_filters(record)
    words = discriminator_words(record, sides)
    after_halving = len(sides) + 1 + (words["model.discriminator.minibatch"] == "deviation")
    names = {0: f"b{facts.side}.fromrgb", after_halving: "b4.conv", after_halving + 3: "b4.fc"}
    found: dict[str, Tensor] = {}
    for place, theirs in names.items():
        found |= convert_plain(record, theirs, f"layers.{place}")
    for place, side in enumerate(reversed(sides[1:]), start=2):
        found |= convert_plain(record, f"b{side}.conv0", f"layers.{place}.same")
        found |= convert_plain(record, f"b{side}.conv1", f"layers.{place}.down")
        found[f"layers.{place}.skip.weight"] = record[f"b{side}.skip.weight"]
    rectified = range(1, 2 * record.count("mapping.fc{}.weight"), 2)  # an activation stands after each
    labels = [f"label_vectors.layers.{place}" for place in rectified]
    found |= convert_mapping(record, labels, "label_vectors.layers.0")
    return found | convert_plain(record, "b4.out", "last"), words


def convert_plain(record: NetworkRecord, theirs: str, ours: str) -> dict[str, Tensor]:
    """Return the weight and the bias of a layer."""
    return {f"{ours}.{kind}": record[f"{theirs}.{kind}"] for kind in ("weight", "bias")}


def discriminator_words(record: NetworkRecord, sides: list[int]) -> dict[str, Any]:
    """Return the keys that a discriminator's shapes tell. Raises ValueError for one that is built otherwise."""
    widths = [len(record["b4.conv.weight"]), *(len(record[f"b{side}.conv0.weight"]) for side in sides[1:])]
    statistics = record["b4.conv.weight"].shape[1] - widths[0]
    if f"b{sides[-1]}.skip.weight" not in record or statistics > 1:
        raise ValueError("its discriminator has another architecture than StyleGAN2's residual one")
    words = width_words("discriminator", widths) | {
        "model.discriminator.minibatch": "deviation" if statistics else "none"
    }
    if group := record.number("b4.mbstd.", "group_size"):
        words["model.discriminator.group"] = group
    if classes_of(record):
        words["model.discriminator.depth"] = record.count("mapping.fc{}.weight")
        if not words["model.discriminator.depth"]:
            raise ValueError("its discriminator maps classes without a layer, and StyleGAN2's here has one or more")
    return words
