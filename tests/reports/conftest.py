"""Runs made of files alone: nothing is trained for a report."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))  # tests/reports/browser.py

RECORD = {
    "metric": "fid",
    "value": 10.0,
    "extractor": "classifier",
    "extractor_hash": "a" * 64,
    "reference": "mnist/test",
    "reference_hash": "b" * 64,
    "images": 500,
    "reference_images": 10_000,
    "resize": "none",
    "ema": True,
    "seed": 0,
    "position": 3_000,
    "settings": "",
}


def write_run(folder: Path, *, seed: int = 0, lr: float = 0.001, scores=(10.0,), **measured) -> Path:
    """Three positions, a grid at each, one score record a value."""
    samples = folder / "samples"
    samples.mkdir(parents=True)
    text = f"seed: {seed}\nresume: null\nmodel: {{_target_: genlab.models.GAN}}\noptimizer: {{lr: {lr}}}\n"
    (folder / "config.yaml").write_text(text)
    records = [RECORD | {"value": value, "seed": seed} | measured for value in scores]
    rows = [
        {"images": 1_000 * n, "step": n, "time": 2.0 * n, "generator/adversarial": n + seed, "discriminator/gap": -n}
        for n in (1, 2, 3)
    ]
    lines = [*rows, *({"images": 3_000, "step": 3, "time": 6.0, "record": record} for record in records)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    summary = {"images": 3_000, "total_images": 3_000, "complete": True, "seconds": 6.0, "records": records}
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "environment.json").write_text(json.dumps({"device": "cpu", "command": ["train.py", f"seed={seed}"]}))
    for name, grey in (("000001000", 50), ("000002000", 100), ("000003000", 150), ("real", 200)):
        Image.new("L", (40, 40), grey).save(samples / f"{name}.png")
    return folder


@pytest.fixture
def make_run(tmp_path):
    return lambda name="gan-0", **facts: write_run(tmp_path / name, **facts)
