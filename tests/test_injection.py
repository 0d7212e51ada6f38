"""Text of others in pages, cards, tables, logs and terminals: nothing of it is a script, a command or a formula."""

import json
import logging
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml

from genlab.build.preflight import print_rows
from genlab.cli.command import exit_code_of
from genlab.core.condition import Attributes, Classes
from genlab.core.errors import ConfigError
from genlab.core.printable import PrintableFormatter, printable
from genlab.core.words import Words
from genlab.evaluate import describe_measurement, score_table
from genlab.exporting import card
from genlab.pictures.sheet import write_png
from genlab.reports import page
from genlab.reports.run import read_run
from genlab.reports.tables import as_cell, format_csv

OLD_RUN = Path(__file__).parent / "core" / "old_run"
EVIL = "<script>alert(1)</script>\x1b[2J\u202e|`\"'>"
RECORD = {
    "value": 1.0, "images": 9, "ema": True, "seed": 0, "reference_images": 9, "reference": EVIL, "extractor": EVIL,
    "extractor_hash": EVIL, "resize": EVIL, "settings": EVIL, "position": 128, "own_data": True, "metric": EVIL,
}  # fmt: skip


def is_harmless(text: str) -> bool:
    return "\x1b" not in text and "\u202e" not in text


def put_everywhere(run: Path) -> None:
    """Write the text into every file of a run, wherever a text may stand: keys, values, names of files."""
    config = yaml.safe_load((run / "config.yaml").read_text())
    config |= {"seed": EVIL, EVIL: EVIL, "changes": [{"key": EVIL, "old": EVIL, "new": EVIL, "images": 3}]}
    config["model"]["generator"] |= {"norm": EVIL, EVIL: 1}
    config["trainer"]["images"] = EVIL
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    health = [{"kind": EVIL, "message": EVIL, "images": 8}]
    best = {"metric": EVIL, "value": 1.0} | RECORD
    summary = {"images": 128, "stopped": EVIL, "health": health, "best": best, "data": EVIL, "device": EVIL, EVIL: EVIL}
    (run / "summary.json").write_text(json.dumps(summary | {"records": [RECORD]}))
    environment = {
        "command": ["train", EVIL, f"model={EVIL}"],
        "device_name": EVIL,
        "versions": {EVIL: EVIL},
        EVIL: EVIL,
    }
    (run / "environment.json").write_text(json.dumps(environment))
    rows = [{"images": 64, "step": 1, "time": 1.0, EVIL: 2.0}, {"images": 128, "record": RECORD}]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run / "evaluations.jsonl").write_text(json.dumps(RECORD | {"checkpoint": EVIL}) + "\n")
    (run / "error.txt").write_text(EVIL)
    for folder in ("samples", EVIL.replace("/", "")):
        write_png(torch.zeros(1, 8, 8, dtype=torch.uint8), run / folder / f"128_{EVIL.replace('/', '')}.png")


def test_a_report_shows_it_as_text(tmp_path):
    run = shutil.copytree(OLD_RUN, tmp_path / "run")
    put_everywhere(run)
    found = page.render([read_run(run)], title=EVIL, grids=2)
    assert found.count("<script") == 2 and "<script>alert" not in found
    body = found[: found.index('<script type="application/json"')]
    assert is_harmless(body) and "\\x1b[2J" in body


def test_a_card_shows_it_as_text(tmp_path):
    put_everywhere(shutil.copytree(OLD_RUN, tmp_path / "run"))
    run = SimpleNamespace(
        images=128, step=4, spec=SimpleNamespace(images=9, shape=(1, 8, 8), condition=Classes(2, (EVIL, "b")))
    )
    words = card.training_command(tmp_path / "run")
    config = (tmp_path / "run" / "config.yaml").read_text() + "```\n<script>\n"
    parts = [
        card.score_table(tmp_path / "run", 128),
        card.images_of(run),
        card.describe_choice("model", card.find_choice("model", words)),
    ]
    assert all(is_harmless(part) and "<script" not in part for part in parts)
    assert "\n" not in card.training_section(run, [EVIL, "a\n# b"]).partition("python")[2]
    block = card.code_block(config, "yaml")
    assert block.startswith("````yaml\n") and block.endswith("````") and is_harmless(block)


@pytest.mark.parametrize("record", [{}, {"metric": 3}, RECORD | {"value": "x"}, RECORD | {"extractor_hash": 3}])
def test_a_card_leaves_out_records_that_no_run_writes(tmp_path, record):
    (tmp_path / "summary.json").write_text(json.dumps({"records": [record, 3]}))
    (tmp_path / "metrics.jsonl").write_text(json.dumps({"record": [record | {"position": 128}]}) + "\n")
    (tmp_path / "evaluations.jsonl").write_text(json.dumps(record | {"position": 128}) + "\n")
    (tmp_path / "environment.json").write_text(json.dumps({"command": 3}))
    assert card.score_table(tmp_path, 128).startswith("None were measured") or "value" in record
    assert card.training_command(tmp_path) is None


def test_terminals_get_no_commands(capfd):
    def fail():
        raise ConfigError(EVIL)

    assert exit_code_of(fail) == 2
    print_rows([("data", EVIL)])
    record = logging.LogRecord("genlab", logging.INFO, "", 0, "%s", (EVIL,), None)
    texts = [*capfd.readouterr(), PrintableFormatter("%(message)s").format(record)]
    names = (EVIL, "a\nb")
    texts += [kind(2, names).description for kind in (Classes, Attributes)]
    texts += [
        Words(names, 3).full_description,
        Words(names, 3).how_to_ask,
        Classes(2, names).how_to_ask,
        Attributes(2, names).how_to_ask,
        Classes(2, names).full_description,
    ]
    assert all(is_harmless(text) for text in texts) and not any("\nb" in text for text in texts[3:])


def test_scores_are_printed_as_text():
    one = SimpleNamespace(**RECORD)
    assert is_harmless(printable("\n".join(score_table([one], describe_measurement))))


def test_spreadsheets_get_no_formulas():
    assert [as_cell(value) for value in ("=1+1", "@a", -1.0, "a")] == ["'=1+1", "'@a", -1.0, "a"]
    assert "\n'=HYPERLINK" in format_csv(["run"], [{"run": "=HYPERLINK(1)"}])


def test_line_ends_and_other_alphabets_stay():
    assert printable("a\tb\nשלום été 漢字") == "a\tb\nשלום été 漢字"
