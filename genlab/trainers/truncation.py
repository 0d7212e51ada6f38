"""Truncation of normal latents: Brock et al. 2019, section 3.1."""

from torch import nn

from genlab.core.errors import ConfigError
from genlab.models.latent_contract import Latent, Truncates
from genlab.models.layer_contract import normalises_latent


def truncate_law(threshold: float, latent: Latent, generator: nn.Module) -> Latent:
    """Return the latent law within +- `threshold`.

    Raises ConfigError for a law that is not normal, and for a generator whose images do not depend on the scale.
    """
    if not threshold > 0:
        raise ConfigError(f"truncation={threshold}: expected more than 0, such as 1 or 0.5.")
    if not isinstance(latent, Truncates):
        raise ConfigError(
            f"truncation={threshold}: needs normal latents, whose tails it cuts off, and this model draws {latent}. "
            "It can be sampled without truncation alone."
        )
    if normalises_latent(generator):
        raise ConfigError(
            f"truncation={threshold}: this generator ({type(generator).__module__}) brings every latent to one "
            "length, so smaller ones change nothing. It can be sampled without truncation alone."
        )
    return latent.truncate(threshold)
