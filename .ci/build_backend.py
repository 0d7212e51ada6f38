"""Builds genlab with setuptools, makes an editable install be found from every directory, and source archives whole.

setuptools' editable install is asked for a package after all folders of `sys.path`. In the directory that holds a clone
the clone itself, a folder called genlab, comes before it, and Python takes that folder for a namespace without content.
A regular package in any folder of `sys.path` comes before a namespace: so the editable wheel gets one, which stands for
the package in the clone. In the clone, or in another one, the package there comes first, as ever.
"""

import base64
import hashlib
import shutil
import tempfile
import zipfile
from pathlib import Path

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403  the other hooks

PACKAGE = Path(__file__).resolve().parents[1] / "genlab"
STAND_IN = """\
import sys
from importlib.util import module_from_spec, spec_from_file_location

spec = spec_from_file_location(__name__, {file!r}, submodule_search_locations=[{folder!r}])
sys.modules[__name__] = module_from_spec(spec)
spec.loader.exec_module(sys.modules[__name__])
"""


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = build_meta.build_editable(wheel_directory, config_settings, metadata_directory)
    text = STAND_IN.format(file=str(PACKAGE / "__init__.py"), folder=str(PACKAGE))
    add_file(Path(wheel_directory, name), "genlab/__init__.py", text.encode())
    return name


def build_sdist(sdist_directory, config_settings=None):
    """Build a source archive that holds this file, which setuptools would leave out."""
    name = build_meta.build_sdist(sdist_directory, config_settings)
    path = Path(sdist_directory, name)
    root = name.removesuffix(".tar.gz")
    with tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(path, folder)
        Path(folder, root, ".ci").mkdir(exist_ok=True)
        shutil.copy(__file__, Path(folder, root, ".ci"))
        shutil.make_archive(str(path.with_name(root)), "gztar", folder, root)
    return name


def add_file(wheel, name, content):
    """Add a file to a wheel, and to its record."""
    with zipfile.ZipFile(wheel) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist()}
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    record = next(entry for entry in files if entry.endswith(".dist-info/RECORD"))
    files[record] += f"{name},sha256={digest},{len(content)}\n".encode()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, data in {name: content, **files}.items():
            archive.writestr(entry, data)
