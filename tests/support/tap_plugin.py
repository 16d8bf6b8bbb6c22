"""A pytest plugin (`-p tap_plugin`) that reports cases as TAP, which meson and count.py understand."""
import os

# TAP alone goes to standard output; what pytest tells people goes to standard error.
OUT = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


class Tap:
    def __init__(self):
        self.number = 0

    def say(self, word, title, tail="", details=""):
        self.number += 1
        print(f"{word} {self.number} - {title.replace('#', '')}{tail}", file=OUT)
        for line in details.splitlines():
            print(f"# {line}", file=OUT)
        OUT.flush()

    def pytest_runtest_logreport(self, report):
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else getattr(report, "wasxfail", "")
            self.say("ok", report.nodeid, tail=f" # SKIP {reason}")
        elif report.failed:
            self.say("not ok", f"{report.nodeid} ({report.when})", details=report.longreprtext)
        elif report.when == "call":
            self.say("ok", report.nodeid)

    def pytest_collectreport(self, report):
        if report.failed:
            self.say("not ok", f"{report.nodeid} (collection)", details=report.longreprtext)

    def pytest_sessionfinish(self, session, exitstatus):
        print(f"1..{self.number}", file=OUT)
        OUT.flush()


def pytest_configure(config):
    config.pluginmanager.register(Tap(), "osdear-tap")
