"""Files that somebody made to do harm, as bytes by name: for every reader of others' files."""

import io
import json
import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image

MIB = 2**20


def encoded(format: str, mode: str = "RGB", **options) -> bytes:
    buffer = io.BytesIO()
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)  # of every value
    Image.fromarray(pixels).convert(mode).save(buffer, format, **options)
    return buffer.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *, before: bytes = b"") -> bytes:
    """A PNG that promises so many pixels, and has few."""
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + before + chunk(b"IDAT", zlib.compress(bytes(100)))


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


# Formats that Pillow opens, and that no reader here may: some start programs, others are little tested.
UNLISTED = {
    **{name: encoded(name) for name in ("EPS", "ICO", "ICNS", "TGA", "SGI", "PCX", "DDS", "IM", "JPEG2000")},
    **{name: encoded(name, "1") for name in ("MSP", "XBM")},
    "EPS with DOS header": b"\xc5\xd0\xd3\xc6" + struct.pack("<II", 32, 60) + bytes(20) + b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "EPS that runs": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%touch ran) (w) file closefile\n",
    "PDF": b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "WMF": b"\xd7\xcd\xc6\x9a\0\0" + bytes(60),
    "PSD": b"8BPS\0\1" + bytes(60),
    "FITS": b"SIMPLE  =                    T" + bytes(80),
    "HTML": b"<html>404</html>",
}
BROKEN = {
    "one byte": b"\x89",
    "ends in its header": png(20, 20)[:30],
    "few pixels": png(20, 20),
    "90 million pixels": png(10_000, 9_000),
    "3,600 million pixels": png(60_000, 60_000),
    "2**62 pixels": png(2**31 - 1, 2**31 - 1),
    "text of 200 MB": png(20, 20, before=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200 * MIB // 10), 1))),
    **{f"cut {name}": cut(encoded(name)) for name in ("JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")},
    "huge BMP": b"BM" + struct.pack("<IIIIiiHH", 99, 0, 54, 40, 2**30, 2**30, 1, 24) + bytes(60),
    "huge PPM": b"P6 99999999 99999999 255\n" + bytes(60),
    "huge GIF": b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + bytes(60),
    "TIFF in a circle": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
}
DEEP = 200_000
JSON = {
    "deep lists": "[" * DEEP,
    "deep and closed": "[" * DEEP + "]" * DEEP,
    "deep objects": '{"labels":' * DEEP,
    "60 deep": '{"labels": ' + "[" * 60 + "]" * 60 + "}",
    "many values": '{"labels": [' + "[]," * 3_000_000 + "0]}",
    "long number": '{"labels": [["a.png", ' + "9" * 5_000 + "]]}",
    "not UTF-8": b'{"labels": "\xff\xfe"}',
    "UTF-16": '{"labels": null}'.encode("utf-16"),
    "half": '{"labels": [["a.pn',
    "a list": "[[1, 2], 3]",
}
YAML = {
    "aliases that multiply": "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(9)),
    "an alias in itself": "a: &a [*a]\n",
    "deep": "[" * DEEP,
    "code": "a: !!python/object/apply:os.system ['touch ran']\n",
    "number in base 60": "a: 1" + ":59" * 200_000,
    "long hexadecimal": "a: 0x" + "f" * 100_000,
    "large": "a: b\n" * 500_000,
    "no YAML": "a: [b",
}


class Code:
    """Makes a file called `ran` where a pickle of it is loaded."""

    def __init__(self, call, *given):
        self.given = call, given

    def __reduce__(self):
        return self.given


def saved(content) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def doubled(depth: int) -> list:
    """A list that a walk through meets 2 ** depth times, in a few bytes."""
    found: list = []
    for _ in range(depth):
        found = [found, found]
    return found


def deflated(archive: bytes, *, zeros: int) -> bytes:
    """The same archive with a member that unpacks to so many zeros."""
    buffer = io.BytesIO(archive)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as found:
        found.writestr("archive/data/99", bytes(zeros))
    return buffer.getvalue()


def scripted() -> bytes:
    """A TorchScript file, whose code torch.jit.load would run."""
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.Identity(), torch.zeros(1)), buffer)
    return buffer.getvalue()


