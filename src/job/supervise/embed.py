"""Turns a program into a C array. usage: embed.py PROGRAM OUTPUT"""
import pathlib
import sys

data = pathlib.Path(sys.argv[1]).read_bytes()
rows = [", ".join(str(byte) for byte in data[i:i + 32]) for i in range(0, len(data), 32)]
pathlib.Path(sys.argv[2]).write_text(
    "/* Made by embed.py. */\n#include <job/process.h>\n\nconst unsigned char osdear__supervise_program[] = {\n  "
    + ",\n  ".join(rows) + ",\n};\nconst size_t osdear__supervise_size = sizeof osdear__supervise_program;\n", encoding="ascii")
