"""Spectral normalisation: weights with a largest singular value of 1."""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized

from genlab.models.layers.weights import is_set_apart

WEIGHTY = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)


def normalise_spectrum(network: nn.Module) -> None:
    """Divide every weight by its largest singular value: Miyato et al. 2018, equation 8.

    The value is estimated with one power iteration each time that a weight is used in training (algorithm 1), and
    none in evaluation. Layers that are set apart and weights with another parametrisation are left unchanged.
    """
    for module in list(network.modules()):
        if isinstance(module, WEIGHTY) and not is_set_apart(module) and not is_parametrized(module):
            spectral_norm(module, n_power_iterations=1)
