"""Generated images of earlier turns, shown to the discriminator again."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from genlab.core import distributed
from genlab.core.errors import ConfigError
from genlab.core.random import Draws, mix
from genlab.core.types import Count, Share
from genlab.losses.turn import Generated, each


class Replay:
    """A history of generated images: Shrivastava et al. 2017, section 2.3.

    In every turn of the discriminator a share of the generated images gives way to earlier ones, lest it forget what
    the generator has left behind; after the turn those images take the places of random earlier ones. Until the
    history is full, everything generated goes into it.

    It lies on the device, `size` images of the type that networks compute with, and in every checkpoint. What goes
    in and out is chosen for the whole batch: accumulation changes nothing, and every rank holds the same history,
    for which ranks send each other the images of a turn. Where the share of a batch is no whole number of images,
    turns differ by one: of a batch of one, every other turn's gives way. Raises ConfigError if it is smaller than a
    batch.
    """

    def __init__(
        self,
        batch_size: Count,
        *,
        size: Count = 10_000,  # images kept, each with its latent and condition
        share: Share = 0.5,  # of the generated images of a turn that are earlier ones
    ) -> None:
        if size < batch_size:
            raise ConfigError(
                f"trainer.replay={size}: must hold a batch at least, trainer.batch_size={batch_size}; "
                f"use {100 * batch_size}."
            )
        self.batch_size, self.size, self.share = batch_size, size, share
        self.history: Generated | None = None  # [size, ...] each
        self.filled = 0
        self.new: list[Generated] = []  # this turn's micro-batches
        self.draws: Draws | None = None  # and the last one's

    def remember(self, generated: Generated, draws: Draws) -> None:
        """Have in mind a micro-batch of new images until the turn ends: all its micro-batches see one history."""
        self.new.append(each(torch.Tensor.detach, generated))
        self.draws = draws
        if self.history is not None:  # a loaded one comes from main memory
            self.history = each(lambda rows: rows.to(draws.device), self.history)

    def mix(self, generated: Generated, draws: Draws) -> Generated:
        """A micro-batch with a share of its rows from the history."""
        rows = rows_of(self.giving(draws), self.batch_size, draws.start, draws.stop, generated.images.device)
        if not self.filled or not len(rows):
            return generated
        chosen = (draws.uniform("replay") * self.filled).long().index_select(0, rows)
        # In the type of the new ones: a lazy penalty's turn has float32 where the others are mixed.
        return each(
            lambda new, old: new.index_copy(0, rows, old.index_select(0, chosen).to(new.dtype)), generated, self.history
        )

    def end_turn(self) -> None:
        """Store the turn's new images."""
        if not self.new:  # nobody asked for images
            return
        new = each(lambda *pieces: distributed.gather(torch.cat(pieces)), *self.new)
        self.new = []
        if self.history is None:
            self.history = each(lambda rows: rows.new_zeros(self.size, *rows.shape[1:]), new)
        chosen, places = self.moves(new.images.device)
        each(lambda old, rows: old.index_copy_(0, places, rows.index_select(0, chosen)), self.history, new)

    def moves(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Which rows of the batch are stored, and where."""
        if self.filled == self.size:
            chosen = rows_of(self.giving(self.draws), self.batch_size, 0, self.batch_size, device)
            return chosen, self.places(replace(self.draws, start=0, stop=self.batch_size), len(chosen))
        chosen = torch.arange(min(self.batch_size, self.size - self.filled), device=device)
        places = self.filled + chosen
        self.filled += len(chosen)
        return chosen, places

    def places(self, draws: Draws, count: int) -> Tensor:
        """Different ones [count], lest two images compete for one: one in each stretch of a ring that is turned."""
        width = self.size // max(1, count)
        starts = torch.arange(count, device=draws.device) * width
        within = (draws.uniform("replay_places")[:count] * width).long()
        turned = (draws.uniform("replay_turn")[:1] * self.size).long()
        return (starts + within + turned) % self.size

    def giving(self, draws: Draws) -> int:
        """How many images of this turn's batch give way: known without the device."""
        whole, rest = divmod(self.batch_size * self.share, 1)
        return int(whole) + (mix(*draws.key, "replay_share") < rest * 2**32)

    def state_dict(self) -> dict:
        return {"filled": self.filled, "history": None if self.history is None else tuple(self.history)}

    def load_state_dict(self, state: dict) -> None:
        self.filled, self.new = state["filled"], []
        self.history = state["history"] and Generated(*state["history"])


@cache
def rows_of(count: int, size: int, start: int, stop: int, device: torch.device) -> Tensor:
    """Of `count` rows spread evenly over a batch those in `start:stop`, counted from `start`."""
    rows = [row - start for row in range(start, stop) if (row + 1) * count // size > row * count // size]
    return torch.tensor(rows, dtype=torch.long, device=device)
