"""The rules that a machine can keep. Each takes a path and the file's text, and yields complaints as (line, words)."""
import re
from pathlib import PurePath

from source import code, line_of

MAX_FUNCTION_LINES = 100
MAX_FILE_LINES = 1000
MAX_COLUMNS = 160  # 120 are the aim

# Arrows point down only: a layer may include what stands here.
LAYERS = {
    "base": set(),
    "json": {"base"},
    "codec": {"base"},
    "http": {"base"},
    "xml": {"base"},
    "store": {"base", "json", "codec", "http", "xml"},
    "arrow": {"base", "json"},
    "expr": {"base", "arrow"},
    "parquet": {"base", "codec", "arrow", "expr"},
    "delta": {"base", "json", "codec", "store", "arrow", "expr", "parquet"},
    "formats": {"base", "json", "codec", "arrow", "expr", "parquet"},
    "container": {"base", "json", "http"},
    "job": {"base", "json", "http", "arrow", "container"},
    "cli": set(),
}

# A third-party library is known to one layer, so that changing it changes one folder.
THIRD_PARTY = {
    "yajl": "src/json",
    "zlib": "src/codec",
    "zstd": "src/codec",
    "lz4": "src/codec",
    "snappy": "src/codec",
    "brotli": "src/codec",
    "uuid": "src/base",
    "openssl": "src/base",
    "curl": "src/http",
    "expat": "src/xml",
    "criterion": "tests",
}

MEMORY = {
    "malloc", "calloc", "realloc", "reallocarray", "free", "strdup", "strndup", "asprintf", "vasprintf",
    "aligned_alloc", "posix_memalign", "memalign", "valloc", "open_memstream", "getline", "getdelim",
}
UNBOUNDED = {"strcpy", "strcat", "stpcpy", "sprintf", "vsprintf", "strtok", "atoi", "atol", "atoll", "atof", "gets", "alloca"}
RUDE = {
    "printf", "vprintf", "puts", "putchar", "perror", "exit", "_exit", "_Exit", "abort", "atexit", "setlocale", "uselocale",
    "setenv", "putenv", "unsetenv", "clearenv", "signal", "sigaction", "system", "fork", "vfork", "chdir", "umask", "assert",
}


def layer_of(path):
    parts = PurePath(path).parts
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None


def words(text, names):
    """Places where one of the names is used, other than as a member of a struct."""
    for match in re.finditer(r"(?<![\w.])(?<!->)(?<!\(\*)(" + "|".join(sorted(names)) + r")(?![\w])", text):
        yield match.group(1), line_of(text, match.start())


def layer_arrows(path, text):
    layer = layer_of(path)
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*[<"]([\w.]+)/', text, re.MULTILINE):
        other = match.group(1)
        if other in LAYERS and other != layer and (layer is None or other not in LAYERS[layer]):
            yield line_of(text, match.start()), f"{layer or 'src'} must not include {other}"


def path_include(path, text):
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(?:"[^"]*/|<[^>]*\.\./)', text, re.MULTILINE):
        yield line_of(text, match.start()), "include as <layer/file.h>, so that the layer is seen"


def third_party(path, text):
    for match in re.finditer(r"^[ \t]*#[ \t]*include[ \t]*<([\w/.-]+)>", text, re.MULTILINE):
        for library, folder in THIRD_PARTY.items():
            if match.group(1).startswith(library) and not str(path).startswith(folder + "/"):
                yield line_of(text, match.start()), f"<{match.group(1)}> belongs to {folder}"


def memory(path, text):
    if str(path) == "src/base/alloc.c" or layer_of(path) == "cli":
        return
    for name, line in words(code(text), MEMORY):
        yield line, f"{name}: only src/base/alloc.c asks for memory; use osdear__alloc and its kin"


def unbounded_calls(path, text):
    for name, line in words(code(text), UNBOUNDED):
        yield line, f"{name} knows no bound"


def rude_calls(path, text):
    if layer_of(path) == "cli" or str(path).startswith("src/job/supervise/"):  # programs of their own
        return
    for name, line in words(code(text), {name + r"[ ]*\(" for name in RUDE}):
        yield line, f"{name}): a library does not print, end or change its process"
    for match in re.finditer(r"\b(stdout|stderr)\b", code(text)):
        yield line_of(text, match.start()), f"{match.group(1)}: a library does not print"


