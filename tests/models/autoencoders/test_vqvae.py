import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models.autoencoders import vqvae


@pytest.mark.parametrize(
    ("side", "codes"), [(28, 7), (32, 8), (10, 5), (7, 7)], ids=["twice", "a power of two", "once", "odd"]
)
def test_the_side_halves_twice_where_it_can(side, codes):
    """Van den Oord et al. 2017, section 4.1: 32 x 32 images become 8 x 8 codes."""
    spec = Spec(3, side, side, images=1)
    encoder, decoder = vqvae.Encoder(spec, 6, width=4), vqvae.Decoder(spec, 6, width=4)
    latents = encoder(torch.zeros(2, 3, side, side))
    assert latents.shape == (2, 6, codes, codes) and vqvae.grid(spec) == (codes, codes)
    assert decoder(latents).shape == (2, 3, side, side)


def test_samples_are_what_their_codes_decode_to(make_trainer):
    trainer = make_trainer("model=vqvae", "model.number=16", "model.encoder.width=4", "model.decoder.width=4")
    trainer.take_step()
    model, images = trainer.model.eval(), torch.zeros(2, 1, 8, 8)
    expected = model.decoder(model.codebook(model.encoder(images)).codes)
    torch.testing.assert_close(model.generator(model.codes(images)), expected)


def test_points_are_refused():
    with pytest.raises(ConfigError, match="points"):
        vqvae.VQVAE(Spec(2, None, None, images=1), encoder=vqvae.Encoder, decoder=vqvae.Decoder)
