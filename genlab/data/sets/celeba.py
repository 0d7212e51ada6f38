"""CelebA: faces with 40 attributes, listed by torchvision and decoded once into the cache."""

from pathlib import Path
from typing import Any

import numpy as np

from genlab.core.condition import Attributes
from genlab.core.errors import ConfigError
from genlab.core.types import Count, FilePath
from genlab.data.sets.folder import list_reasons
from genlab.data.sets.torchvision_set import Files, TorchvisionSet
from genlab.data.storage.archives import Directory
from genlab.data.storage.cache import Add

PICTURE_FOLDER = "celeba/img_align_celeba"
ATTRIBUTES = tuple(  # in the order of list_attr_celeba.txt
    """
    5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose Black_Hair Blond_Hair
    Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee Gray_Hair Heavy_Makeup High_Cheekbones
    Male Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline
    Rosy_Cheeks Sideburns Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick
    Wearing_Necklace Wearing_Necktie Young
    """.split()  # noqa: SIM905 -- a list would take a line a name
)


class CelebA(TorchvisionSet):
    """162,770 training and 19,962 test faces (Liu et al. 2015), RGB, attributes float32 [N, 40] in {0, 1}.

    The aligned pictures of 178 x 218 are cut to the centred square of `crop` pixels and resized to `size` with
    Pillow's antialiased Lanczos filter: 140 and 64 are the rule of Tolstikhin et al. 2018 (WAE, in their code).
    Papers differ in the crop (108, 128, 140, 148 or 178): scores compare at equal crops alone.
    """

    title, loader, side = "celeba", "CelebA", 140
    condition = Attributes(len(ATTRIBUTES), ATTRIBUTES)
    home = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html (with img_align_celeba.zip unpacked)"

    def __init__(
        self,
        root: FilePath | None = None,
        *,
        crop: Count = 140,  # pixels a side of the centred square that is kept, at most 178
        size: Count | None = 64,  # pixels a side after resizing; null: as cropped
        **shared: Any,
    ) -> None:
        if crop > 178:
            raise ConfigError(f"data.crop={crop}: the pictures of celeba are 178 pixels wide; use 178 or less.")
        self.crop = crop
        super().__init__(root, size=size, **shared)

    @property
    def options(self) -> dict[str, Any]:
        return {"crop": self.crop}

    def required_files(self) -> Files:
        lists = {f"celeba/{name}": md5 for _, md5, name in self.torchvision.file_list if name.endswith(".txt")}
        return {**lists, PICTURE_FOLDER: None}

    def source_files(self) -> dict[str, str | Path]:
        pictures = Directory(self.root / PICTURE_FOLDER)
        return super().source_files() | {name: pictures.path(name) for name in pictures.names}

    def open_part(self, part: str, *, download: bool = False) -> Any:
        return self.torchvision(str(self.root), split=part, download=download)

    def images_and_labels(self, dataset: Any, part: str) -> tuple[list[str], np.ndarray]:
        """Return the pictures' names instead of their pixels, and the attributes."""
        return dataset.filename, dataset.attr.numpy().astype(np.float32)

    def store_part(self, part: str, add: Add) -> tuple[int, np.ndarray]:
        from genlab.data.storage.decoder import Decoder, picture_reader
        from genlab.data.storage.image_file import PixelRule

        names, attributes = self.read_part(part)
        folder = self.root / PICTURE_FOLDER
        reader = picture_reader(Directory(folder), PixelRule(3, self.size, self.crop))
        decoder = Decoder(reader, add, label=f"data.root={self.root}")
        decoder.store(names)
        if decoder.bad:
            raise ConfigError(
                f"{folder}: {len(decoder.bad)} of {len(names)} {part} images cannot be used:\n"
                f"{list_reasons(decoder.bad)}\nCopy them again from {self.home}."
            )
        return len(names), attributes