def conditional_compilation(path, text):
    if layer_of(path) == "base":
        return
    directives = [(m.group(1), m.group(2).strip(), line_of(text, m.start()))
                  for m in re.finditer(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|define)\b(.*)$", code(text), re.MULTILINE)]
    if len(directives) > 1 and directives[0][0] == "ifndef" and directives[1][:2] == ("define", directives[0][1]):
        directives = directives[2:]
    for word, rest, line in directives:
        if word != "define" and rest != "__cplusplus":
            yield line, f"#{word} outside src/base: let the build choose a file instead"


def assignment_in_condition(path, text):
    bare = code(text)
    for match in re.finditer(r"\b(?:if|while)[ ]*\(", bare):
        depth, end = 1, match.end()
        while depth and end < len(bare):
            depth += {"(": 1, ")": -1}.get(bare[end], 0)
            end += 1
        if re.search(r"(?<![=!<>+\-*/%&|^])=(?!=)", bare[match.end():end]):
            yield line_of(bare, match.start()), "an assignment inside a condition"


def function_length(path, text):
    lines = text.splitlines()
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            if number - start - 1 > MAX_FUNCTION_LINES:
                yield start, f"a function of {number - start - 1} lines; {MAX_FUNCTION_LINES} are allowed"
            start = None


def file_length(path, text):
    count = text.count("\n")
    if count > MAX_FILE_LINES:
        yield count, f"{count} lines; {MAX_FILE_LINES} are allowed"


def white_space(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            yield number, "a tab"
        if line.endswith((" ", "\r")):
            yield number, "white space at the end of the line"
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no newline at the end"
    if text.endswith("\n\n"):
        yield text.count("\n"), "an empty line at the end"


def columns(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_COLUMNS:
            yield number, f"{len(line)} columns; {MAX_COLUMNS} are allowed"


def foreign_places(path, text):
    pattern = (r"/wo[r]k/|/far[m]/|/tmp/bas[h]_jobs|pypi\.org|crates\.io/api|registry\.npmjs|repo1?\.maven|"
               r"deb\.debian\.org|proxy\.golang")
    for match in re.finditer(pattern, text):
        yield line_of(text, match.start()), f"{match.group(0)}: a path of one machine, or a host that is the machine's choice"


def unfinished(path, text):
    pattern = r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|not impl" r"emented|unimpl" r"emented|st" r"ub)\b"
    for match in re.finditer(pattern, text, re.IGNORECASE if str(path).startswith("src/") else 0):
        yield line_of(text, match.start()), f"{match.group(0)}: unfinished by its own words"


def declarations(text):
    """Public declarations as (start, end, text): from OSDEAR_API to the semicolon."""
    for match in re.finditer(r"^OSDEAR_API\b[^;]*;", text, re.MULTILINE):
        yield match.start(), match.end(), match.group(0)


def documented(path, text):
    for start, end, declaration in declarations(text):
        rest_of_line = text[end:text.find("\n", end)]
        before = text[:start].rstrip(" \n")
        above = before.endswith("*/") and before[before.rfind("/*"):].startswith("/**") and \
            not before[before.rfind("/*"):].startswith("/**<")
        if not above and "/**<" not in rest_of_line:
            name = re.search(r"(osdear_\w+)\s*\(", declaration)
            yield line_of(text, start), f"{name.group(1) if name else declaration}: no comment says what it does"


def documented_fields(path, text):
    for match in re.finditer(r"^typedef struct (osdear_\w+_(?:options|result|metrics)) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        line = line_of(text, match.start())
        for offset, field in enumerate(match.group(2).splitlines(), 1):
            if ";" in code(field) and "/**<" not in field:
                yield line + offset, f"{match.group(1)}: a field without a comment"


def cffi_can_read(path, text):
    bare = code(text)
    for match in re.finditer(r"\b(inline|static|_Bool|bool|_Generic|_Static_assert|enum\s+\w+|union)\b", bare):
        yield line_of(text, match.start()), f"{match.group(1)}: public headers hold what cffi, C99 and C++11 all read"
