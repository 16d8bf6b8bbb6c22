#!/usr/bin/env python3
"""The rules of rules.py, over the files of the project."""
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import rules
import tap
from source import ROOT, code, files, read

C_FILES = (".c", ".h")
TEXT_FILES = (".c", ".h", ".py", ".pyi", ".sh", ".md", ".build", ".options", ".toml", ".txt", ".map", ".1", ".7", ".yml", ".yaml")


class Tree(unittest.TestCase):
    def keep(self, rule, paths):
        self.assertTrue(paths, "there is nothing to look at")
        complaints = [f"{path}:{line}: {words}" for path in paths for line, words in rule(path, read(path))]
        if complaints:
            self.fail("\n".join(complaints))

    def test_layers_include_only_what_is_below_them(self):
        self.keep(rules.layer_arrows, files(*C_FILES, under="src"))

    def test_includes_name_their_layer(self):
        self.keep(rules.path_include, files(*C_FILES, under="src"))

    def test_a_third_party_library_is_known_to_one_layer(self):
        self.keep(rules.third_party, files(*C_FILES, under="src") + files(*C_FILES, under="include"))

    def test_only_alloc_asks_for_memory(self):
        self.keep(rules.memory, files(*C_FILES, under="src"))

    def test_no_call_without_a_bound(self):
        self.keep(rules.unbounded_calls, files(*C_FILES, under="src") + files(*C_FILES, under="examples"))

    def test_the_library_does_not_print_or_end_or_change_its_process(self):
        self.keep(rules.rude_calls, files(*C_FILES, under="src"))

    def test_conditional_compilation_stays_in_base(self):
        self.keep(rules.conditional_compilation, files(*C_FILES, under="src"))

    def test_no_assignment_inside_a_condition(self):
        self.keep(rules.assignment_in_condition, files(*C_FILES, under="src"))

    def test_functions_fit_a_screen(self):
        self.keep(rules.function_length, files(".c"))

    def test_files_are_short(self):
        self.keep(rules.file_length, files(".c", ".h", ".py", ".sh"))

    def test_no_stray_white_space(self):
        self.keep(rules.white_space, files(*TEXT_FILES))

    def test_lines_are_short(self):
        self.keep(rules.columns, files(*C_FILES))

    def test_no_path_or_host_of_one_machine(self):
        self.keep(rules.foreign_places, files(*TEXT_FILES))

    def test_nothing_is_unfinished_by_its_own_words(self):
        self.keep(rules.unfinished, [p for folder in ("src", "include", "bindings", "examples", "tests", "pkgconfig")
                                     if (ROOT / folder).is_dir() for p in files(".c", ".h", ".py", ".pyi", ".sh", under=folder)])

    def test_every_public_function_says_what_it_does(self):
        self.keep(rules.documented, files(".h", under="include"))

    def test_every_public_option_says_what_it_does(self):
        self.keep(rules.documented_fields, files(".h", under="include"))

    def test_public_headers_hold_only_what_bindings_can_read(self):
        self.keep(rules.cffi_can_read, files(".h", under="include"))


class Layout(unittest.TestCase):
    """Other versions of the tool differ in their taste; Debian 12 has this one."""

    VERSION = "14."

    def test_code_is_laid_out_as_clang_format_lays_it_out(self):
        said = subprocess.run(["clang-format", "--version"], capture_output=True, text=True, check=False).stdout if shutil.which("clang-format") else ""
        if f"version {self.VERSION}" not in said:
            self.skipTest(f"clang-format {self.VERSION} is not there: sh tests/support/prepare.sh packages installs it on Debian 12")
        paths = [ROOT / path for path in files(*C_FILES)]
        result = subprocess.run(["clang-format", "--dry-run", *paths], capture_output=True, text=True, check=False)
        complaints = [line for line in result.stderr.splitlines() if "clang-formatted" in line]
        self.assertEqual(complaints[:20], [], f"{len(complaints)} places: clang-format -i mends them")


class Faults(unittest.TestCase):
    def test_every_public_call_that_can_fail_has_a_body_that_makes_it_fail(self):
        can_fail = set()
        for path in files(".h", under="include"):
            for _, _, declaration in rules.declarations(code(read(path))):
                if "osdear_error **" in declaration:
                    can_fail.add(re.search(r"\b(osdear_\w+)\s*\(", declaration).group(1))
        bodies = set(re.findall(r"^BODY\((osdear_\w+),", "".join(read(p) for p in files(".c", under="tests/fault")), re.MULTILINE))
        self.assertEqual(sorted(can_fail - bodies), [])
        self.assertEqual(sorted(bodies - can_fail), [])


class Build(unittest.TestCase):
    """A file that no meson.build names is compiled by nobody and tested by nobody."""

    def unlisted(self, paths):
        missing = []
        for path in paths:
            above = [folder / "meson.build" for folder in path.parents if (ROOT / folder / "meson.build").is_file()]
            shared = files("meson.build", under="tests") if "support" in path.parts else []
            text = "".join(read(build) for build in [*above, *shared])
            stem = re.sub(r"^(fuzz|test)_", "", path.stem)
            if path.name not in text and f"'{stem}'" not in text:
                missing.append(str(path))
        return missing

    def test_every_source_is_built(self):
        self.assertEqual(self.unlisted(files(".c", under="src")), [])

    def test_every_test_is_built(self):
        paths = [path for path in files(".c", under="tests")]
        self.assertEqual(self.unlisted(paths), [])

    def test_every_public_header_is_installed_and_included(self):
        headers = [path.name for path in files(".h", under="include/osdear")]
        build = read("include/meson.build")
        umbrella = read("include/osdear.h")
        self.assertEqual([h for h in headers if f"'osdear/{h}'" not in build], [])
        self.assertEqual([h for h in headers if f"<osdear/{h}>" not in umbrella], [])
        python = read("bindings/python/meson.build")
        self.assertEqual([h for h in headers if f"'{h.removesuffix('.h')}'" not in python], [])

    def test_the_umbrella_header_declares_nothing(self):
        lines = [line for line in code(read("include/osdear.h")).splitlines() if line.strip() and not line.startswith("#")]
        self.assertEqual(lines, [])


if __name__ == "__main__":
    tap.main()
