"""A pytest plugin (`-p tap_plugin`) that reports cases as TAP, which meson and count.py understand."""
import sys


class Tap:
    def __init__(self):
        self.number = 0
        self.out = sys.stdout

    def say(self, word, title, tail="", details=""):
        self.number += 1
        print(f"{word} {self.number} - {title.replace('#', '')}{tail}", file=self.out)
        for line in details.splitlines():
            print(f"# {line}", file=self.out)
        self.out.flush()

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
        print(f"1..{self.number}", file=self.out)
        self.out.flush()


def pytest_configure(config):
    config.pluginmanager.register(Tap(), "osdear-tap")
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter:
        config.pluginmanager.unregister(reporter)
