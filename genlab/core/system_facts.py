"""The facts of a system from which losses, penalties and augmentations decide whether they can serve it."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec


@dataclass(frozen=True)
class SystemFacts:
    """The facts that `refuse(system)` of a loss, penalty or augmentation may use.

    `refuse` raises ConfigError for a system that its owner cannot serve. The message begins with a verb, and the
    caller puts the owner's key in front of it, as in `penalty=cycle needs ...`.
    """

    players: Mapping[str, nn.Module]  # the network that a player's turn runs; of a two-way translator, one way's
    spec: Spec  # of the data
    discriminates_codes: bool  # the discriminator sees the codes of an adversarial autoencoder instead of the data
    conditioned: frozenset[str]  # the players that receive the condition
    latent_size: int  # numbers of noise that the generator makes an image of; 0: none
    translates: Literal["no", "one way", "both ways"]  # one way: every generated image has a real partner
    batch_normalised: frozenset[str]  # players with batch normalisation
    clip_weights: float | None  # bound on the discriminator's weights
    micro_batch: int  # images of a kind in one backward pass
    pieces: int  # backward passes of a turn, over all ranks
    moving_augmentations: Sequence[str]  # names of those that show the discriminator images out of place

    def require_images(self) -> None:
        """Raise ConfigError if the discriminator sees no pixels."""
        if self.spec.height is None or self.discriminates_codes:
            seen = "codes, not images" if self.discriminates_codes else "points"
            raise ConfigError(f"is about pixels, and the discriminator sees {seen}. Leave it out.")

    def require_free_images(self) -> None:
        """Raise ConfigError if the discriminator sees images beside the source pictures that they were made from."""
        if self.spec.has_source and "discriminator" in self.conditioned:
            raise ConfigError(
                "moves images, and not the source pictures that the discriminator sees beside them. Leave it out; "
                "data.flip and data.crop move both."
            )

    def require_pairs(self) -> None:
        """Raise ConfigError if a backward pass sees one image of a kind, which has no other to compare with."""
        if self.micro_batch < 2:
            raise ConfigError(
                "compares images of a kind with each other, and trainer.batch_size / (trainer.accumulate x ranks) is "
                f"{self.micro_batch}: expected 2 or more. Set trainer.batch_size={2 * self.pieces}."
            )

    def require_player(self, name: str) -> None:
        """Raise ConfigError if no network of that name is trained."""
        if name not in self.players:
            trained = ", ".join(self.players) or "nothing is trained by gradients"
            raise ConfigError(f"is for a {name}, and this model has none ({trained}). Leave it out.")

    def require_network(self, player: str, part: type, remedy: str = "Leave it out.") -> None:
        """Raise ConfigError if a player's network does not offer a part of the models' contract, a Protocol."""
        if not isinstance(self.players[player], part):
            methods = ", ".join(
                f"`{name}`" for name in vars(part) if inspect.isfunction(vars(part)[name]) and name[0] != "_"
            )
            raise ConfigError(f"needs a {player} that has {methods}, and this one has not. {remedy}")
