"""StyleGAN3's generators of NVIDIA's PyTorch code (Karras et al. 2021), in the names and shapes of this program."""

import re
from typing import Any

from torch import Tensor

from genlab.importing.network_record import NetworkRecord, require_number
from genlab.importing.stylegan2_nvidia import (
    GeneratorFacts,
    classes_of,
    convert_affine,
    convert_generator_mapping,
    mapping_words,
)

LAYER = re.compile(r"synthesis\.(L(\d+)_(\d+)_\d+)\.weight")  # place, side and channels of its maps
FIRST_STOPBAND, FILTER_SIZE = 2**2.1, 6  # the authors' defaults


def is_stylegan3(record: NetworkRecord) -> bool:
    return "synthesis.input.freqs" in record


def layers_of(record: NetworkRecord) -> list[str]:
    """Return the names of the layers in order; the last one makes the image."""
    found = sorted((int(match[2]), match[1]) for match in map(LAYER.fullmatch, record.tensors) if match)
    if [place for place, _ in found] != list(range(len(found))) or len(found) < 2:
        raise ValueError("its generator lacks layers")
    return [name for _, name in found]


def stylegan3_generator_facts(record: NetworkRecord) -> GeneratorFacts:
    """Return the architecture of a generator. Raises ValueError for one that is built otherwise."""
    *inner, last = layers_of(record)
    side = int(last.split("_")[1])
    weights = [record[f"synthesis.{name}.weight"] for name in inner]
    kernel = weights[0].shape[-1]
    radial = any(record.number(f"synthesis.{name}.", "down_radial") for name in inner)
    given = record.attribute("", "_init_kwargs") or {}
    words: dict[str, Any] = {
        "model.generator.width": len(weights[-1]),
        "model.generator.most": max(map(len, weights)),
        "model.generator.kernel": kernel,
        "model.generator.radial": radial,
        "model.generator.layers": len(inner),
        "+model.generator.critical": record.number("synthesis.", "num_critical"),
        "model.generator.margin": record.number("synthesis.", "margin_size"),
        "model.generator.stopband": require_number(given.get("first_stopband", FIRST_STOPBAND), "first_stopband"),
        "+model.generator.taps": require_number(given.get("filter_size", FILTER_SIZE), "filter_size"),
        "model.generator.clamp": record.number(f"synthesis.{inner[0]}.", "conv_clamp"),
    }
    model, letter = ("stylegan3_r", "R") if radial else ("stylegan3_t", "T")
    channels = len(record[f"synthesis.{last}.weight"])
    return GeneratorFacts(
        model, f"StyleGAN3-{letter}", side, channels, classes_of(record), words | mapping_words(record)
    )


def convert_stylegan3_generator(record: NetworkRecord, facts: GeneratorFacts) -> dict[str, Tensor]:
    """Return the state of a generator, for which `facts` tell nothing that the record does not."""
    found = convert_generator_mapping(record)
    names = {"mix": "weight", "frequencies": "freqs", "phases": "phases"}
    names |= {name: name for name in ("affine.weight", "affine.bias")}
    found |= {f"input.{ours}": record[f"synthesis.input.{theirs}"] for ours, theirs in names.items()}
    for place, name in enumerate(layers_of(record)):
        found |= convert_affine(record, f"synthesis.{name}", f"blocks.{place}.conv")
        found[f"blocks.{place}.bias"] = record[f"synthesis.{name}.bias"][:, None, None]
        found[f"blocks.{place}.size.square"] = record[f"synthesis.{name}.magnitude_ema"]
    return found
