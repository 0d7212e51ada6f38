"""NVIDIA's .pkl files: G, D and G_ema of stylegan2-ada-pytorch and stylegan3, also converted from TensorFlow."""

from typing import Any

from genlab.importing.imported_model import ImportedModel
from genlab.importing.network_record import NetworkRecord
from genlab.importing.stylegan2_nvidia import convert_discriminator, convert_generator, shape_of_generator
from genlab.importing.stylegan3_nvidia import convert_generator3, is_stylegan3, shape_of_generator3

NAMES = {"generator": "G", "ema": "G_ema", "discriminator": "D"}  # ours: theirs


class NvidiaPickle:
    """The networks of a file by their names there; each is a record of its class's name and state."""

    def recognises(self, tree: Any) -> bool:
        return isinstance(tree, dict) and all(is_record(tree.get(name)) for name in ("G_ema", "D"))

    def convert(self, tree: Any) -> ImportedModel:
        found = {ours: NetworkRecord.of(tree[theirs]) for ours, theirs in NAMES.items() if is_record(tree.get(theirs))}
        found = {"generator": found["ema"]} | found  # some files leave G out
        generator = found["generator"]
        alias_free = is_stylegan3(generator)
        shape = (shape_of_generator3 if alias_free else shape_of_generator)(generator)
        change = convert_generator3 if alias_free else convert_generator
        weights, words = convert_discriminator(found["discriminator"], shape)
        return ImportedModel(
            model=shape.model,
            words=shape.words | words,
            channels=shape.channels,
            size=(shape.side, shape.side),
            classes=shape.classes,
            networks={"discriminator": weights} | {name: change(found[name], shape) for name in ("generator", "ema")},
            name=shape.name,
        )


def is_record(node: Any) -> bool:
    return isinstance(node, dict) and node.keys() == {"class_name", "state"} and isinstance(node["state"], dict)
