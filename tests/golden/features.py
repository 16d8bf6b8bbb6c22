"""What this version of the library does not read yet: the one place that says so to the tests.

Each is a table feature. A table that makes use of one must be refused as unsupported, by a message that holds the word beside it;
a feature that is listed here though nothing is refused for it fails the tests, so that the list gets shorter.
"""

NOT_YET = {
    "columnMapping": "column mapping",
    "deletionVectors": "deletion vector",
    "v2Checkpoint": "checkpoint",
    "variantType": "variant",
}

# Parquet files that hold what no Delta table may hold; refused as unsupported.
NOT_YET_FILES = set()
