"""Write the model card (Mitchell et al. 2019) of an exported generator in Markdown: use, system, data, scores."""

import re
import shlex
from html import escape
from pathlib import Path
from typing import Any

from torch import Tensor

from genlab.core.json_files import read_object, read_objects
from genlab.core.printable import one_line, printable
from genlab.exporting.formats import INPUT_NAMES, Format
from genlab.trainers.sample_stream import TrainedRun

PACKAGE_FOLDER = Path(__file__).parents[1]
NAME = re.compile(r"[\w-]+")  # of a choice; a file may hold anything for the words of its command
UNKNOWN = "Not recorded in the run's directory."


def model_card(run: TrainedRun, form: Format, example: tuple[Tensor, ...], config: str) -> str:
    """Return the card. `config` is the run's, as YAML."""
    words, usage = training_command(run.run_dir), form.usage.format(", ".join(INPUT_NAMES[: len(example)]))
    model, data = find_choice("model", words), find_choice("data", words)
    sections = {
        "Use": f"```python\n{usage}\n```\n\n{describe_inputs(run, example)}",
        "System": describe_choice("model", model),
        "Data": f"{describe_choice('data', data)}\n\n{images_of(run)}\n\nLicence: {data_licence(data)}",
        "Scores": score_table(run.run_dir, run.images),
        "Training": training_section(run, words),
        "Config": code_block(config, "yaml"),
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# {model or 'Generator'}{f' on {data}' if data else ''}\n\n{caption_note(run)}{body}\n"


def code_block(text: str, language: str) -> str:
    """Return a block of code, whose fence is longer than any in the text."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{printable(text)}{fence}"


def plain(text: Any) -> str:
    """Return a text of a file as Markdown shows it letter by letter: no HTML, table or code of its own."""
    return re.sub(r"([\\`|*\[\]])", r"\\\1", escape(one_line(str(text)), quote=False))


def caption_note(run: TrainedRun) -> str:
    return f"Note: {run.caption}.\n\n" if run.caption else ""


def describe_inputs(run: TrainedRun, example: tuple[Tensor, ...]) -> str:
    """Return the inputs, the outputs and the kind of weights, a line each."""
    lines = [f"- `{name}`: {describe_tensor(value)}" for name, value in zip(INPUT_NAMES, example, strict=False)]
    law, spec = run.model.latent, run.spec
    side = [str(length - 2 * spec.padding) for length in spec.shape[1:]]
    shape = " x ".join([str(spec.channels), *side])
    images = f"float32 [N, {shape}] in [-1, 1]" if spec.height else f"float32 [N, {shape}], in the data's units"
    averaged = "averaged weights (EMA)" if run.ema else "the weights themselves, no average was kept"
    lines += [f"- law of `z`: {law}", f"- output: {images}", f"- weights: {averaged}"]
    return "\n".join(lines)


def describe_tensor(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} [{', '.join(['N', *map(str, value.shape[1:])])}]"


def training_command(run_dir: Path) -> list[str] | None:
    """Return the words that started training; None if it was started from Python, or they were not recorded."""
    found = read_object(run_dir / "environment.json").get("command")
    words = [str(word) for word in found] if isinstance(found, list) and found else [""]
    return words[1:] if "train" in Path(words[0]).name else None


def find_choice(group: str, words: list[str] | None) -> str | None:
    """Return a group's choice: the command line's, else its experiment's, else the default in configs/train.yaml."""
    if words is None:
        return None
    pairs = (word.split("=", 1) for word in words if "=" in word)
    typed = {key: value for key, value in pairs if NAME.fullmatch(value)}
    if group in typed:
        return typed[group]
    experiment = config_path("experiment", typed.get("experiment"))
    texts = [path.read_text(encoding="utf-8") for path in (experiment, config_path("", "train")) if path]
    found = (re.search(rf"^  - (?:override /)?{group}: (\w+)", text, re.MULTILINE) for text in texts)
    return next((match.group(1) for match in found if match), None)


def config_path(group: str, name: str | None) -> Path | None:
    import genlab.configs as configs

    path = Path(configs.__path__[0], group, f"{name}.yaml")
    return path if path.is_file() else None


def describe_choice(group: str, name: str | None) -> str:
    """Return the comment on top of a choice's YAML, which says what it is and names the paper."""
    path = config_path(group, name)
    if path is None:
        return UNKNOWN if name is None else f"`{group}={name}`"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "@package" not in line]
    top = next((index for index, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return f"`{group}={name}`: " + "\n".join(line[1:].strip() for line in lines[:top])


def data_licence(data: str | None) -> str:
    note = PACKAGE_FOLDER / "data" / "files" / str(data) / "README.md"
    text = note.read_text(encoding="utf-8") if note.is_file() else ""
    found = re.search(r"\*\*Licence\.\*\* (.+?)(?:\n\n|\Z)", text, re.DOTALL)
    return found.group(1) if found else "not known here; see where the data come from."


def images_of(run: TrainedRun) -> str:
    spec = run.spec
    condition = "" if spec.condition is None else f", {plain(spec.condition.full_description)}"
    return f"{spec.images:,} training images or points of {' x '.join(map(str, spec.shape))}{condition}."


def training_section(run: TrainedRun, words: list[str] | None) -> str:
    done = f"Exported after {run.images:,} training images ({run.step:,} steps)."
    return (
        f"{done} {UNKNOWN}" if words is None else f"{done}\n\n    python -m genlab.train {one_line(shlex.join(words))}"
    )


def score_table(run_dir: Path, position: int) -> str:
    """Return a table of all records of the exported weights, with how each was measured."""
    rows = [
        row for record in read_records(run_dir) if record.get("position") == position and (row := score_row(record))
    ]
    if not rows:
        return f"None were measured after {position:,} images. Measure some: `python -m genlab.evaluate run=...`."
    return "\n".join(["| metric | value | measured |", "|---|---|---|", *dict.fromkeys(rows)])


def score_row(record: dict[str, Any]) -> str:
    """Return the row of a score; "" for a record that no run writes."""
    try:
        return f"| {plain(record['metric'])} | {format_value(record)} | {plain(describe_measurement(record))} |"
    except (LookupError, TypeError, ValueError):
        return ""


def read_records(run_dir: Path) -> list[dict[str, Any]]:
    """Return all score records: of the end of training, of positions before, and of `genlab.evaluate`."""
    summary, files = run_dir / "summary.json", [run_dir / f"{name}.jsonl" for name in ("metrics", "evaluations")]
    found = read_object(summary).get("records")
    read = [line.get("record", line) for path in files for line in read_objects(path)]
    return [
        one for one in [*(found if isinstance(found, list) else []), *read] if isinstance(one, dict) and "metric" in one
    ]


def format_value(record: dict[str, Any]) -> str:
    return "nan" if record["value"] is None else f"{record['value']:.6g}"


def describe_measurement(record: dict[str, Any]) -> str:
    words = [
        f"{record['images']:,} samples{' (EMA)' if record['ema'] else ''}, seed {record['seed']}",
        f"{record['reference_images']:,} of {record['reference']}",
        "" if record.get("own_data", True) else "other data than the run's",
        f"{record['extractor']} {record['extractor_hash'][:8]}, resize {record['resize']}",
        record["settings"],
    ]
    return "; ".join(word for word in words if word)
