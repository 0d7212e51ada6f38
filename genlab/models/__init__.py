"""Networks: tensors in, tensors out."""

from genlab.models import dcgan, mlp
from genlab.models.gan import GAN
from genlab.models.latent import Normal, Uniform

__all__ = ["GAN", "Normal", "Uniform", "dcgan", "mlp"]
