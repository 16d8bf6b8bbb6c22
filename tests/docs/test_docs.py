#!/usr/bin/env python3
"""What the documentation says is run: each shell and Python snippet of a how-to page in order, each C snippet compiled, each link
followed, each man page checked.

usage: test_docs.py SOURCE_FOLDER FOLDER_OF_THE_COMMAND FOLDER_OF_THE_PACKAGE
"""
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT, TOOLS, PACKAGE = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
sys.path.insert(0, str(ROOT / "tests/support"))
import tap

CACHE = os.environ.get("OSDEAR_CACHE", os.path.expanduser("~/.cache/osdear"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


SERVICES = {"airbyte": "Airbyte", "airflow": "Airflow", "dremio": "Dremio", "spark": "Spark"}


@contextlib.contextmanager
def services():
    """Small servers that answer as the services of the pages do: where they are, by the address that the pages give, and their settings."""
    addresses, settings = {}, {}
    with contextlib.ExitStack() as stack:
        for host, name in SERVICES.items():
            command = [sys.executable, str(ROOT / "tests/support/services.py"), name, "settings"]
            process = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            stack.callback(process.stdin.close)
            addresses[f"+http://{host}"] = f"+http://127.0.0.1:{int(process.stdout.readline())}"
            settings |= {f"OSDEAR_{host}_{key}".upper(): value for key, value in json.loads(process.stdout.readline()).items()}
        yield addresses, settings


class Snippets(unittest.TestCase):
    def run_page(self, page):
        given = services() if page.stem == "call-services" else contextlib.nullcontext(({}, {}))
        with tempfile.TemporaryDirectory() as folder, given as (addresses, settings):
            for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
                for address, place in addresses.items():
                    text = re.sub(re.escape(address) + r":\d+", place, text)
                self.run_block(language, text, folder, settings)

    def run_block(self, language, text, folder, settings):
        environment = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", "PYTHONPATH": PACKAGE,
                       "OSDEAR_STATE": f"{folder}/state", **settings}
        if language == "csv":
            Path(folder, "people.csv").write_text(text, encoding="utf-8")
            return
        if language == "sh":
            command = ["bash", "-euo", "pipefail", "-c", text]
        elif language == "python":
            command = [f"{CACHE}/venv/bin/python", "-c", text]
        elif language == "c":
            command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-xc", "-I", str(ROOT / "include"), "-"]
        else:
            self.fail(f"a snippet in a language that is not run: {language}")
        result = subprocess.run(command, cwd=folder, env=environment, input=text if language == "c" else None, text=True,
                                capture_output=True, check=False, timeout=120)
        self.assertEqual(result.returncode, 0, f"{text}\n{result.stdout}{result.stderr}")


for _page in sorted((ROOT / "docs/how-to").glob("*.md")):
    setattr(Snippets, f"test_{_page.stem.replace('-', '_')}", lambda self, page=_page: self.run_page(page))


class Pages(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
            for target in LINK.findall(page.read_text(encoding="utf-8")):
                if "://" not in target:
                    self.assertTrue((page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}")

    def test_decisions_are_numbered_in_a_row(self):
        pages = sorted((ROOT / "docs/decisions").glob("*.md"))
        for number, page in enumerate(pages, 1):
            self.assertTrue(page.name.startswith(f"{number:04}-"), page.name)
            self.assertTrue(page.read_text(encoding="utf-8").startswith(f"# {number}. "), page.name)

    def test_man_pages_are_well_formed(self):
        self.lint(sorted((ROOT / "docs/man").glob("*.[17]")))

    def lint(self, pages):
        result = subprocess.run(["mandoc", "-Tlint", "-Wwarning", *pages], capture_output=True, text=True, check=False)
        self.assertEqual(result.stdout, "")


class Reference(unittest.TestCase):
    """The pages that are made of the public headers."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.headers = sorted((ROOT / "include/osdear").glob("*.h"))
        subprocess.run([sys.executable, ROOT / "docs/reference/generate_man.py", folder.name, "November 25, 2026", "0.1.0", *cls.headers], check=True)
        cls.pages = {header: Path(folder.name, f"osdear_{header.stem}.3") for header in cls.headers}

    def test_pages_are_well_formed(self):
        Pages.lint(self, self.pages.values())

    def test_every_call_is_in_a_name_and_told_of(self):
        for header, page in self.pages.items():
            text = page.read_text(encoding="utf-8")
            for call in re.findall(r"^OSDEAR_API[^;(]*?\b(osdear_\w+)\(", header.read_text(encoding="utf-8"), re.MULTILINE):
                for line in (rf"\.Nm {call}( ,)?", rf"\.Fo {call}", rf"\.Ss {call}\n[^.]"):
                    self.assertRegex(text, rf"(?m)^{line}", header.name)

    def test_every_member_and_constant_is_listed(self):
        for header, page in self.pages.items():
            text = page.read_text(encoding="utf-8")
            for member in re.findall(r"^  ([^/\n(*]+?)[;,]? +/\*\*<", header.read_text(encoding="utf-8"), re.MULTILINE):
                self.assertIn(f'.It Vt "{" ".join(member.split())}"', text, header.name)


if __name__ == "__main__":
    tap.main()
