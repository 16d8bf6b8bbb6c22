#!/usr/bin/env python3
"""What programs link against: headers, symbol map and library say the same, and say it to C99 and C++11 too.

usage: test_abi.py LIBRARY
"""
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import tap

LIBRARY = Path(sys.argv[1])
INCLUDE = ROOT / "include"
HEADERS = [INCLUDE / "osdear.h", *sorted((INCLUDE / "osdear").glob("*.h"))]
BASELINE = ROOT / "docs/abi/libosdear-0.1.0.abi"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-I{INCLUDE}"]
DIALECTS = [("gcc", "c", "c99"), ("gcc", "c", "c17"), ("g++", "c++", "c++11"), ("clang", "c", "c99"), ("clang", "c++", "c++11")]


def without_comments(path):
    return re.sub(r"/\*.*?\*/", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def run(*command, text=None):
    return subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True, check=False)


def declared():
    found = set()
    for header in HEADERS:
        for declaration in re.findall(r"^OSDEAR_API\b[^;]*;", without_comments(header), re.MULTILINE):
            found.add(re.search(r"\b(osdear_\w+)\s*\(", declaration).group(1))
    return found


def mapped():
    text = (ROOT / "src/libosdear.map").read_text(encoding="utf-8")
    return re.findall(r"^\s+(osdear_\w+);", text, re.MULTILINE)


def exported():
    lines = run("nm", "-D", "--defined-only", LIBRARY).stdout.splitlines()
    return {re.sub(r"@.*", "", line.split()[-1]) for line in lines if line.split()[-2] != "A"}


class Symbols(unittest.TestCase):
    def test_the_map_names_what_the_headers_declare(self):
        self.assertEqual(set(mapped()), declared())

    def test_the_map_is_sorted_and_names_nothing_twice(self):
        self.assertEqual(mapped(), sorted(set(mapped())))

    def test_the_library_exports_what_the_headers_declare(self):
        self.assertEqual(exported(), declared())

    def test_the_soname_carries_the_major_version_of_the_abi(self):
        self.assertIn("[libosdear.so.0]", run("readelf", "-d", LIBRARY).stdout)

    def test_the_library_needs_nothing_that_it_may_never_use(self):
        needed = set(re.findall(r"\(NEEDED\).*\[(\w+)", run("readelf", "-d", LIBRARY).stdout))
        self.assertLessEqual(needed, {"libc", "libm", "ld", "libyajl", "libuuid"})


class Headers(unittest.TestCase):
    def compiles(self, text):
        for compiler, language, standard in DIALECTS:
            result = run(compiler, "-x", language, f"-std={standard}", *STRICT, "-", text=text)
            self.assertEqual(result.returncode, 0, f"{compiler} -std={standard}: {result.stderr}")

    def test_each_compiles_alone_as_c99_c17_and_cpp11(self):
        for header in HEADERS:
            self.compiles(f"#include <{header.relative_to(INCLUDE)}>\nextern int something;\n")

    def test_a_header_that_is_wrong_would_be_noticed(self):
        with self.assertRaises(AssertionError):
            self.compiles("#include <osdear.h>\ninline bool f(void) { return class; }\n")

    def test_every_public_macro_expands_as_c99_and_cpp11(self):
        macros = [m for h in HEADERS for m in re.findall(r"#define (OSDEAR_\w+) \S", without_comments(h))]
        lines = ["#include <osdear.h>", "int use(void);", "int use(void)", "{"]
        for macro in macros:
            if macro.endswith("_INIT"):
                name = macro[: -len("_INIT")].lower()
                lines.append(f"  {name} {name}_value = {macro};")
                lines.append(f"  if ({name}_value.size != sizeof({name})) return 1;")
            elif macro != "OSDEAR_API":
                lines.append(f"  if ((long long)({macro}) == 12345) return 1;")
        self.assertGreater(len(macros), 8)
        self.compiles("\n".join(lines + ["  return 0;", "}", ""]).replace("long long", "int64_t"))

    def test_every_public_struct_is_frozen_in_sizes_c(self):
        frozen = (ROOT / "tests/abi/sizes.c").read_text(encoding="utf-8")
        structs = [s for h in HEADERS for s in re.findall(r"^(?:typedef )?struct (\w+) \{", without_comments(h), re.MULTILINE)]
        self.assertGreater(len(structs), 10)
        self.assertEqual([s for s in structs if not re.search(rf"FROZEN\((?:struct )?{s},", frozen)], [])

    def test_the_version_is_the_same_everywhere(self):
        parts = [re.search(rf"#define OSDEAR_VERSION_{part} (\d+)", (INCLUDE / "osdear/base.h").read_text()).group(1)
                 for part in ("MAJOR", "MINOR", "PATCH")]
        build = re.search(r"version: '([\d.]+)'", (ROOT / "meson.build").read_text()).group(1)
        self.assertEqual(".".join(parts), build)


class Baseline(unittest.TestCase):
    def test_nothing_changed_against_the_last_release_but_by_addition(self):
        result = run("abidiff", "--headers-dir2", INCLUDE, "--drop-private-types", "--no-added-syms", BASELINE, LIBRARY)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_a_removed_function_would_be_noticed(self):
        with tempfile.TemporaryDirectory() as folder:
            changed = Path(folder, "changed.abi")
            changed.write_text(re.sub(r"osdear_version\b", "osdear_edition", BASELINE.read_text(encoding="utf-8")))
            self.assertNotEqual(run("abidiff", changed, LIBRARY).returncode & 8, 0)


if __name__ == "__main__":
    del sys.argv[1:]
    tap.main()
