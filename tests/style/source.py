"""Where the project's files are, and C text without what is no code."""
import fnmatch
import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = [".git", ".github", "node_modules", ".mypy_cache", ".pytest_cache"]
NOT_OURS += [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split() if line.endswith("/")]
TOKEN = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)


def files(*suffixes, under="."):
    """Paths below `under` with one of the suffixes, relative to the checkout, sorted."""
    found = []
    for folder, folders, names in os.walk(ROOT / under):
        folders[:] = sorted(f for f in folders if not any(fnmatch.fnmatch(f, pattern) for pattern in NOT_OURS))
        found += [Path(folder, name).relative_to(ROOT) for name in names if name.endswith(suffixes)]
    return sorted(found)


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def code(text):
    """The text with comments and the insides of literals blanked, line numbers kept."""

    def blank(match):
        token = match.group(0)
        if token[0] in "\"'":
            return token[0] + " " * (len(token) - 2) + token[0]
        return re.sub(r"[^\n]", " ", token)

    return TOKEN.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1
