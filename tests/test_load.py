"""A run in Python: the same samples as in training, whatever is asked for beside them."""

import io

import pytest
import torch
from PIL import Image

import genlab
from genlab.core.errors import ConfigError
from tests.conftest import narrow, saved, tiny_data


def test_samples_are_those_of_training(tmp_path):
    trainer = saved(tmp_path, "model=dcgan", *narrow("dcgan"))
    loaded = genlab.load(tmp_path, device="cpu")
    samples = loaded.sample(6)
    torch.testing.assert_close(samples, trainer.samples.draw_samples(0, 6))
    assert samples.dtype == torch.float32 and samples.shape == (6, 1, 8, 8) and samples.abs().max() <= 1
    assert torch.equal(loaded.generate(loaded.latent(6)), samples)


def test_a_seed_gives_the_same_image_however_many_are_asked_for(plain):
    many = genlab.load(plain, device="cpu", batch_size=7).sample(20, seed=1)
    torch.testing.assert_close(many[3:9], genlab.load(plain, device="cpu").sample(6, seed=1, start=3))
    assert not torch.equal(many, genlab.load(plain, device="cpu").sample(20, seed=2))


def test_classes_are_shown_in_turn(conditional):
    loaded = genlab.load(conditional, device="cpu")
    both, three = loaded.sample(6, classes=[3, 5]), loaded.sample(6, classes=3)
    assert torch.equal(both[::2], three[::2]) and not torch.equal(both[1::2], three[1::2])
    assert torch.equal(loaded.sample(12), loaded.sample(12, classes=range(10)))


def test_classes_need_a_model_that_is_told_them(plain, conditional):
    with pytest.raises(ConfigError, match="trained without classes"):
        genlab.load(plain, device="cpu").sample(2, classes=1)
    with pytest.raises(ConfigError, match="from 0 to 9"):
        genlab.load(conditional, device="cpu").sample(2, classes=[-1])


def test_truncated_latents_lie_within(plain):
    loaded = genlab.load(plain, device="cpu")
    before = loaded.sample(4)
    assert loaded.latent(100, truncation=0.5).abs().max() <= 0.5
    assert loaded.sample(4, truncation=0.5).shape == (4, 1, 8, 8)
    with pytest.raises(ConfigError, match=r"truncation=0\.5: scales styles"):
        loaded.generate(loaded.latent(4), truncation=0.5)
    assert torch.equal(loaded.sample(4), before)  # the statistics gathered for it are its own
    with pytest.raises(ConfigError, match="more than 0"):
        loaded.sample(1, truncation=0.0)


def test_only_normal_latents_are_truncated(tmp_path):
    saved(tmp_path, "model=dcgan", *narrow("dcgan"), "model.latent._target_=genlab.models.Uniform")
    with pytest.raises(ConfigError, match="needs normal latents"):
        genlab.load(tmp_path, device="cpu").sample(1, truncation=1.0)


def test_images_are_framed_for_the_encoder_and_cropped_again(encoder):
    pixels = encoder.run.data.train.images[:5]
    bare = encoder.spec.crop(pixels)
    assert encoder.sample(2).shape == (2, 1, 4, 4)
    assert torch.equal(encoder.encode(bare), encoder.encode(pixels))
    assert torch.equal(encoder.reconstruct(bare / 127.5 - 1), encoder.reconstruct(bare))
    with torch.no_grad():
        codes = encoder.run.model.codes(pixels / 127.5 - 1)
        expected = encoder.spec.crop(encoder.run.render(encoder.run.model.decoder(codes)))
    torch.testing.assert_close(encoder.reconstruct(bare), expected)
    with pytest.raises(ConfigError, match=r"encodes \[n, 1, 4, 4\]"):
        encoder.encode(torch.zeros(2, 1, 5, 5))


def test_without_an_encoder_nothing_is_reconstructed(plain):
    with pytest.raises(ConfigError, match="genlab.project"):
        genlab.load(plain, device="cpu").reconstruct(torch.zeros(1, 1, 8, 8))


def test_points_come_in_their_own_units(points):
    loaded = genlab.load(points, device="cpu")
    torch.testing.assert_close(loaded.sample(5), loaded.run.draw_samples(0, 5) * 2.0)


@pytest.mark.parametrize("kind", ["plain", "points"])
def test_a_notebook_shows_it(request, kind):
    loaded = genlab.load(request.getfixturevalue(kind), device="cpu")
    assert Image.open(io.BytesIO(loaded._repr_png_())).width >= 500
    assert "images" in repr(loaded)


def test_attributes_come_from_the_data(tmp_path):
    data = tiny_data()
    data.train = data.train._replace(labels=torch.rand(64, 3))
    saved(tmp_path, "model=cgan", *narrow("cgan"), data=data)
    loaded = genlab.load(tmp_path, device="cpu")
    with pytest.raises(ConfigError, match="real=true"):
        loaded.sample(2)
    assert loaded.sample(2, classes=torch.rand(2, 3)).shape == (2, 1, 8, 8)
