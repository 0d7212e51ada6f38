"""Unpaired pictures: two sets A and B without partners, for models that translate one kind into the other."""

from pathlib import Path
from typing import Literal

from genlab.core.errors import ConfigError
from genlab.core.types import Count, ProperShare, Whole
from genlab.data.sets.folder import add_splits, detect_channels, refuse_empty_source, report_bad_files
from genlab.data.sets.pairs import Direction, Roots, files_by_name
from genlab.data.storage.archives import FileSource, list_names, open_source
from genlab.data.storage.cache import Add, LabelsAndFacts, Table, fill_once
from genlab.data.storage.cached_set import CachedSet
from genlab.data.storage.folder_layout import HeldOutShare, divide_into_splits, sort_by_hash, strip_shared_folders


class Unpaired(CachedSet):
    """Images of B to be made from pictures of A, uint8 [N, C, H, W] each; `other` holds A, as a data set of its own.

    One root holds the folders trainA, trainB and perhaps testA, testB. Two roots hold A and B; `train` beside `val` or
    `test` are splits there, and other folders mean nothing. With `aligned` the test splits hold the same names in the
    same order, so that translations of A are measured against their partners in B; training ignores partners.

    Raises ConfigError if a domain has no image to train on, if partners are missing that are to be aligned, and for
    files that cannot be decoded (all are named) unless `on_error` is `skip`.
    """

    def __init__(
        self,
        root: Roots | None = None,  # a folder or a zip archive; or two of them, [A, B]
        *,
        direction: Direction = "AtoB",  # AtoB: B is made from A, and scored
        size: Count | None = None,  # pixels a side: centred square, resized; null: as they are, all of one size
        channels: Literal[1, 3] | None = None,  # of either; null: 1 if every file of a domain is grey, else 3
        aligned: bool = False,  # test pictures have partners of the same name
        limit: Count | None = None,  # train on the first N pictures of either domain only
        holdout: Whole = 0,  # keep the last N training pictures of either domain from training
        flip: bool = False,  # mirror half of the training pictures
        crop: Count | None = None,  # pixels a side that are shown: anywhere in training, else in the middle; null: all
        test_share: ProperShare = 0.0,  # of the pictures, to test with; chosen by a hash of their names
        test_group: str | None = None,  # a pattern: pictures whose name's first match is equal stay in one split
        on_error: Literal["error", "skip"] = "error",  # about files that cannot be decoded
    ) -> None:
        domains = open_domains(root, HeldOutShare(test_share, test_group))
        if aligned:
            refuse_unpaired(*domains)
        source, image = domains if direction == "AtoB" else domains[::-1]
        tables = [domain.table(size, channels, on_error == "skip") for domain in (source, image)]
        options = {"limit": limit, "holdout": holdout, "flip": flip, "crop": crop}
        other = CachedSet(tables[0], name=source.name, **options)
        super().__init__(tables[1], name=f"{source.name}_{image.name}", other=other, aligned=aligned, **options)


class Domain:
    """Files of domain A or B."""

    def __init__(self, source: FileSource, root: Path, files: dict[str, str], held: HeldOutShare) -> None:
        self.source, self.root, self.held = source, root, held
        self.name = root.absolute().stem
        self.splits = {  # name below the split's folder, without suffix -> file
            split: {"/".join(parts): files[name] for name, parts in members.items()}
            for split, members in divide_into_splits(list(files), held).items()
        }

    def table(self, size: int | None, channels: int | None, skip: bool) -> Table:
        files = {split: list(members.values()) for split, members in self.splits.items()}
        key = {"content": self.source.content_key(), "files": files, "size": size, "channels": channels}
        table = fill_once({"domain": key}, lambda add: self.fill(add, size, channels))
        report_bad_files(table.facts, self.root, skip)
        return table

    def fill(self, add: Add, size: int | None, channels: int | None) -> LabelsAndFacts:
        from genlab.data.storage.decoder import picture_reader  # Pillow takes a moment to load
        from genlab.data.storage.image_file import PixelRule

        found = channels or detect_channels(
            self.source, [file for split in self.splits.values() for file in split.values()]
        )
        splits = {split: [members[name] for name in sort_by_hash(members)] for split, members in self.splits.items()}
        _, facts = add_splits(splits, picture_reader(self.source, PixelRule(found, size)), add, self.root)
        return LabelsAndFacts(None, facts)


def open_domains(root: Roots | None, held: HeldOutShare) -> tuple[Domain, Domain]:
    if root is None:
        raise ConfigError(
            "data.root=null: name the folder or zip that holds trainA and trainB (testA and testB), data.root=PATH, or "
            "the places of either kind of pictures, data.root=[A,B]."
        )
    if not isinstance(root, str) and len(root) != 2:
        raise ConfigError(f"data.root={list(root)}: expected one place, or two, [A,B]; found {len(root)}.")
    if isinstance(root, str):
        path = Path(root).expanduser()
        source = open_source(path)
        return tuple(Domain(source, path / side, files_of_domain(source, path, side), held) for side in "AB")
    paths = [Path(place).expanduser() for place in root]
    sources = [open_source(path) for path in paths]
    for source, path in zip(sources, paths, strict=True):
        refuse_empty_source(source, path)
    places = zip(sources, paths, strict=True)
    return tuple(Domain(source, path, files_by_name(source.names, path), held) for source, path in places)


def files_of_domain(source: FileSource, path: Path, side: str) -> dict[str, str]:
    """Return the files of trainA and testA as `train` and `test`. Raises ConfigError if there are none to train on."""
    inner = strip_shared_folders({name: tuple(name.split("/")) for name in source.names})
    folders = {f"train{side}": "train", f"test{side}": "test"}
    files = {name: (folders[parts[0]], *parts[1:]) for name, parts in inner.items() if parts[0] in folders}
    if not any(parts[0] == "train" for parts in files.values()):
        tops = sorted({parts[0] for parts in inner.values() if len(parts) > 1})
        raise ConfigError(
            f"data.root={path}: no images in train{side} (there are {list_names(tops) or 'no folders'}). One place "
            "holds trainA and trainB, and perhaps testA and testB; two places are data.root=[A,B]."
        )
    return {"/".join(parts).rpartition(".")[0]: name for name, parts in files.items()}


def refuse_unpaired(a: Domain, b: Domain) -> None:
    """Raise ConfigError if test pictures have no partners."""
    names = [set(domain.splits.get("test", {})) for domain in (a, b)]
    if names[0] == names[1] and names[0]:
        return
    unpaired = sorted(names[0] ^ names[1])
    raise ConfigError(
        f"data.aligned=true: {len(names[0] & names[1])} test pictures have a partner of the same name, and "
        f"{len(unpaired)} have none: {list_names(unpaired)}. Let both test splits hold the same names "
        "(data.test_share=0.1 holds out the same ones of both), or set it to false."
    )
