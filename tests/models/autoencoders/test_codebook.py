"""The codebook: nearest codes, straight-through gradients, moving averages and restarts of unused codes."""

import pytest
import torch

from genlab.core.random import Draws
from genlab.models.autoencoders.codebook import Codebook, UniformCodes

DECAY = 0.75


def codebook(number=4, size=3):
    torch.manual_seed(0)
    return Codebook(number, size, decay=DECAY, restart_below=0.1).double()


def latents(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_every_latent_gets_its_nearest_code():
    book, z = codebook().eval(), latents(2, 3, 4, 5)
    found = book(z)
    far = (z.movedim(1, -1).unsqueeze(-2) - book.entries).norm(dim=-1)  # [2, 4, 5, number]
    assert torch.equal(book.nearest(z), far.argmin(-1))
    assert torch.equal(found.codes, book.look_up(book.nearest(z)))
    torch.testing.assert_close(found.straight_through, found.codes)


def test_gradients_go_straight_through():
    """Van den Oord et al. 2017, section 3.2: the decoder's gradient is the encoder's."""
    book, z, slope = codebook(), latents(2, 3, 4).requires_grad_(), latents(2, 3, 4, seed=2)
    (found,) = torch.autograd.grad(book(z).straight_through, z, slope)
    torch.testing.assert_close(found, slope)


def test_perplexity_counts_the_codes_in_use():
    book = codebook().eval()
    book.entries.copy_(torch.eye(4, 3))
    even = book.entries[:2].repeat(3, 1)[:, :, None]  # [6, 3, 1]
    found = book(even)
    assert found.perplexity.item() == pytest.approx(2) and found.codes_used.item() == 2


def test_codes_are_moving_averages_of_their_latents():
    """Appendix A.1, equations 6 to 8, after two turns by hand."""
    book = codebook(number=2, size=1)
    book.entries.copy_(torch.tensor([[-1.0], [1.0]]))
    book.uses.fill_(4.0)
    book.sums.copy_(4 * book.entries)
    for rows in ([-3.0, -1.0, 2.0], [-2.0, 3.0, 1.0]):
        before, uses, sums = book.entries.clone(), book.uses.clone(), book.sums.clone()
        z = torch.tensor(rows, dtype=torch.float64)
        book(z.view(3, 1))
        book.update_entries()
        for code, chose in enumerate(((z - before[0]).abs() <= (z - before[1]).abs(), z > 0)):
            chosen = z[chose if code == 0 else ~((z - before[0]).abs() <= (z - before[1]).abs())]
            uses[code] = DECAY * uses[code] + (1 - DECAY) * len(chosen)
            sums[code] = DECAY * sums[code] + (1 - DECAY) * chosen.sum()
        torch.testing.assert_close(book.entries, sums / uses[:, None])


def test_micro_batches_update_codes_as_one_batch_does():
    whole, pieces, z = codebook(), codebook(), latents(8, 3, 2)
    for book in (whole, pieces):
        book.uses.fill_(1.0)
        book.sums.copy_(book.entries)
    whole(z)
    pieces(z[:4])
    pieces(z[4:])
    whole.update_entries()
    pieces.update_entries()
    torch.testing.assert_close(whole.entries, pieces.entries)


def test_unused_codes_start_anew_at_latents():
    """At first all but those in use, which the first batch's latents replace; then whichever is used too little."""
    book, z = codebook(number=16), latents(5, 3)
    book(z)
    before = book.nearest(z).unique()
    book.update_entries()
    rows = {tuple(row) for row in z.tolist()}
    unused = [code for code in range(16) if code not in before]
    assert len(unused) >= 11 and all(tuple(book.entries[code].tolist()) in rows for code in unused)
    far = book.entries[unused[0]] = torch.full((3,), 50.0).double()
    book.sums[unused[0]] = book.uses[unused[0]] * far
    book(z)
    book.update_entries()
    assert tuple(book.entries[unused[0]].tolist()) in rows


def test_evaluation_changes_nothing():
    book = codebook().eval()
    before = {name: value.clone() for name, value in book.state_dict().items()}
    book(latents(5, 3))
    assert all(torch.equal(value, before[name]) for name, value in book.state_dict().items())
    assert book.new_uses.sum() == 0


def test_uniform_codes_are_uniform():
    draws = Draws((0, "test"), 4_000, 0, 4_000, torch.device("cpu"))
    counts = UniformCodes(8, (2, 3)).draw(draws).flatten().bincount()
    assert len(counts) == 8 and (counts - 3_000).abs().max() < 4 * 3_000**0.5
