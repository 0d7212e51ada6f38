"""Networks of every model: tensors in, tensors out, with no loss, optimizer or logger."""

from genlab.models.adversarial import dcgan, mlp
from genlab.models.adversarial import noisy_discriminator as noisy
from genlab.models.adversarial.auxiliary_classifier import ACGAN, SemiSupervisedGAN
from genlab.models.adversarial.gan import GAN
from genlab.models.adversarial.infogan import InfoGAN
from genlab.models.autoencoders.adversarial_autoencoder import AdversarialAutoencoder
from genlab.models.autoencoders.autoencoder import VAE, Autoencoder
from genlab.models.autoencoders.pca import PCA
from genlab.models.autoencoders.vae_gan import VAEGAN
from genlab.models.autoencoders.vqvae import VQVAE
from genlab.models.latent import Coded, EmptyLatent, Normal, NormalWithGenerator, Uniform
