"""Worsening scores of a real run are named."""

import json
from pathlib import Path

import pytest

from genlab.build import instantiate as build
from genlab.data import InMemory, Split
from genlab.data.sets.mnist import MNIST
from tests.conftest import composed

EVERY, DECAY_FROM = 2_500, 10_000
RUN = (
    "model=vae", "model.encoder.widths=[128]", "model.decoder.widths=[128]", "model.latent.size=8",
    "optimizer.autoencoder.lr=3e-3", "trainer.batch_size=50", "trainer.images=17_500", "trainer.device=cpu",
    "metrics=[fid,classifier_score]", f"metrics.every={EVERY}", "metrics.images=300",
    "metrics.metrics.classifier_score.splits=1", "callbacks=none",
    "+callbacks.health={_target_: genlab.callbacks.Health, every: null}",
    "+callbacks.jsonl={_target_: genlab.callbacks.JSONL}", "+callbacks.summary={_target_: genlab.callbacks.Summary}",
)  # fmt: skip


@pytest.fixture
def digits():
    found = MNIST(limit=2_000)
    return InMemory(found.train, test=Split(found.test.images[:300], found.test.labels[:300]))


def decay_decoder(trainer):
    """Let the decoder learn until DECAY_FROM; then decay its weights once more before every score."""
    step, decoder, learnt = trainer.take_step, list(trainer.model.decoder.parameters()), []

    def take_decaying_step():
        step()
        if trainer.images == DECAY_FROM:
            learnt.extend(parameter.detach().clone() for parameter in decoder)
        if trainer.images > DECAY_FROM and trainer.images % EVERY == 0:
            times = (trainer.images - DECAY_FROM) // EVERY
            for parameter, before in zip(decoder, learnt, strict=True):
                parameter.data = before * 0.85**times

    trainer.take_step = take_decaying_step


def test_a_run_whose_scores_worsen_is_named(digits, tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path / "cache"))
    trainer = build.trainer(composed(*RUN), tmp_path, digits)
    decay_decoder(trainer)
    trainer.fit()
    fid, clear = (scores(tmp_path, name) for name in ("fid", "classifier_score"))
    assert fid == [*sorted(fid[:4], reverse=True), *sorted(fid[4:])] and fid[4] > fid[3]  # it learnt, then faded
    assert clear == [*sorted(clear[:4]), *sorted(clear[4:], reverse=True)] and clear[4] < clear[3]
    found = json.loads((tmp_path / "summary.json").read_text())["health"]
    assert [(one["kind"], one["images"]) for one in found] == [("worsening", 17_500)] * 2
    assert "fid rose 3 times in a row" in found[0]["message"]
    assert "classifier_score fell 3 times in a row" in found[1]["message"]


def scores(run_dir: Path, name: str) -> list[float]:
    rows = map(json.loads, (run_dir / "metrics.jsonl").read_text().splitlines())
    return [row[f"score/{name}"] for row in rows if f"score/{name}" in row]
