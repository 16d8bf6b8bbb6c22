#!/usr/bin/env python3
"""A foreign project builds against the installed library and works: by its pkg-config file, shared and static, C99 and C++11.

usage: test_package.py BUILD_FOLDER
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import tap

BUILD = Path(sys.argv[1])
ROWS = "1 osier\n2 reed\n"


def run(*command, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    return result.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.stage = Path(cls.folder.name, "stage")
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.stage)
        cls.pc = next(cls.stage.rglob("osdear.pc"))
        cls.prefix = cls.stage / re.search(r"^prefix=/(.*)$", cls.pc.read_text(), re.MULTILINE).group(1)
        cls.libraries = next(cls.stage.rglob("libosdear.a")).parent

    def build(self, *options, libraries, pc):
        project = Path(tempfile.mkdtemp(dir=self.folder.name))
        for name in ("consumer.c", "Makefile"):
            shutil.copy(ROOT / "pkgconfig/consumer" / name, project)
        environment = {**os.environ, "PKG_CONFIG_PATH": str(pc.parent)}
        run("make", "-C", project, f"PKG_CONFIG=pkg-config --define-variable=prefix={self.prefix} "
            f"--define-variable=libdir={libraries}", *options, env=environment)
        return project

    def prints_its_rows(self, project, program, libraries):
        table = project / f"table-{program}"
        out = run(project / program, table, env={**os.environ, "LD_LIBRARY_PATH": str(libraries)})
        self.assertEqual(out, ROWS)
        self.assertTrue((table / "_delta_log/00000000000000000001.json").is_file())

    def test_shared(self):
        project = self.build(libraries=self.libraries, pc=self.pc)
        self.assertIn("libosdear.so.0", run("readelf", "-d", project / "consumer"))
        self.prints_its_rows(project, "consumer", self.libraries)
        self.prints_its_rows(project, "consumer-cpp", self.libraries)

    def test_static(self):
        only_static = Path(self.folder.name, "static")
        only_static.mkdir()
        shutil.copy(self.libraries / "libosdear.a", only_static)
        project = self.build("STATIC=--static", libraries=only_static, pc=self.pc)
        self.assertNotIn("libosdear", run("readelf", "-d", project / "consumer"))
        self.prints_its_rows(project, "consumer", only_static)
        self.prints_its_rows(project, "consumer-cpp", only_static)

    def test_every_public_header_is_installed(self):
        ours = {path.relative_to(ROOT / "include") for path in (ROOT / "include").rglob("*.h")}
        theirs = {path.relative_to(self.prefix / "include") for path in (self.prefix / "include").rglob("*.h")}
        self.assertEqual(ours, theirs)

    def test_every_public_header_has_its_page(self):
        headers = {f"osdear_{path.stem}.3" for path in (ROOT / "include/osdear").glob("*.h")}
        self.assertEqual(headers, {path.name for path in (self.prefix / "share/man/man3").iterdir()})

    def test_the_licence_is_installed(self):
        self.assertTrue(list(self.stage.rglob("LICENSE")))

    def test_nothing_internal_is_installed(self):
        names = [path.name for path in self.stage.rglob("*") if path.is_file() or path.is_symlink()]
        self.assertEqual([name for name in names if name.startswith("libosdear-") or name.startswith("test-")], [])


if __name__ == "__main__":
    del sys.argv[1:]
    tap.main()
