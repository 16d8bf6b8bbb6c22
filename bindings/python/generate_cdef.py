"""Turns the public headers into what cffi reads, so that the binding cannot drift from the ABI.

usage: generate_cdef.py OUTPUT HEADER...
The output holds CDEF (the declarations) and INITIALIZERS (each options struct's _INIT macro, as a list of Python values
in the order of its fields, its first field being the struct's size)."""
import pathlib
import re
import sys


def declarations(text: str) -> str:
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"^#(?:[^\n]*\\\n)*[^\n]*\n", "", text, flags=re.M)
    text = re.sub(r'extern "C" \{', "", text)
    text = re.sub(r"^\}\s*$", "", text, flags=re.M)
    return text.replace("OSDEAR_API ", "")


def initializers(text: str) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    text = re.sub(r"\\\n", " ", text)
    for struct, values in re.findall(r"#define OSDEAR_\w+_INIT \{ sizeof\((\w+)\),([^}]*)\}", text):
        found[struct] = [constant(value.strip()) for value in values.split(",")]
    return found


def constant(value: str) -> object:
    named = {"NULL": None, "OSDEAR_NO_TIMESTAMP": -(2**63), "OSDEAR_LOG_INFO": 1}
    return named[value] if value in named else int(value)


def main() -> None:
    output, headers = sys.argv[1], sys.argv[2:]
    text = "\n".join(pathlib.Path(header).read_text(encoding="utf-8") for header in headers)
    pathlib.Path(output).write_text(
        '"""Made from the public headers by generate_cdef.py."""\n'
        f"CDEF = {declarations(text)!r}\n"
        f"INITIALIZERS: dict[str, list[int | None]] = {initializers(text)!r}\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