WRITE = "open('ran', 'w')"
CALLS = (Code(os.system, "touch ran"), Code(eval, WRITE), Code(Path, "ran"), Code(exec, WRITE))
PICKLES = {
    **{f"{one.given[0].__name__} in a file of torch's": saved({"state": one}) for one in CALLS},
    **{f"{one.given[0].__name__} in a pickle": pickle.dumps(one, 2) for one in CALLS},
    "torch.load": saved([Code(torch.load, "other.pt")]),
    "4 GB from a number": saved([Code(bytearray, 2**32)]),
    "a list in itself": saved((lambda one: one.append(one) or one)([])),
    "a list 2**60 long": saved({"config": doubled(60)}),
    "packed": deflated(saved({}), zeros=MIB),
    "TorchScript": scripted(),
    "junk": b"junk",
    "empty": b"",
    "cut": cut(saved({"a": torch.zeros(100)})),
    "NumPy": (lambda file: np.save(file, np.zeros(3)) or file.getvalue())(io.BytesIO()),
}


def safetensors(header: bytes, content: bytes = bytes(8)) -> bytes:
    return struct.pack("<Q", len(header)) + header + content


def with_metadata(**metadata: str) -> bytes:
    tensor = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    return safetensors(json.dumps({"__metadata__": metadata, "a": tensor}).encode())


SAFETENSORS = {
    "deep metadata": with_metadata(genlab="[" * DEEP, classifier="[" * DEEP),
    "a list": with_metadata(genlab="[]", classifier="[]"),
    "no facts": with_metadata(genlab="{}", classifier="{}"),
    "facts of other kinds": with_metadata(
        genlab='{"config": 3, "spec": [], "format": 2}',
        classifier='{"data": 1, "shape": [1, 9e9, 28], "classes": 10, "accuracy": "x"}',
    ),
    "code": with_metadata(genlab='{"config": {"_target_": "os.system", "command": "touch ran"}, "spec": {}}'),
    "no metadata": safetensors(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
    "beyond its end": safetensors(b'{"a":{"dtype":"F32","shape":[999999999],"data_offsets":[0,3999999996]}}'),
    "long header": struct.pack("<Q", 2**62) + bytes(80),
    "deep header": safetensors(b"[" * DEEP),
    "empty": b"",
}


def member(name: str, content: bytes, *, packing: int = zipfile.ZIP_DEFLATED, declared: int | None = None) -> bytes:
    """A zip with one more file, whose directory may declare another size."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for good in ("1.png", "2.png"):
            archive.writestr(good, encoded("PNG"))
        archive.writestr(name, content)
    found = bytearray(buffer.getvalue())
    if declared is not None:
        struct.pack_into("<I", found, found.rindex(b"PK\1\2") + 24, declared)
    return bytes(found)


ZIPS = {
    "unpacks to more than it declares": member("x.png", bytes(64 * MIB), declared=1_000),
    "declares more than it has": member("x.png", b"abc", declared=1_000_000),
    "declares 4 GB": member("x.png", b"abc", declared=2**32 - 2),
    "unpacks to 150 MB": member("x.png", bytes(150 * MIB)),
    "bzip2": member("x.png", bytes(MIB), packing=zipfile.ZIP_BZIP2),
    "LZMA": member("x.png", bytes(MIB), packing=zipfile.ZIP_LZMA),
    "a label file that is deep": member("dataset.json", b"[" * DEEP),
    "a label file that declares 4 GB": member("dataset.json", b"{}", declared=2**32 - 2),
    "a label file by LZMA": member("dataset.json", b"{}", packing=zipfile.ZIP_LZMA),
    "cut": cut(member("x.png", bytes(MIB))),
    "directory alone": b"PK\5\6" + bytes(4) + struct.pack("<HHII", 9, 9, 999, 0) + bytes(2),
}


def npy(header: bytes) -> bytes:
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header


def archived(content: bytes, packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        archive.writestr("1.npy", content)
    return buffer.getvalue()


HUGE = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 10000000000000)}\n"
ARRAYS = {
    "objects.npy": npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (2, 2)}\n") + pickle.dumps(CALLS[0], 2),
    "pickle.npy": pickle.dumps(CALLS[0], 2),
    "huge.npy": npy(HUGE),
    "deep.npy": npy(b"{'descr': " + b"(" * 9_000 + b"\n"),
    "huge.npz": archived(npy(HUGE)),
    "bomb.npz": archived(bytes(100 * MIB)),
    "lzma.npz": archived(bytes(MIB), zipfile.ZIP_LZMA),
    "cut.npz": cut(archived(npy(HUGE))),
    "text.txt": b"\xff" * 100,
    "digits.txt": b"1.png " + b"1" * 50_000 + b" x\n" + b"1 " * 30_000 + b"x" + b" 1" * 30_000,
}
