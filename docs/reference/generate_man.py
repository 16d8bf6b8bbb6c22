"""Turns each public header into a page of section 3, so that the reference cannot drift from the ABI.

usage: generate_man.py FOLDER DATE VERSION HEADER...

What a header documents comes in its own order: types with their members, constants, calls with their parameters and failures. The page's
NAME lists every call, so that `man osdear_table_open` finds it.
"""
import pathlib
import re
import sys

ITEM = re.compile(
    r"(?P<doc>/\*\*(?!<)(?:(?!\*/).)*\*/)"
    r"|(?P<struct>^typedef struct \w+ \{\n.*?^\} \w+;)"
    r"|(?P<constants>^enum \{\n.*?^\};)"
    r"|(?P<type>^typedef [^{;]*;)"
    r"|(?P<call>^OSDEAR_API [^;]*;)",
    re.MULTILINE | re.DOTALL,
)
BEHIND = re.compile(r"[ \t]*/\*\*<(.*?)\*/", re.DOTALL)
MEMBER = re.compile(r"^  (?P<code>[^/\n]+?)[;,]?[ \t]*(?:/\*\*<(?P<text>.*?)\*/)?$", re.MULTILINE | re.DOTALL)
TAG = re.compile(r"@(param|retval|return|note|since|file)\b(\[[^]]*\])?")


def words(comment: str) -> str:
    """A comment without its frame."""
    inside = re.sub(r"^/\*\*<?|\*/$", "", comment.strip())
    return re.sub(r"^[ \t]*\*[ \t]?", "", inside, flags=re.MULTILINE).strip()


def safe(text: str) -> str:
    """Text as roff reads it: a line for each sentence, code between backticks bold, and nothing taken for a request."""
    line = " ".join(text.split()).replace("\\", "\\e")
    line = re.sub(r"`([^`]*)`", r"\\fB\1\\fP", line)
    sentences = re.sub(r"([.!?]\)?) (?=\S)", r"\1\n", line).split("\n")
    return "\n".join("\\&" + sentence if sentence[:1] in (".", "'") else sentence for sentence in sentences)


def paragraphs(text: str) -> list[str]:
    return [safe(part) for part in re.split(r"\n[ \t]*\n", text) if part.strip()]


def quoted(text: str) -> str:
    return '"' + " ".join(text.split()).replace("\\", "\\e").replace('"', '\\(dq') + '"'


class Comment:
    """A doc comment, taken apart by its tags."""

    def __init__(self, text: str):
        parts = TAG.split(text)
        self.text = parts[0]
        self.tags: list[tuple[str, str]] = [(parts[i], parts[i + 2].strip()) for i in range(1, len(parts), 3)]

    def of(self, tag: str) -> list[str]:
        return [text for name, text in self.tags if name == tag]


def listed(title: str, entries: list[tuple[str, str]]) -> list[str]:
    lines = [".Pp", title, ".Bl -tag -width Ds"]
    for head, text in entries:
        lines += [f".It {head}", *([text] if text else [])]
    return [*lines, ".El"]


def entry(text: str) -> tuple[str, str]:
    """`names text`, where names are words with commas between them."""
    match = re.match(r"((?:[\w]+,\s*)*\w+)\s+(.*)", text, re.DOTALL)
    head, rest = (match.group(1), match.group(2)) if match else (text, "")
    return f"Sy {' '.join(head.split())}".replace(",", " ,"), safe(rest)


def describe(comment: Comment) -> list[str]:
    lines = [line for part in paragraphs(comment.text) for line in (".Pp", part)]
    if comment.of("param"):
        lines += listed("Parameters:", [entry(text) for text in comment.of("param")])
    for text in comment.of("return"):
        lines += [".Pp", "Returns: " + safe(text)]
    if comment.of("retval"):
        lines += listed("What it may return:", [entry(text) for text in comment.of("retval")])
    for text in comment.of("note"):
        lines += [".Pp", safe(text)]
    for text in comment.of("since"):
        lines += [".Pp", f"Since version {text}."]
    return lines


