"""Bounds on what archives of other people unpack to."""

import os
import zipfile
from pathlib import Path

from genlab.core.foreign_files import open_regular


def require_plain_packing(member: zipfile.ZipInfo) -> None:
    """Raise OSError for a method whose output Python cannot unpack in pieces: a few bytes may become gigabytes."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = {zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "lzma"}.get(member.compress_type, "another method")
        raise OSError(f"packed by {method}: pack the archive again, by deflate or none")


def refuse_large(path: Path, most: int, times: int = 0) -> None:
    """Raise OSError for what is no regular file, and for one that holds more than `most` bytes when it is unpacked.

    Beyond that it may hold so many `times` its own size.
    """
    with open_regular(path) as file:
        packed = size = os.fstat(file.fileno()).st_size
        if zipfile.is_zipfile(file):
            members = zipfile.ZipFile(file).infolist()
            size = max(size, sum(member.file_size for member in members))
            for member in members:
                require_plain_packing(member)
    if size > max(most, times * packed):
        raise OSError(f"it holds {size:,} bytes, more than {max(most, times * packed):,}")
