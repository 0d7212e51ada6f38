"""A history of generated images, which the discriminator sees again."""

from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from genlab.core import distributed
from genlab.core.errors import ConfigError
from genlab.core.random import Draws, mix
from genlab.core.types import Amount, Share
from genlab.losses.turn import Generated, map_fields


class Replay:
    """A history of generated images: Shrivastava et al. 2017, section 2.3.

    In every turn of the discriminator earlier images replace a share of the generated ones, lest it forget what the
    generator has left behind. After the turn the replaced images overwrite random earlier ones. Until the history is
    full, every generated image goes into it.

    The history lies on the device and in every checkpoint. Rows are chosen for the whole batch: accumulation changes
    nothing, and ranks exchange a turn's images so that all hold the same history. If the share of a batch is no whole
    number of images, turns differ by one. Raises ConfigError if the history is smaller than a batch.
    """

    def __init__(
        self,
        batch_size: Amount,
        *,
        size: Amount = 10_000,  # images, each with its latent and condition
        share: Share = 0.5,  # of a turn's generated images that earlier ones replace
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
        self.draws: Draws | None = None  # of the last micro-batch

    def add(self, generated: Generated, draws: Draws) -> None:
        """Hold a micro-batch of new images until the turn ends, so that all its micro-batches see one history."""
        self.new.append(map_fields(torch.Tensor.detach, generated))
        self.draws = draws
        if self.history is not None:  # a loaded one comes from main memory
            self.history = map_fields(lambda rows: rows.to(draws.device), self.history)

    def mix_in(self, generated: Generated, draws: Draws) -> Generated:
        """Replace a share of a micro-batch's rows by rows of the history."""
        rows = evenly_spaced_rows(
            self.replaced_count(draws), self.batch_size, draws.start, draws.stop, generated.images.device
        )
        if self.history is None or not self.filled or not len(rows):
            return generated
        chosen = (draws.uniform("replay") * self.filled).long().index_select(0, rows)
        # The type is that of the new rows: a lazy penalty's turn has float32 where the others are mixed.
        return map_fields(
            lambda new, old: new.index_copy(0, rows, old.index_select(0, chosen).to(new.dtype)), generated, self.history
        )

    def end_turn(self) -> None:
        """Store the turn's new images."""
        if not self.new or self.draws is None:  # nobody asked for images
            return
        new = map_fields(lambda *pieces: distributed.gather(torch.cat(pieces)), *self.new)
        self.new = []
        if self.history is None:
            self.history = map_fields(lambda rows: rows.new_zeros(self.size, *rows.shape[1:]), new)
        chosen, places = self.choose_rows(self.draws, new.images.device)
        map_fields(lambda old, rows: old.index_copy_(0, places, rows.index_select(0, chosen)), self.history, new)

    def choose_rows(self, draws: Draws, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the rows of the batch to store, and their places in the history."""
        if self.filled == self.size:
            chosen = evenly_spaced_rows(self.replaced_count(draws), self.batch_size, 0, self.batch_size, device)
            return chosen, self.choose_places(replace(draws, start=0, stop=self.batch_size), len(chosen))
        chosen = torch.arange(min(self.batch_size, self.size - self.filled), device=device)
        places = self.filled + chosen
        self.filled += len(chosen)
        return chosen, places

    def choose_places(self, draws: Draws, count: int) -> Tensor:
        """Return `count` different random places: one in each stretch of a ring that is turned at random."""
        width = self.size // max(1, count)
        starts = torch.arange(count, device=draws.device) * width
        within = (draws.uniform("replay_places")[:count] * width).long()
        shift = (draws.uniform("replay_turn")[:1] * self.size).long()
        return (starts + within + shift) % self.size

    def replaced_count(self, draws: Draws) -> int:
        """Return how many images of this turn's batch are replaced, without asking the device."""
        whole, rest = divmod(self.batch_size * self.share, 1)
        return int(whole) + (mix(*draws.key, "replay_share") < rest * 2**32)

    def state_dict(self) -> dict:
        return {"filled": self.filled, "history": None if self.history is None else tuple(self.history)}

    def load_state_dict(self, state: dict) -> None:
        self.filled, self.new = state["filled"], []
        self.history = state["history"] and Generated(*state["history"])


@cache
def evenly_spaced_rows(count: int, size: int, start: int, stop: int, device: torch.device) -> Tensor:
    """Return which of `count` evenly spaced rows of a batch fall in `start:stop`, counted from `start`."""
    rows = [row - start for row in range(start, stop) if (row + 1) * count // size > row * count // size]
    return torch.tensor(rows, dtype=torch.long, device=device)
