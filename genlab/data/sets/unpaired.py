"""Unpaired pictures: two sets A and B without partners, for models that translate one kind into the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from genlab.core.errors import ConfigError
from genlab.core.types import Count, ProperShare, Whole
from genlab.data.notes import Notes
from genlab.data.sets.folder import add_splits, detect_channels, report_bad_files
from genlab.data.sets.pairs import OWN_RANGE, Direction
from genlab.data.sets.partners import Roots, files_by_name, files_of_sides, open_sources
from genlab.data.storage.archives import FileSource, list_names
from genlab.data.storage.cache import Add, LabelsAndFacts, Table, fill_once
from genlab.data.storage.cached_set import CachedSet
from genlab.data.storage.depth import Range
from genlab.data.storage.file_notes import NEEDED_FACTS, SOURCE_KEY, check_range, notes_on
from genlab.data.storage.findings import Findings
from genlab.data.storage.folder_layout import HeldOutShare, divide_into_splits, sort_by_hash, strip_shared_folders
from genlab.data.storage.split_names import TESTING, TRAINING, VALIDATION, folders_at, split_of


class Unpaired(CachedSet):
    """Images of B to be made from pictures of A, uint8 [N, C, H, W] each; `other` holds A, as a data set of its own.

    One root holds the folders trainA, trainB and perhaps testA, testB; or A and B. Two roots hold A and B. Folders for
    training and testing are splits there (`folder_layout.read_layout`), and others mean nothing. With `aligned` the
    test splits hold the same names in the same order, so that translations of A are measured against their partners
    in B; training ignores partners.

    Raises ConfigError if a domain has no image to train on, if partners are missing that are to be aligned, and for
    files that cannot be decoded (all are named) unless `on_error` is `skip`.
    """

    def __init__(
        self,
        root: Roots | None = None,  # a folder or a zip archive; or two of them, [A, B]
        *,
        direction: Direction = "AtoB",  # AtoB: B is made from A, and scored
        range: Range | None = None,  # values of the files that become black and white; null: all that their depth holds
        source_range: Range | None = None,  # those of sources; null: as `range`
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
        range, source_range = check_range(range), check_range(source_range, SOURCE_KEY) or check_range(range)
        domains = open_domains(root, HeldOutShare(test_share, test_group))
        if aligned:
            refuse_unpaired(*domains)
        source, image = domains if direction == "AtoB" else domains[::-1]
        places = (source, source_range), (image, range)
        tables = [domain.table(size, channels, limits, on_error == "skip") for domain, limits in places]
        options = {"limit": limit, "holdout": holdout, "flip": flip, "crop": crop}
        other = CachedSet(tables[0], name=source.name, value_range=source_range, **options)
        alike = range == source_range and same_depths(*tables)
        sources = source.notes(tables[0], source_range, key="data.range" if alike else SOURCE_KEY, remedy=OWN_RANGE)
        options |= {"notes": sources.joined_with(image.notes(tables[1], range)), "aligned": aligned}
        options |= {"value_range": range, "source_range": source_range}
        super().__init__(tables[1], name=f"{source.name}_{image.name}", other=other, **options)


def same_depths(one: Table, other: Table) -> bool:
    return one.facts["depths"].keys() == other.facts["depths"].keys()


class Domain:
    """Files of domain A or B."""

    def __init__(self, source: FileSource, root: Path, files: dict[str, str], held: HeldOutShare) -> None:
        self.source, self.root, self.held = source, root, held
        self.name = root.absolute().stem
        division = divide_into_splits(list(files), held)
        self.remark = division.remark
        self.splits = {  # name below the split's folder, without suffix -> file
            split: {"/".join(parts): files[name] for name, parts in members.items()}
            for split, members in division.members.items()
        }

    def table(self, size: int | None, channels: int | None, range: Range | None, skip: bool) -> Table:
        files = {split: list(members.values()) for split, members in self.splits.items()}
        key = {"content": self.source.content_key(), "files": files, "size": size, "channels": channels}
        key |= {"range": range} if range else {}
        options = {"facts": NEEDED_FACTS, "stamp": self.source.stamp()}
        table = fill_once({"domain": key}, lambda add: self.fill(add, size, channels, range), **options)
        report_bad_files(table.facts, self.root, skip, range)
        return table

    def notes(self, table: Table, limits: Range | None, **said: str) -> Notes:
        shared = {"left_out": self.source.left_out, "limits": limits, "remark": self.remark, **said}
        found = notes_on(table.facts, root=self.root, **shared)
        return Notes(*(tuple(self.prefix(said) for said in part) for part in found))

    def prefix(self, said: Any) -> Any:
        """Put the domain's name before what is said of it: a row (name, value), or a sentence."""
        return f"{self.name}: {said}" if isinstance(said, str) else (said[0], f"{self.name}: {said[1]}")

    def fill(self, add: Add, size: int | None, channels: int | None, range: Range | None) -> LabelsAndFacts:
        from genlab.data.storage.decoder import picture_reader  # Pillow takes a moment to load
        from genlab.data.storage.image_file import PixelRule

        found = channels or detect_channels(
            self.source, [file for split in self.splits.values() for file in split.values()]
        )
        splits = {split: [members[name] for name in sort_by_hash(members)] for split, members in self.splits.items()}
        findings = Findings(range)
        reader = picture_reader(self.source, PixelRule(found, size, range=range), findings)
        _, facts = add_splits(splits, reader, add, self.root, findings)
        return LabelsAndFacts(None, facts)