def call_of(declaration: str) -> tuple[str, str, list[str]]:
    """(returned type, name, parameters)"""
    match = re.match(r"OSDEAR_API\s+(.*?)\b(osdear_\w+)\((.*)\);$", " ".join(declaration.split()))
    assert match, declaration
    return match.group(1).strip(), match.group(2), [part.strip() for part in match.group(3).split(",")]


def synopsis(declaration: str) -> list[str]:
    returned, name, parameters = call_of(declaration)
    return [f".Ft {quoted(returned)}", f".Fo {name}", *(f".Fa {quoted(parameter)}" for parameter in parameters), ".Fc"]


def members(body: str) -> list[tuple[str, str]]:
    inside = body[body.index("{\n") + 2 : body.rindex("}")]
    return [(f"Vt {quoted(m['code'])}", safe(words(m["text"] or ""))) for m in MEMBER.finditer(inside) if m["code"].strip()]


def name_of_type(declaration: str) -> str:
    pointer = re.search(r"\(\*(\w+)\)", declaration)
    return pointer.group(1) if pointer else re.findall(r"\w+", declaration)[-1]


def items(text: str) -> list[tuple[str, str, Comment]]:
    """What is declared, each with its comment: the one above it, or the one behind it."""
    found, above = [], ""
    for match in ITEM.finditer(text):
        if match["doc"]:
            above = words(match["doc"])
            continue
        behind = BEHIND.match(text, match.end())
        found.append((match.lastgroup or "", match.group(0), Comment(above or (words(behind.group(1)) if behind else ""))))
        above = ""
    return found


def section(kind: str, body: str, comment: Comment) -> list[str]:
    if kind == "call":
        return [f".Ss {call_of(body)[1]}", *describe(comment)]
    if kind == "constants":
        return [*describe(comment), *listed("Constants:", members(body))]
    lines = [f".Ss {name_of_type(body)}", *describe(comment)]
    return lines + listed("Members:", members(body)) if kind == "struct" else lines


def page(path: pathlib.Path, date: str, version: str) -> str:
    text = path.read_text(encoding="utf-8")
    first, rest = text.split("*/", 1)
    brief = safe(re.sub(r"^@file \S+ ", "", words(first + "*/"))).rstrip(".")
    found = items(rest)
    calls = [body for kind, body, _ in found if kind == "call"]
    names = [f"osdear_{path.stem}", *(name for _, name, _ in map(call_of, calls))]
    unique = list(dict.fromkeys(names))
    lines = [f".Dd {date}", f".Dt OSDEAR_{path.stem.upper()} 3", f".Os libosdear {version}", ".Sh NAME"]
    lines += [f".Nm {name} ," for name in unique[:-1]] + [f".Nm {unique[-1]}", f".Nd {brief}"]
    lines += [".Sh SYNOPSIS", ".In osdear.h", *(line for body in calls for line in synopsis(body))]
    lines += [".Sh DESCRIPTION", "Link with what \\fBpkg-config --libs osdear\\fP says."]
    lines += [line for item in found for line in section(*item)]
    lines += [".Sh SEE ALSO", ".Xr osdear 1"]
    return "\n".join(without_first_break(lines)) + "\n"


def without_first_break(lines: list[str]) -> list[str]:
    """No .Pp right below a heading, where mandoc has one already."""
    return [line for above, line in zip(["", *lines], lines) if not (line == ".Pp" and above.startswith((".Ss", ".Sh", ".Pp")))]


if __name__ == "__main__":
    folder, date, version, *headers = sys.argv[1:]
    for header in map(pathlib.Path, headers):
        pathlib.Path(folder, f"osdear_{header.stem}.3").write_text(page(header, date, version), encoding="utf-8")
