"""Whatever the number of images at a time, every metric gives the same numbers, and gives them again."""

import pytest
import torch

from genlab.build import instantiate as build
from genlab.callbacks.scores import source_of
from genlab.data import InMemory, Split
from genlab.data.sets.points import Ring
from genlab.metrics import Coordinates, Evaluation, Pixels
from tests.conftest import choices, composed, narrow

SIDE = 16
QUICK = {
    "kid.subset_size": 30, "kid.subsets": 4, "birthday.batch": 20, "classifier_score.splits": 3,
    "swd.directions": 16, "swd.images": 40, "ms_ssim.pairs": 25, "ppl.paths": 40,
    "cas.images": 30, "cas.steps": 3, "cas.amounts": [1.0], "reconstruction.images": 60, "likelihood.images": 60,
    "likelihood.samples": 3, "w1.pairs": 40, "mmd.pairs": 40,
}  # fmt: skip
SETS = {
    "full",
    "quick",
    "none",
    "points",
    "stacked_mnist",
    "own_pictures",
    "inception_score",
}  # of several, or of others
OF_ENCODERS = {"reconstruction", "likelihood"}
OF_STYLES = {"ppl_w", "ppl_w_end", "eq_t", "eq_r"}
OF_PAIRS = {"pairs", "l1", "psnr", "ssim", "lpips", "mask_agreement"}
OF_WORDS, OF_ATTRIBUTES = {"described"}, {"attribute_accuracy", "attribute_changes"}
OF_GANS = sorted(set(choices("metrics")) - SETS - OF_ENCODERS - OF_STYLES - OF_PAIRS - OF_WORDS - OF_ATTRIBUTES)


class Reader(Pixels):
    """Knows two classes by an image's brightness."""

    def logits(self, features):
        return torch.stack([features.mean(1), -features.mean(1)], 1)

    def labels(self, features):
        return self.logits(features).argmax(1)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path))


def pictures() -> InMemory:
    source = torch.Generator().manual_seed(7)
    shape = (80, 1, SIDE, SIDE)
    train, test = (torch.randint(0, 256, shape, generator=source, dtype=torch.uint8) for _ in range(2))
    return InMemory(Split(train, torch.arange(80) % 2), test=Split(test, torch.arange(80) % 2), name="pictures")


def metrics_of(*names):
    """Of the menu, made small."""
    nodes = composed("model=gan", f"metrics=[{','.join(names)}]", "metrics/extractor=pixels")["metrics"]["metrics"]
    for name, node in nodes.items():
        node |= {key.split(".")[1]: value for key, value in QUICK.items() if key.split(".")[0] == name}
    return {name: build.make(node, name) for name, node in nodes.items()}


def scores(trainer, extractor, names, size, **options):
    evaluation = Evaluation(extractor, metrics_of(*names), images=60, batch_size=size, **options)
    evaluation.check(trainer.data, trainer.samples)
    records = evaluation.run(source_of(trainer.samples, trainer.images), trainer.data, device="cpu")
    for metric in evaluation.metrics.values():  # each has numbers, and gives none that it has not announced
        assert any(metric.may_return(record.metric, extractor) for record in records)
    assert all(evaluation.may_return(record.metric) for record in records)
    return {record.metric: record.value for record in records}


def stepped(make_trainer, data, model, *words):
    """In float64: in which order sums are taken must not move a pixel by a grey level."""
    trainer = make_trainer(f"model={model}", *narrow(model), "trainer.precision=float64", *words, data=data)
    trainer.take_step()
    return trainer


@pytest.mark.parametrize(
    ("model", "names"),
    [("cgan_conv", OF_GANS), ("multi_gan", sorted({*OF_GANS} - {"accuracy", "balanced_accuracy", "intra_fid", "cas"}))],
)
def test_generators_score_alike_at_any_batch_size(make_trainer, model, names):
    trainer = stepped(make_trainer, pictures(), model)
    found = scores(trainer, Reader(), names, 50)
    assert len(found) >= len(names)
    assert scores(trainer, Reader(), names, 50) == found
    assert scores(trainer, Reader(), names, 7) == pytest.approx(found, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("model", ["cvae", "vae_conv"])
def test_encoders_score_alike_at_any_batch_size(make_trainer, model):
    trainer = stepped(make_trainer, pictures(), model)
    found = scores(trainer, Pixels(), OF_ENCODERS, 50)
    assert scores(trainer, Pixels(), OF_ENCODERS, 50) == found
    assert scores(trainer, Pixels(), OF_ENCODERS, 7) == pytest.approx(found, rel=1e-6)


@pytest.mark.parametrize(("task", "names"), [("denoising", ["pairs", "fid"]), ("segments", ["mask_agreement"])])
def test_translators_score_alike_at_any_batch_size(make_trainer, task, names):
    data = InMemory(pictures().train, test=pictures().test, task=task, name="pictures")
    trainer = stepped(make_trainer, data, "pix2pix")
    found = scores(trainer, Pixels(), names, 50)
    assert scores(trainer, Pixels(), names, 50) == found
    assert scores(trainer, Pixels(), names, 7) == pytest.approx(found, rel=1e-6)


def test_points_score_alike_at_any_batch_size(make_trainer):
    trainer = stepped(make_trainer, Ring(points=100, test_points=60), "gan")
    found = scores(trainer, Coordinates(), ["points"], 50)
    assert scores(trainer, Coordinates(), ["points"], 50) == found
    assert scores(trainer, Coordinates(), ["points"], 7) == pytest.approx(found, rel=1e-6)
