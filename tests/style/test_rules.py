#!/usr/bin/env python3
"""Every rule is seen to complain about a bad sample, and to leave a good one alone."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import rules
import tap

LONG_FUNCTION = "static void f(void)\n{\n" + "  g();\n" * 101 + "}\n"

# rule, path, bad text, good text
SAMPLES = [
    (rules.layer_arrows, "src/json/a.c", "#include <store/store.h>\n", "#include <base/base.h>\n#include <json/b.h>\n"),
    (rules.layer_arrows, "src/formats/a.c", "#include <delta/delta.h>\n", "#include <parquet/parquet.h>\n"),
    (rules.layer_arrows, "src/parquet/a.c", "#include <store/store.h>\n", "#include <expr/expr.h>\n"),
    (rules.layer_arrows, "src/cli/a.c", "#include <base/base.h>\n", "#include <osdear.h>\n"),
    (rules.path_include, "src/json/a.c", '#include "../store/b.h"\n', '#include <json/b.h>\n#include "b.h"\n'),
    (rules.third_party, "src/delta/a.c", "#include <yajl/yajl_parse.h>\n", "#include <stdio.h>\n"),
    (rules.third_party, "src/parquet/a.c", "#include <zlib.h>\n", "#include <codec/codec.h>\n"),
    (rules.third_party, "src/base/a.c", "#include <criterion/criterion.h>\n", "#include <uuid/uuid.h>\n"),
    (rules.memory, "src/json/a.c", "x = malloc(3);\n", "x = osdear__alloc(3); /* malloc */ y->free(x);\n"),
    (rules.memory, "src/base/buf.c", "drop = free;\n", "void (*free)(void *);\nosdear__free(x);\n"),
    (rules.unbounded_calls, "src/cli/a.c", "strcpy(a, b);\n", 'f("strcpy(a, b)");\n'),
    (rules.unbounded_calls, "src/arrow/a.c", "n = atoi(text);\n", "n = catoi(text); snprintf(a, 3, b);\n"),
    (rules.rude_calls, "src/delta/a.c", 'printf("x");\n', "osdear__buf_printf(b, c);\n"),
    (rules.rude_calls, "src/delta/a.c", "fprintf(stderr, x);\n", "/* stderr */\nint f(char *, ...) __attribute__((format(printf, 1, 2)));\n"),
    (rules.rude_calls, "src/delta/a.c", "abort();\n", "transaction_abort();\n"),
    (rules.conditional_compilation, "src/codec/a.c", "#ifdef __x86_64__\n#endif\n", "#define A 1\n"),
    (rules.conditional_compilation, "src/codec/a.h", "#ifndef A\n#define A\n#if B\n#endif\n#endif\n", "#ifndef A\n#define A\n#endif\n"),
    (rules.assignment_in_condition, "src/json/a.c", "if ((n = f(a, b)) < 0)\n", "if (n == f(a) || m != 2 || k <= 3 || l >= 4)\n"),
    (rules.assignment_in_condition, "src/json/a.c", "while (\n    (n = f()))\n", "for (n = 0; n < 3; n++)\n"),
    (rules.function_length, "src/json/a.c", LONG_FUNCTION, LONG_FUNCTION.replace("  g();\n", "", 1)),
    (rules.file_length, "src/json/a.c", "\n" * 1001, "\n" * 1000),
    (rules.white_space, "src/json/a.c", "a\tb\n", "a b\n"),
    (rules.white_space, "src/json/a.c", "a \n", "a\n\nb\n"),
    (rules.white_space, "src/json/a.c", "a", "a\n"),
    (rules.white_space, "src/json/a.c", "a\n\n", ""),
    (rules.columns, "src/json/a.c", "x" * 161 + "\n", "x" * 160 + "\n"),
    (rules.foreign_places, "README.md", "see /wor" "k/main\n", "see work/main, homework/x\n"),
    (rules.foreign_places, "tests/a.sh", "curl https://py" "pi.org/simple\n", "pip install x\n"),
    (rules.unfinished, "src/json/a.c", "/* to" "do: later */\n", "/* what is to do */\n"),
    (rules.unfinished, "tests/a.py", "# FIX" "ME\n", "# fixme_name = 1\n"),
    (rules.documented, "include/osdear/a.h", "/** A type. */\ntypedef int a;\nOSDEAR_API int osdear_a(void);\n",
     "/** Says what. */\nOSDEAR_API int osdear_a(int x,\n  int y);\nOSDEAR_API int osdear_b(void); /**< What. */\n"),
    (rules.documented, "include/osdear/a.h", "OSDEAR_API int osdear_a(void); /**< What. */\nOSDEAR_API int osdear_b(void);\n", "int x;\n"),
    (rules.documented_fields, "include/osdear/a.h", "typedef struct osdear_a_options {\n  int a;\n} osdear_a_options;\n",
     "typedef struct osdear_a_options {\n  int a; /**< What. */\n} osdear_a_options;\n"),
    (rules.cffi_can_read, "include/osdear/a.h", "static inline int f(void);\n", "/* inline */ enum { A = 1 };\n"),
]


class Rules(unittest.TestCase):
    pass


def add_case(number, rule, path, bad, good):
    def bad_sample(self):
        self.assertTrue(list(rule(path, bad)), "the bad sample went unnoticed")

    def good_sample(self):
        self.assertEqual(list(rule(path, good)), [])

    setattr(Rules, f"test_{number:02}_{rule.__name__}_sees_the_bad_sample", bad_sample)
    setattr(Rules, f"test_{number:02}_{rule.__name__}_passes_the_good_sample", good_sample)


for index, sample in enumerate(SAMPLES):
    add_case(index, *sample)


class Coverage(unittest.TestCase):
    def test_every_rule_has_a_sample(self):
        named = {name for name, value in vars(rules).items()
                 if callable(value) and getattr(value, "__code__", None) and value.__code__.co_varnames[:2] == ("path", "text")}
        self.assertEqual(named, {sample[0].__name__ for sample in SAMPLES})


if __name__ == "__main__":
    tap.main()