def open_domains(root: Roots | None, held: HeldOutShare) -> tuple[Domain, Domain]:
    if root is None:
        raise ConfigError(
            "data.root=null: name the folder or zip that holds trainA and trainB (testA and testB), data.root=PATH, or "
            "the places of either kind of pictures, data.root=[A,B]."
        )
    paths = [Path(place).expanduser() for place in ([root] if isinstance(root, str) else root)]
    if not isinstance(root, str) and len(paths) != 2:
        raise ConfigError(f"data.root={list(root)}: expected one place, or two, [A,B]; found {len(root)}.")
    sources = open_sources(paths)
    if len(paths) == 1:
        named = files_of_domains(sources[0], paths[0])
        return tuple(Domain(sources[0], paths[0] / side, files, held) for side, files in zip("AB", named, strict=True))
    places = zip(sources, paths, strict=True)
    return tuple(Domain(source, path, files_by_name(source.names, path), held) for source, path in places)


def files_of_domains(source: FileSource, path: Path) -> list[dict[str, str]]:
    """Return the files of A and B in one place. Raises ConfigError if there are none to train on.

    Where both are there, `testA` is the test split and not `valA`: neither needs labels.
    """
    named = files_of_sides(source.names, path) or [{}, {}]
    for side, files in zip("AB", named, strict=True):
        tops = {name.split("/")[0]: None for name in files}
        for name in [name for name in files if "test" in tops and split_of(name.split("/")[0]) in VALIDATION]:
            del files[name]
        if not files or (tops.keys() & set(TESTING) and not tops.keys() & set(TRAINING)):
            found = sorted({name.rpartition("/")[0] for name in source.names} - {""})
            refuse_alphabet(source.names, path)
            raise ConfigError(
                f"data.root={path}: no images in train{side} or {side} (folders: {list_names(found) or 'none'}). "
                "One place holds trainA and trainB, and perhaps testA and testB, or A and B; two places are [A,B]."
            )
    return named


def refuse_alphabet(names: Sequence[str], path: Path) -> None:
    """Raise ConfigError for folders A and B beside folders of further letters."""
    inner = strip_shared_folders({name: tuple(name.split("/")) for name in names})
    folders = folders_at(inner, 0)
    further = [folder for folder in folders if len(folder) == 1 and folder.lower() not in "ab"]
    if further and {folder.upper() for folder in folders} >= {"A", "B"}:
        raise ConfigError(
            f"data.root={path}: folders A and B, and {list_names(further)} beside them, which is too much: there are "
            "two kinds of pictures. Name two of these places, data.root=[A,B], or move the others elsewhere."
        )


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
