"""Networks: tensors in, tensors out."""

from genlab.models import dcgan, mlp, noisy
from genlab.models.adversarial_autoencoder import AdversarialAutoencoder
from genlab.models.autoencoder import VAE, Autoencoder
from genlab.models.auxiliary import ACGAN, SemiSupervisedGAN
from genlab.models.gan import GAN
from genlab.models.infogan import InfoGAN
from genlab.models.latent import Coded, Dealt, Normal, Nothing, Uniform
from genlab.models.pca import PCA
from genlab.models.vae_gan import VAEGAN
from genlab.models.vqvae import VQVAE

__all__ = [
    "ACGAN",
    "GAN",
    "PCA",
    "VAE",
    "VAEGAN",
    "VQVAE",
    "AdversarialAutoencoder",
    "Autoencoder",
    "Coded",
    "Dealt",
    "InfoGAN",
    "Normal",
    "Nothing",
    "SemiSupervisedGAN",
    "Uniform",
    "dcgan",
    "mlp",
    "noisy",
]
