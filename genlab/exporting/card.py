"""What a generator is, how well it does, and whom to cite: a model card (Mitchell et al. 2019) in Markdown."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab.exporting.formats import NAMES

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.exporting.formats import Format
    from genlab.trainers import Trainer

ROOT = Path(__file__).parents[1]
UNKNOWN = "Not recorded in the run's directory."


def card(trainer: Trainer, form: Format, example: tuple[Tensor, ...], config: str) -> str:
    """`config`: of the run, as YAML."""
    words = command_of(trainer.run_dir)
    model, data = chosen("model", words), chosen("data", words)
    sections = {
        "Use": f"```python\n{form.usage.format(', '.join(NAMES[: len(example)]))}\n```\n\n{contract(trainer, example)}",
        "System": described("model", model),
        "Data": f"{described('data', data)}\n\n{images_of(trainer)}\n\nLicence: {licence(data)}",
        "Scores": scores(trainer.run_dir, trainer.images),
        "Training": training(trainer, words),
        "Config": f"```yaml\n{config}```",
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# {model or 'Generator'}{f' on {data}' if data else ''}\n\n{caption(trainer)}{body}\n"


def caption(trainer: Trainer) -> str:
    return f"Note: {trainer.caption}.\n\n" if trainer.caption else ""


def contract(trainer: Trainer, example: tuple[Tensor, ...]) -> str:
    """Inputs and outputs, in words."""
    lines = [f"- `{name}`: {kind(value)}" for name, value in zip(NAMES, example, strict=False)]
    law, spec = trainer.model.latent, trainer.spec
    side = [str(length - 2 * spec.padding) for length in spec.shape[1:]]
    shape = " x ".join([str(spec.channels), *side])
    images = f"float32 [N, {shape}] in [-1, 1]" if spec.height else f"float32 [N, {shape}], in the data's units"
    averaged = "averaged weights (EMA)" if trainer.ema else "the weights themselves, no average was kept"
    lines += [f"- law of `z`: {law}", f"- output: {images}", f"- weights: {averaged}"]
    return "\n".join(lines)


def kind(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} [{', '.join(['N', *map(str, value.shape[1:])])}]"


def command_of(run_dir: Path) -> list[str] | None:
    """The words that started the run's training; None if it was started from Python, or they were not kept."""
    path = run_dir / "environment.json"
    words = json.loads(path.read_text(encoding="utf-8"))["command"] if path.is_file() else [""]
    return words[1:] if "train" in Path(words[0]).name else None


def chosen(group: str, words: list[str] | None) -> str | None:
    """The choice on the command line, else its experiment's, else the one that training starts from."""
    if words is None:
        return None
    said = dict(word.split("=", 1) for word in words if "=" in word)
    if group in said:
        return said[group]
    experiment = path_of("experiment", said.get("experiment"))
    texts = [path.read_text(encoding="utf-8") for path in (experiment, path_of("", "train")) if path]
    found = (re.search(rf"^  - (?:override /)?{group}: (\w+)", text, re.MULTILINE) for text in texts)
    return next((match.group(1) for match in found if match), None)


def path_of(group: str, name: str | None) -> Path | None:
    from genlab import configs

    path = Path(configs.__path__[0], group, f"{name}.yaml")
    return path if path.is_file() else None


def described(group: str, name: str | None) -> str:
    """The comment lines on top of a choice's YAML: what it is, and the paper."""
    path = path_of(group, name)
    if path is None:
        return UNKNOWN if name is None else f"`{group}={name}`"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "@package" not in line]
    top = next((index for index, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return f"`{group}={name}`: " + "\n".join(line[1:].strip() for line in lines[:top])


def licence(data: str | None) -> str:
    note = ROOT / "data" / "files" / str(data) / "README.md"
    text = note.read_text(encoding="utf-8") if note.is_file() else ""
    found = re.search(r"\*\*Licence\.\*\* (.+?)(?:\n\n|\Z)", text, re.DOTALL)
    return found.group(1) if found else "not known here; see where the data come from."


def images_of(trainer: Trainer) -> str:
    spec = trainer.spec
    told = "" if spec.condition is None else f", {spec.condition.description}{spec.condition.legend}"
    return f"{spec.images:,} training images or points of {' x '.join(map(str, spec.shape))}{told}."


def training(trainer: Trainer, words: list[str] | None) -> str:
    done = f"Exported after {trainer.images:,} training images ({trainer.step:,} steps)."
    return f"{done} {UNKNOWN}" if words is None else f"{done}\n\n    python -m genlab.train {shlex.join(words)}"


def scores(run_dir: Path, position: int) -> str:
    """A table of every record of the exported weights, with how it was measured."""
    found = [record for record in records(run_dir) if record["position"] == position]
    if not found:
        return f"None were measured after {position:,} images. Measure some: `python -m genlab.evaluate run=...`."
    rows = [f"| {record['metric']} | {value(record)} | {how(record)} |" for record in found]
    return "\n".join(["| metric | value | measured |", "|---|---|---|", *dict.fromkeys(rows)])


def records(run_dir: Path) -> list[dict[str, Any]]:
    """Of training's end, of metrics on the way, and of genlab.evaluate."""
    ends, later = run_dir / "summary.json", run_dir / "evaluations.jsonl"
    found = json.loads(ends.read_text(encoding="utf-8"))["records"] if ends.is_file() else []
    way = run_dir / "metrics.jsonl"
    lines = [line for path in (way, later) if path.is_file() for line in path.read_text(encoding="utf-8").splitlines()]
    read = [json.loads(line) for line in lines]
    return found + [line.get("record", line) for line in read if "record" in line or "metric" in line]


def value(record: dict[str, Any]) -> str:
    return "nan" if record["value"] is None else f"{record['value']:.6g}"


def how(record: dict[str, Any]) -> str:
    words = [
        f"{record['images']:,} samples{' (EMA)' if record['ema'] else ''}, seed {record['seed']}",
        f"{record['reference_images']:,} of {record['reference']}",
        f"{record['extractor']} {record['extractor_hash'][:8]}, resize {record['resize']}",
        record["settings"],
    ]
    return "; ".join(word for word in words if word)
