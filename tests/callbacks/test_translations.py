"""Pictures of inputs, outputs and targets."""

import torch

from genlab.callbacks import Translations
from genlab.callbacks.translations import colour_classes, draw_translations, to_picture
from genlab.core.picture import Picture
from genlab.core.pixels import to_uint8
from genlab.core.spec import Spec
from tests.conftest import narrow, pictured, saved


def cells(picture, lines, columns, side=8):
    """[lines, columns, C, side, side] of a sheet, at their true size."""
    factor = -(-500 // (columns * side))
    step = side * factor + 2
    corners = [(line * step, column * step) for line in range(lines) for column in range(columns)]
    found = [picture[:, y : y + side * factor : factor, x : x + side * factor : factor] for y, x in corners]
    return torch.stack(found).unflatten(0, (lines, columns))


def test_a_line_of_inputs_then_their_outputs_then_targets(tmp_path):
    data = pictured(channels=3)
    trainer = saved(tmp_path, "model=pix2pix", *narrow("pix2pix"), data=data)
    shown = cells(draw_translations(trainer, 2, 4), 6, 4)
    for block in range(2):
        rows = slice(4 * block, 4 * block + 4)
        assert torch.equal(shown[3 * block], data.test.labels[rows].expand(-1, 3, -1, -1))
        assert torch.equal(shown[3 * block + 1], to_uint8(trainer.samples.draw_samples(4 * block, 4)))
        assert torch.equal(shown[3 * block + 2], data.test.images[rows])


def test_a_split_that_ends_early_leaves_grey(tmp_path):
    trainer = saved(tmp_path, "model=pix2pix", *narrow("pix2pix"), data=pictured(size=8))
    shown = cells(draw_translations(trainer, 3, 6), 9, 6)  # 16 of 18
    assert (shown[6:, 4:] == 128).all() and not (shown[6:, :4] == 128).all()


def test_pictures_are_saved_once_a_position_and_shown(tmp_path):
    trainer = saved(tmp_path, "model=pix2pix", *narrow("pix2pix"), data=pictured())
    names = []
    trainer.show = lambda name, picture: names.append(name)
    callback = Translations(every=8, rows=1, columns=2)
    for event in (callback.tick, callback.tick, callback.finish):
        event(trainer)
    assert names == ["translations"] and (tmp_path / "translations" / "000000000.png").is_file()


def test_other_models_have_none(tmp_path):
    trainer = saved(tmp_path, "model=dcgan", *narrow("dcgan"))
    Translations().tick(trainer)
    assert not (tmp_path / "translations").exists()


def test_label_maps_are_coloured_and_small_sources_enlarged():
    maps = torch.eye(4).view(1, 4, 2, 2)  # a class a corner
    colours = colour_classes(maps)
    assert len(colours[0].flatten(1).T.unique(dim=0)) == 4
    spec = Spec(3, 8, 8, images=1, condition=Picture(1, 8, 8, 4), padding=2)
    assert to_picture(torch.zeros(1, 4, 8, 8), spec).eq(0).all()  # no class at all
    small = torch.rand(1, 1, 4, 4) * 2 - 1
    shown = to_picture(small, Spec(3, 8, 8, images=1, condition=Picture(1, 4, 4)))
    assert torch.equal(shown, to_uint8(small).repeat_interleave(2, 2).repeat_interleave(2, 3))
