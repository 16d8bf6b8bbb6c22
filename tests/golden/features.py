"""What this version of the library does not read yet: the one place that says so to the tests.

A table that makes use of one of these features must be refused as unsupported, by a message that names the feature. A feature that is
listed here though nothing is refused for it fails the tests, so that the list gets shorter.
"""

NOT_YET: set[str] = set()

# Cases that need no table feature: what each waits for.
NOT_YET_CASES: dict[str, str] = {}
