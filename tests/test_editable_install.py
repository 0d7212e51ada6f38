"""An editable install is found from the directory that holds the clone, where the clone's folder hides it else."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import genlab

HOME = Path(__file__).parents[1]


@pytest.fixture
def backend():
    pytest.importorskip("setuptools")
    spec = importlib.util.spec_from_file_location("build_backend", HOME / ".ci/build_backend.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_package_is_found_beside_a_folder_of_its_name(backend, tmp_path):
    wheel, site = tmp_path / "genlab.whl", tmp_path / "site"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("genlab-1.dist-info/RECORD", "genlab-1.dist-info/RECORD,,\n")
    text = backend.STAND_IN.format(file=str(HOME / "genlab/__init__.py"), folder=str(HOME / "genlab"))
    backend.add_file(wheel, "genlab/__init__.py", text.encode())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    assert (site / "genlab-1.dist-info/RECORD").read_text().count("\n") == 2
    (tmp_path / "parent/genlab").mkdir(parents=True)
    code = "import genlab, genlab.core, sys; assert sys.modules['genlab'] is genlab; print(genlab.__file__, genlab.run)"
    options = {"cwd": tmp_path / "parent", "env": os.environ | {"PYTHONPATH": str(site)}}
    done = subprocess.run([sys.executable, "-c", code], **options, capture_output=True, text=True)
    assert done.stdout.startswith(f"{genlab.__file__} <function run"), done.stderr
