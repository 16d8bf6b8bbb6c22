"""The package's annotations hold, and the error classes cover every status."""

import importlib.metadata
import pathlib
import subprocess
import sys

import osdear
from osdear import _lib, errors


def test_mypy_finds_nothing_to_say():
    package = pathlib.Path(osdear.__file__).parent
    config = pathlib.Path(__file__).parents[2] / "pyproject.toml"
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", str(config), "--cache-dir=/dev/null", str(package)],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert (package / "py.typed").exists()


def test_each_status_has_a_class_of_its_own():
    number = 1
    while (name := _lib.text(_lib.lib.osdear_status_name(number))) != "unknown":
        assert errors.BY_STATUS[number] is not errors.Error, name
        number += 1
    assert number - 1 == len(errors.BY_STATUS) == len(set(errors.BY_STATUS.values()))


def test_the_versions_agree():
    assert osdear.__version__ == importlib.metadata.version("osdear")
