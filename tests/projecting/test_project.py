"""The latent of an image: found again where there is one, and in the closed form's place for a linear generator."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from genlab import project
from genlab.build import instantiate as build
from genlab.cli import command
from genlab.core import checkpoint
from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.metrics import Classifier
from genlab.models.autoencoders.vqvae import UniformCodes
from genlab.models.latent import Coded, Normal, NormalWithGenerator, Uniform
from genlab.projecting import LatentSearch, distances, error_of, load_target, require_searchable, starts_of
from tests.conftest import TINY, composed, narrow, replace_words, tiny_data


@pytest.fixture
def trained(tmp_path):
    """A run of two steps, and images that it samples."""

    def make(model, *words, size=16, channels=1):
        data = tiny_data(size=size, channels=channels)
        config = composed(*TINY, f"model={model}", *narrow(model), *words)
        trainer = build.trainer(config | {"trainer": config["trainer"] | {"images": 16}}, tmp_path / "run", data)
        trainer.fit()
        with torch.no_grad():  # after two steps images are nearly grey: give them contrast, or 8 bit is too coarse
            for weight in [value for value in trainer.model.generator.parameters() if value.ndim == 4][-1:]:
                weight.mul_(10)
            trainer.model.generator.train()
            for _ in range(40):  # batch normalisation's averages catch up
                told = trainer.samples.sample_conditions(0, 50)
                trainer.model.generator(trainer.model.latent.draw(trainer.samples.fixed_draws(0))[:50], told)
        trainer.restart_average()
        path = trainer.run_dir / "checkpoints" / f"{trainer.images:010d}.pt"
        checkpoint.save(path, trainer.parts, config=trainer.config, fingerprint="", spec=data.spec)
        return trainer

    return make


def projected(trainer, image, *words):
    quick = [f"run={trainer.run_dir}", f"image={image}", "checkpoint=newest", "device=cpu"]
    return command.main("project", "", project.job, replace_words(quick, *words))


def saved(images, path):
    """The first image as a file."""
    pixels = ((images[0] + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).squeeze(-1).numpy()
    Image.fromarray(pixels).save(path)
    return path


def outcome(trainer, name):
    folder = trainer.run_dir / "projections" / name
    return json.loads((folder / "distance.json").read_text()), np.load(folder / "latent.npz"), folder


def test_a_linear_generator_has_the_latent_of_the_closed_form(trained, tmp_path):
    trainer = trained("pca", "model.latent.size=5", size=8)
    target = trainer.data.train.images[:1].float() / 127.5 - 1
    image = saved(target, tmp_path / "real.png")
    assert projected(trainer, image, "prior=0", "steps=800", "lr=0.1") == 0
    facts, latent, _ = outcome(trainer, "real")
    closed = trainer.model.codes(target)
    torch.testing.assert_close(torch.from_numpy(latent["z"]), closed, atol=2e-3, rtol=0)
    best = (trainer.model(closed).clamp(-1, 1) - target).norm()
    assert facts["end"]["pixels"] == pytest.approx(float(best), abs=1e-3)


@pytest.mark.parametrize("polish", [0, 50])
def test_the_prior_pulls_to_the_mean_as_ridge_regression_does(trained, polish):
    """Whose strength is the error that is left: sum of squares / 64 + weight x error x sum of z^2 / 5."""
    trainer = trained("pca", "model.latent.size=5", size=8)
    model, weight = trainer.model, 0.3
    target = trainer.data.train.images[:1].float() / 127.5 - 1

    def error(images):
        return (images - target).square().flatten(1).mean(1)

    descent = LatentSearch(
        generate=lambda z, told: model(z),
        error=error,
        law=Normal(5),
        prior=weight,
        steps=800,
        lr=0.1,
        polish=polish,
    )
    found = descent(torch.randn(3, 5))
    left = error(model(found.z)).item()
    shrinkage = model.variances / 64 / (model.variances / 64 + weight * left / 5)
    torch.testing.assert_close(found.z, model.codes(target) * shrinkage, atol=1e-3, rtol=0)
    assert found.loss == pytest.approx(left, rel=1e-4) and shrinkage.max() < 0.9


def test_the_nearest_candidates_of_every_class_are_taken():
    """Images are the latents themselves; the second class is upside down."""
    starts = torch.tensor([3.0, 1, 2, 0.5, 5, 4] * 2)[:, None]
    signs = torch.tensor([1.0] * 6 + [-1.0] * 6)[:, None]
    descent = LatentSearch(
        generate=lambda z, told: z * told, error=lambda images: (images - 1.2).square().mean(1), law=Uniform(1)
    )
    assert descent.nearest_starts(starts, signs, groups=2, count=2).tolist() == [1, 3, 9, 7]


@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_the_runs_own_sample_is_found_again_to_a_few_percent(trained, weight):
    """Its latent is known to exist: what is left is Adam's and L-BFGS's."""
    trainer = trained("dcgan", "model.latent.size=16", size=28)
    trainer.model.requires_grad_(False)
    target = trainer.samples.draw_samples(0, 1).detach()
    starts, _ = starts_of(trainer, None, count=64, seed=1)
    with trainer.samples.sampling() as network:
        extractor = Classifier()
        options = {"generate": lambda z, told: network(z), "error": error_of(target, extractor, weight), "steps": 100}
        rough, fine = (LatentSearch(law=Normal(16), polish=polish, **options) for polish in (0, 60))
        chosen = starts[fine.nearest_starts(starts, None, groups=1, count=4)]
        rough, fine = rough(chosen), fine(chosen)
    near, far = (distances(images, target, extractor) for images in (fine.frames[-1:], fine.frames[:1]))
    assert near["pixels"] < 0.03 * far["pixels"] and near["features"] < 0.05 * far["features"]
    assert fine.loss < 0.3 * rough.loss


def test_a_generated_image_is_found_again_with_its_class(trained, tmp_path):
    trainer = trained("cgan_conv", "model.latent.size=4")
    image = saved(trainer.samples.draw_samples(0, 1, torch.tensor([7])), tmp_path / "seven.png")
    assert projected(trainer, image, "steps=200", "prior=0", "restarts=3", "lr=0.1") == 0
    facts, latent, folder = outcome(trainer, "seven")
    assert facts["end"]["pixels"] < 0.1 * facts["start"]["pixels"] and facts["class"] == 7
    assert latent["z"].shape == (1, 4) and latent["condition"].tolist() == [7]
    assert Image.open(folder / "way.png").size[0] > 500 and facts["end"]["features"] is None
    assert projected(trainer, image, "steps=5", "class=3") == 0
    assert outcome(trainer, "seven")[0]["class"] == 3


def test_features_count_where_the_extractor_reads_such_images(trained, tmp_path):
    trainer = trained("dcgan", "model.latent.size=4", size=28)
    image = saved(trainer.samples.draw_samples(0, 1), tmp_path / "one.png")
    assert projected(trainer, image, "steps=60", "polish=40", "candidates=4", "features=extractor") == 0
    facts, _, _ = outcome(trainer, "one")
    assert facts["end"]["features"] < 0.2 * facts["start"]["features"]


def test_latents_stay_within_their_law():
    draws = Draws((0, "law"), 6, 0, 6, torch.device("cpu"))
    for latent in (Uniform(3), Coded(noise=3, categorical=(4,), continuous=1)):
        start = latent.draw(draws)
        z = latent.keep_within(start + 5, start)
        assert z.abs().max() <= 1
    assert torch.equal(latent.split(z).categorical[0], latent.split(start).categorical[0])
    dealt = NormalWithGenerator(Normal(3), 2)
    start = dealt.draw(draws)
    z = dealt.keep_within(start + 5, start)
    assert torch.equal(z[:, -1], start[:, -1]) and torch.equal(z[:, :-1], start[:, :-1] + 5)
    assert torch.equal(dealt.prior_penalty(z), z[:, :-1].square().mean(1))
    with pytest.raises(ConfigError, match="UniformCodes, which no gradient reaches"):
        require_searchable(UniformCodes(8, (2, 2)))


def test_a_picture_of_another_size_and_mode_is_cut_and_resized(tmp_path):
    picture = Image.new("RGBA", (90, 60), (0, 0, 0, 255))
    picture.paste((255, 255, 255, 255), (0, 0, 15, 60))  # outside of the centred square
    picture.save(tmp_path / "wide.png")
    target = load_target(tmp_path / "wide.png", tiny_data(size=32).spec)
    assert target.shape == (1, 1, 32, 32) and target.max() == -1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["image=none.png"], "image=none.png: cannot be read"),
        (["class=3"], "class=3: this model is told no class"),
        (["steps=0"], "steps=0: expected a whole number, 1 or more"),
        (["lr=fast"], "lr=fast: expected a number"),
        (["features=pixel"], "features=pixel: there is no such choice. Did you mean pixels?"),
        (["features=extractor"], "Here: features=pixels."),
        (["step=3"], "step: there is no such key. Did you mean steps?"),
        (["to=file.txt"], "to=file.txt: cannot be made a folder"),
    ],
)
def test_a_mistake_is_one_message(trained, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    trainer = trained("gan")
    image = saved(trainer.samples.draw_samples(0, 1), tmp_path / "own.png")
    (tmp_path / "file.txt").write_text("")
    assert projected(trainer, image, *words) == 2
    assert message in capsys.readouterr().err
