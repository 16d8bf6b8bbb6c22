"""Runs a module's unittest cases and reports them as TAP, which meson and count.py understand."""
import sys
import unittest


class TapResult(unittest.TestResult):
    """Prints a line for each case as soon as it is known."""

    def __init__(self):
        super().__init__()
        self.number = 0

    def say(self, word, test, tail="", details=""):
        self.number += 1
        print(f"{word} {self.number} - {test.id().partition('.')[2].replace('_', ' ')}{tail}")
        for line in details.splitlines():
            print(f"# {line}")
        sys.stdout.flush()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.say("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.say("not ok", test, details=str(err[1]))

    def addError(self, test, err):
        super().addError(test, err)
        self.say("not ok", test, details=self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say("ok", test, tail=f" # SKIP {reason}")


def main(module="__main__"):
    """Call this where a program would call unittest.main()."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[module])
    print(f"1..{suite.countTestCases()}")
    result = TapResult()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
