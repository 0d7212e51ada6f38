"""What the largest files that are not refused cost, and the worst that are, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = """
import resource, sys, time
from genlab.core.errors import ConfigError
from genlab.data.sets.folder import Folder
began = time.monotonic()
try:
    Folder(sys.argv[1], size=16, channels=int(sys.argv[2]))
except ConfigError as error:
    print(error, file=sys.stderr)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, time.monotonic() - began)
"""


def measure(path: Path, channels: int, cache: Path) -> tuple[float, float]:
    """The most memory in MiB, and seconds, of opening a folder or zip."""
    words = [sys.executable, "-c", MEASURE, str(path), str(channels)]
    done = subprocess.run(words, env={"GENLAB_CACHE": str(cache), "PATH": ""}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    memory, seconds = map(float, done.stdout.split())
    return memory, seconds


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "I;16"])
def test_pictures_of_the_most_pixels(tmp_path, mode):
    from PIL import Image

    for name, side in (("small", 16), ("large", 5_792)):
        (tmp_path / name).mkdir()
        for count in range(3):
            image = Image.new(mode, (side, side))
            image.putpixel((0, 0), 1 if len(mode) != 3 and mode != "RGBA" else (255,) * len(mode))
            image.save(tmp_path / name / f"{count}.png")
    small, _ = measure(tmp_path / "small", 3, tmp_path)
    for channels in (3, 4):
        memory, _ = measure(tmp_path / "large", channels, tmp_path)
        assert memory - small < 512, f"{memory - small} MiB"


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"progressive": True, "subsampling": 0}, {"turned": 6}])
def test_photos_of_the_most_pixels(tmp_path, options):
    from PIL import Image

    exif = Image.Exif()
    exif[0x112] = options.pop("turned", 1)
    for name, sides in (("small", (16, 16)), ("large", (10_000, 6_710))):
        (tmp_path / name).mkdir()
        for count in range(3):
            image = Image.effect_noise(sides, 90).convert("RGB")
            image.save(tmp_path / name / f"{count}.jpg", exif=exif, quality=60, **options)
    small, _ = measure(tmp_path / "small", 3, tmp_path)
    for channels in (3, 4):
        memory, _ = measure(tmp_path / "large", channels, tmp_path)
        assert memory - small < 512, f"{memory - small} MiB"


@pytest.mark.slow
def test_a_zip_that_unpacks_to_gigabytes(tmp_path):
    import struct
    import zipfile

    from tests.hostile_files import encoded

    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.png", encoded("PNG"))
        with archive.open("x.png", "w", force_zip64=False) as file:
            for _ in range(1_800):
                file.write(bytes(2**20))
    small, _ = measure(path, 3, tmp_path)
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.rindex(b"PK\1\2") + 24, 5_000)
    path.write_bytes(content)
    memory, seconds = measure(path, 3, tmp_path)
    assert memory - small < 100 and seconds < 10
