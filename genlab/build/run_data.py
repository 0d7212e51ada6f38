"""The data of a trained run: those it was trained on, or others that the user names."""

import logging
from typing import Any, NamedTuple

from genlab.build import instantiate as build
from genlab.build.imported_run import IMPORTED
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.data import InMemory
from genlab.data.arrays import refuse_one_value
from genlab.data.blank_dataset import Blank

LEFT_OPEN = ("root", "label_seed")  # null where a data set is chosen: not every one has them
SHOWN_DIGITS = 8  # of a SHA-256
log = logging.getLogger(__name__)


class RunData(NamedTuple):
    data: InMemory
    spec: Spec  # that the run's networks are built from
    own: bool  # the data are those of training


def data_for_run(
    state: dict[str, Any],  # of the checkpoint
    *,
    real: bool,  # with the run's own data instead of blank images
    given: InMemory | None = None,  # from Python
    named: dict[str, Any],  # on the command line: {"root": PATH}, or the values of a whole data set
) -> RunData:
    """Return the data to open a run with. Raises ConfigError for others than its own that the user did not name."""
    named = without_unset(named)
    spec = Spec.of(state["spec"]) if state.get("spec") else None
    if given is None and not real and not named and spec:  # a checkpoint without a spec needs its data
        return RunData(Blank(spec), spec, own=True)
    if given is None and not named and spec:
        refuse_larger_size(state["config"]["data"], spec)
    data = build_data(state["config"], named) if given is None else require_data_set(given, "data=...")
    own = is_own(data, state, named=given is not None or bool(named))
    return RunData(data, data.spec if own or spec is None else spec, own)


def refuse_larger_size(node: dict[str, Any], spec: Spec) -> None:
    """Raise ConfigError if a run's config would have its data resized to far more pixels than it was trained with."""
    size = node.get("size")
    sides = [side for side in (size if isinstance(size, list) else [size]) if isinstance(side, int)]
    if spec.height and spec.width and max(sides, default=0) > 2 * max(spec.height, spec.width):  # crops are smaller
        raise ConfigError(
            f"data.size={size}: so the run's config says, but its images had {spec.width} x {spec.height} pixels in "
            "training. The file is damaged, or was made to fill memory: use another copy."
        )


def build_data(config: dict[str, Any], named: dict[str, Any]) -> InMemory:
    """Return the data of a run's config, with the values of `named` in place of its own.

    With a `_target_`, `named` is another data set. Raises ConfigError for data that cannot be had.
    """
    own, whole = config["data"], "_target_" in named
    if not whole and (unknown := [key for key in named if key not in own]):
        raise ConfigError(
            f"data.{unknown[0]}={named[unknown[0]]}: {describe_source(own)}. Name another set: data=NAME."
        )
    try:
        return build.dataset(build.check_node(named if whole else own | named, "data"))
    except ConfigError as error:
        if named or "root" not in own:
            raise
        raise ConfigError(f"{error} If the run's data were moved, say where they are: data.root=PATH.") from error


def without_unset(named: dict[str, Any]) -> dict[str, Any]:
    """Return the values that a user named: of a whole data set all but those that evaluation's config leaves open."""
    if "_target_" not in named:
        return {key: value for key, value in named.items() if value is not None}
    inner = {key: without_unset(value) if isinstance(value, dict) else value for key, value in named.items()}
    return {key: value for key, value in inner.items() if key not in LEFT_OPEN or value is not None}


def describe_source(node: dict[str, Any]) -> str:
    if "from_python" in node:
        return f"the run's data ({node['from_python']}) were given from Python"
    return f"the run's data ({node.get('_target_', '')}) come from no files of yours"


def is_own(data: InMemory, state: dict[str, Any], *, named: bool) -> bool:
    """Return whether these are the data that a checkpoint was trained on.

    Raises ConfigError for others that the user did not name, or that do not fit the networks.
    """
    found = differing_splits(data, state)
    if IMPORTED in state:
        refuse_other_images(data.spec, Spec.of(state["spec"]))
        return False
    if not found:
        return True
    if not named:
        raise ConfigError(
            f"data: {describe_difference(data, state, found)}. Put the run's own data back, or say where they are: "
            "data.root=PATH. To use these, name them: data.root=PATH (or data=NAME); scores then say that they are "
            "other data."
        )
    if state.get("spec"):
        refuse_other_images(data.spec, Spec.of(state["spec"]))
    log.warning("other data, as named: %s", describe_difference(data, state, found))
    return False


