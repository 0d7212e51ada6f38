"""The documentation pages: short enough, nothing dangling, and every command composes and has been run."""

import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from genlab.cli import composition, menu
from tests.conftest import CONFIGS, choices

HOME = Path(__file__).parents[1]
ENTRY_POINTS = {path.stem for path in CONFIGS.glob("*.yaml")}
GROUPS = {path.parent.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob("*.yaml")}
OF_THE_GUIDE = {"mode", "format"}  # choices of genlab.sample and genlab.export
UNLISTED = {".", "features", "metrics/base"}  # entry points; two files that --help explains; what all metrics share


@pytest.fixture(scope="module")
def scripts():
    sys.path.insert(0, str(HOME / "scripts"))
    try:
        yield importlib.import_module("pages")
    finally:
        sys.path.remove(str(HOME / "scripts"))


@pytest.fixture(scope="module")
def pages(scripts):
    return scripts.read_pages()


def test_the_readme_is_a_face(pages):
    assert len(pages["README.md"].splitlines()) <= 200
    assert len(pages["README.md"].encode()) <= 12_288


def test_lines_outside_tables_are_at_most_160_characters(pages):
    long = [
        f"{page}: {line}"
        for page, text in pages.items()
        for line in text.splitlines()
        if len(line) > 160 and not line.startswith("|")
    ]
    assert not long


def test_every_link_and_image_exists(pages):
    broken = [
        f"{page}: {target}"
        for page, text in pages.items()
        for target in re.findall(r"\]\(([^)\s]+)\)", text)
        if not target.startswith(("http://", "https://")) and not leads_somewhere(HOME / page, target)
    ]
    assert not broken


def leads_somewhere(page: Path, target: str) -> bool:
    """Is there such a file, and in it such a heading?"""
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page
    return path.exists() and (not anchor or anchor in anchors(path.read_text(encoding="utf-8")))


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_menu_names_every_choice(pages):
    missing = []
    for group in sorted(GROUPS - UNLISTED):
        text = pages["genlab/README.md" if group in OF_THE_GUIDE else "configs/README.md"]
        named = set(re.findall(r"`(\w+)`", text)) | set(re.findall(rf"\b{group}=\[?(\w+)", text))
        missing += [f"{group}={name}" for name in choices(group) if name not in named]
    assert not missing, "say on the page what they are"


def test_every_command_composes(scripts, pages):
    """The choices and keys that they name exist. Folders of one's own are left to scripts/pages.py."""
    OmegaConf.register_new_resolver("started", lambda: "now", replace=True)
    checked = 0
    for command in scripts.all_commands(pages):
        found = re.search(r"genlab\.(\w+) (.*)", command.text) if command.code is None else None
        if found and found[1] in ENTRY_POINTS and "--config-dir" not in command.text:
            where = {"config_path": composition.CONFIGS, "config_name": found[1]}
            words = composition.replace_mappings(overrides(shlex.split(found[2])), where)
            composition.load_config(words, where)
            checked += 1
    assert checked > 50


def overrides(words: list[str]) -> list[str]:
    """Return a command line's overrides without flags and Hydra's plugins; the first value of those that are swept."""
    words = [word for word in words if re.match(r"[~+]?[\w./@]+=", word) and not word.startswith("hydra")]
    parsed = OverridesParser.create().parse_overrides([word for word in words if not word.startswith("resume=")])
    return [
        f"{override.key_or_group}={next(override.sweep_string_iterator())}"
        if override.is_sweep_override() and override.is_discrete_sweep()
        else override.input_line
        for override in parsed
        if not override.is_sweep_override() or override.is_discrete_sweep()
    ]


UNQUOTED_SIGN = re.compile(r"[][{}()*?^<>!#$`;]|(?<!&)&(?!&)|(^|\s)[=~]")  # bash or zsh would not pass it on


def test_commands_are_quoted_for_bash_and_zsh(scripts, pages):
    tables = {page: text.replace("<!-- results", "<!-- ") for page, text in pages.items()}
    shown = [one.text for page, text in tables.items() for one in scripts.commands_of(text, page) if one.code is None]
    usages = [menu.USAGE, *(importlib.import_module(f"genlab.{name}").USAGE for name in ENTRY_POINTS - {"train"})]
    shown += [line for text in usages for line in re.findall(r"^  (python -m .+?)(?:  .*)?$", text, re.MULTILINE)]
    assert not [text for text in shown if "completion" not in text and UNQUOTED_SIGN.search(without_quoted(text))]
    blocks = [
        block for text in pages.values() for _, language, block in scripts.split_blocks(text) if language == "bash"
    ]
    assert not [block for block in blocks if re.search(r"(^|\s)#", block)], "zsh takes a comment for words"


def without_quoted(command: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"$`!]*\"", "", command)


def test_every_command_has_been_run(scripts, pages):
    done = scripts.read_record()
    commands = [command for command in scripts.all_commands(pages) if command.reason_not_run is None]
    unknown = [
        command.text for command in commands if not command.code and command.arguments[0] not in scripts.PROGRAMS
    ]
    assert not unknown, "scripts/pages.py starts no such program: give a reason in its NOT_RUN"
    assert not [command.text for command in commands if command.text not in done], "run python scripts/pages.py"


def test_commands_are_found_wherever_they_stand(scripts):
    text = (
        "Use `python -m genlab.train --help`.\n\n"
        "```bash\npython -m genlab.train model=gan \\\n  seed=1    # why\n```\n\n"
        "| `python -m genlab.train data=mnist ...` | score |\n|---|---|\n| `model=vae` | 1 |\n| mean image | 2 |\n\n"
        "<!-- results: mnist -->\n| `python -m genlab.train ...` |\n|---|\n| `model=pca` |\n<!-- end: mnist -->\n"
    )
    assert [command.text for command in scripts.commands_of(text, "README.md")] == [
        "python -m genlab.train --help",
        "python -m genlab.train model=gan seed=1",
        "python -m genlab.train data=mnist model=vae",
    ]


def test_a_record_is_read_back(scripts, monkeypatch, tmp_path):
    monkeypatch.setattr(scripts, "RECORD_FILE", tmp_path / "commands.md")
    good, bad = (scripts.Command(f"python -m genlab.train seed={seed}", "README.md") for seed in (1, 2))
    rows = {command.text: scripts.record_row(command, code, 3.2) for command, code in ((good, 0), (bad, 2))}
    scripts.RECORD_FILE.write_text(scripts.record_page([good, bad], rows))
    assert scripts.read_record() == {good.text: rows[good.text]}
