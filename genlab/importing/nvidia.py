"""NVIDIA's .pkl files: G, D and G_ema of stylegan2-ada-pytorch and stylegan3."""

from typing import Any

from genlab.importing.imported_model import ImportedModel
from genlab.importing.network_record import NetworkRecord
from genlab.importing.stylegan2_nvidia import convert_discriminator, convert_generator, generator_facts
from genlab.importing.stylegan3_nvidia import convert_stylegan3_generator, is_stylegan3, stylegan3_generator_facts

NAMES = {"generator": "G", "ema": "G_ema", "discriminator": "D"}  # ours: theirs


class NvidiaPickle:
    """The networks of a file by their names there; each is a record of its class's name and state."""

    def recognises(self, tree: Any) -> bool:
        return isinstance(tree, dict) and all(is_record(tree.get(name)) for name in ("G_ema", "D"))

    def convert(self, tree: Any) -> ImportedModel:
        found = {ours: NetworkRecord.of(tree[theirs]) for ours, theirs in NAMES.items() if is_record(tree.get(theirs))}
        found = {"generator": found["ema"]} | found  # some files leave G out
        if is_stylegan3(found["generator"]):
            read_facts, convert = stylegan3_generator_facts, convert_stylegan3_generator
        else:
            read_facts, convert = generator_facts, convert_generator
        facts = read_facts(found["generator"])
        weights, words = convert_discriminator(found["discriminator"], facts)
        return ImportedModel(
            model=facts.model,
            words=facts.words | words,
            channels=facts.channels,
            size=(facts.side, facts.side),
            classes=facts.classes,
            networks={"discriminator": weights} | {name: convert(found[name], facts) for name in ("generator", "ema")},
            name=facts.name,
        )


def is_record(node: Any) -> bool:
    return isinstance(node, dict) and node.keys() == {"class_name", "state"} and isinstance(node["state"], dict)