def differing_splits(data: InMemory, state: dict[str, Any]) -> list[str]:
    """Return the names of the splits that differ from those of training; older checkpoints know the first alone."""
    now, before = fingerprints_of(data), fingerprints_before(state)
    return [name for name, fingerprint in before.items() if fingerprint and now.get(name) != fingerprint]


def fingerprints_of(data: InMemory) -> dict[str, str]:
    return {"train": data.fingerprint} | data.split_fingerprints


def fingerprints_before(state: dict[str, Any]) -> dict[str, str]:
    return {"train": state["fingerprint"]} | (state.get("splits") or {})


def describe_difference(data: InMemory, state: dict[str, Any], differing: list[str]) -> str:
    """Return how the data differ from those of training.

    If all splits differ, none is named: fingerprints of pictures in files cover the files of every split.
    """
    split, everything = differing[0], len(differing) == len(fingerprints_before(state))
    subject, verb = ("pictures or labels", "are") if everything else (f"{split} split", "is")
    images = f", {state['spec']['images']:,} images to train on" if state.get("spec") else ""
    return (
        f"the {subject} of {data.name} (SHA-256 {fingerprints_of(data).get(split, 'none')[:SHOWN_DIGITS]}, "
        f"{data.spec.images:,} images to train on) {verb} not what the run was trained with (SHA-256 "
        f"{fingerprints_before(state)[split][:SHOWN_DIGITS]}{images})"
    )


def refuse_other_images(found: Spec, expected: Spec) -> None:
    """Raise ConfigError for images or points that the run's networks do not make."""
    for name in ("shape", "padding", "scale"):
        there, wanted = getattr(found, name), getattr(expected, name)
        if there != wanted:
            raise ConfigError(
                f"data: the {name} of what was named is {there}, and the run was trained with {wanted}. Name data of "
                "the same kind, or let data.size make them so."
            )


def refuse_other_condition(found: Spec, expected: Spec) -> None:
    """Raise ConfigError for labels that mean something else to a conditional model than those of its training."""
    if not conditions_agree(found, expected):
        raise ConfigError(
            f"data: what was named has {describe_condition(found)}, and this model is told "
            f"{describe_condition(expected)}{describe_other_name(found, expected)}. Name data with the same labels."
        )
    if expected.label_names and not found.label_names:
        log.warning("data: labels without names, and those of training have names: %s", describe_condition(expected))


def refuse_other_names(found: Spec, state: dict[str, Any]) -> None:
    """Raise ConfigError for a run that is resumed with equal labels of other names than its checkpoint holds."""
    expected = Spec.of(state["spec"]) if state.get("spec") else found
    lost = expected.label_names and not found.label_names
    if lost or not conditions_agree(found, expected):
        raise ConfigError(
            f"this run cannot be resumed with other labels: the data have {describe_condition(found)}, and the run was "
            f"trained with {describe_condition(expected)}{describe_other_name(found, expected)}. Give its own data, or "
            "start a new run (init_from=... takes over its weights)."
        )


def conditions_agree(found: Spec, expected: Spec) -> bool:
    """Return whether labels mean the same."""
    if found.condition is None or expected.condition is None:
        return found.condition is expected.condition
    return found.condition.agrees_with(expected.condition)


def describe_other_name(found: Spec, expected: Spec) -> str:
    """Return the first label with another name, which a table of many may not show; "": other things differ."""
    pairs = enumerate(zip(found.label_names, expected.label_names, strict=False))
    unlike = (f" (number {number} is {now}, and was {before})" for number, (now, before) in pairs if now != before)
    return next(unlike, "")


def describe_condition(spec: Spec) -> str:
    return "no labels" if spec.condition is None else spec.condition.description


def require_data_set(data: Any, key: str) -> InMemory:
    """Return a data set. Raises ConfigError for anything else, such as a tensor, and for pictures of one value."""
    if not isinstance(data, InMemory):
        raise ConfigError(
            f"{key}: of type {type(data).__name__}: expected a genlab.data.InMemory, or a class derived from it. Wrap "
            "tensors or arrays: InMemory(Split(images, labels)), of genlab.data."
        )
    for what, split in {"training": data.train, "test": data.test}.items():
        if split is not None:
            refuse_one_value(split.images, what)
    return data
