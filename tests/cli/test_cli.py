#!/usr/bin/env python3
"""The command as people and scripts use it: verbs, forms of output, exit codes, help.

usage: test_cli.py OSDEAR SOURCE_FOLDER
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

COMMAND, ROOT = os.path.abspath(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(ROOT / "tests/support"))
import tap

VERBS = ["table create", "table show", "table schema", "table history", "table files", "table read", "table changes", "table append",
         "table overwrite", "table checkpoint", "ingest", "job submit", "job status", "job wait", "job logs",
         "job cancel", "job ls", "job call", "job prune", "store ls", "store cat", "store cp", "store rm",
         "store stat", "store presign", "container run", "container ps", "container logs", "container exec",
         "container stop", "container rm", "container wait", "container pull", "container stats", "container events", "container sweep",
         "completion"]


class Command(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.write("people.csv", "id,name,zip\n1,Ada,01067\n2,Alan,NA\n3,\"Hopper, Grace\",20500\n")

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")

    def osdear(self, *words, code=0, stdin=None):
        result = subprocess.run([COMMAND, *words], cwd=self.folder, input=stdin, capture_output=True, check=False, timeout=60)
        self.assertEqual(result.returncode, code, result.stderr.decode() + result.stdout.decode())
        self.err = result.stderr.decode()
        return result.stdout.decode()

    def rows(self, *words):
        return [json.loads(line) for line in self.osdear("table", "read", *words, "--format", "jsonl").splitlines()]


class Reading(Command):
    def setUp(self):
        super().setUp()
        self.osdear("ingest", "people.csv", "t")

    def test_ingest_tells_what_it_inferred(self):
        self.osdear("ingest", "people.csv", "again")
        self.assertRegex(self.err, r"id long: ")
        self.assertRegex(self.err, r"zip string: ")

    def test_read_selects_columns_rows_and_a_number_of_them(self):
        self.assertEqual(self.rows("t", "--columns", "name,id", "--where", "id >= 2"),
                         [{"name": "Alan", "id": 2}, {"name": "Hopper, Grace", "id": 3}])
        self.assertEqual(len(self.rows("t", "-n", "1")), 1)

    def test_csv_quotes_what_needs_quotes(self):
        self.assertEqual(self.osdear("table", "read", "t", "-f", "csv", "-w", "id = 3"), 'id,name,zip\n3,"Hopper, Grace",20500\n')

    def test_a_table_for_people_is_aligned(self):
        lines = self.osdear("table", "read", "t", "-f", "table").splitlines()
        places = {line.index(name) for line in lines for name in ("Ada", "Alan", "Hopper") if name in line}
        self.assertEqual(len(places), 1, lines)

    def test_parquet_out_can_be_ingested_again(self):
        with open(self.folder / "t.parquet", "wb") as file:
            subprocess.run([COMMAND, "table", "read", "t", "-f", "parquet"], cwd=self.folder, stdout=file, check=True)
        self.osdear("ingest", "t.parquet", "copy")
        self.assertEqual(self.rows("copy"), self.rows("t"))

    def test_show_schema_files_and_history_speak_json(self):
        shown = json.loads(self.osdear("table", "show", "--json", "t"))
        self.assertEqual((shown["version"], shown["files"], shown["domains"]), (1, 1, {}))
        schema = json.loads(self.osdear("table", "schema", "--json", "t"))
        self.assertEqual([field["name"] for field in schema["fields"]], ["id", "name", "zip"])
        files = [json.loads(line) for line in self.osdear("table", "files", "--json", "t").splitlines()]
        self.assertEqual([file["num_records"] for file in files], [3])
        history = [json.loads(line) for line in self.osdear("table", "history", "--json", "t").splitlines()]
        self.assertEqual([commit["version"] for commit in history], [1, 0])

    def test_an_earlier_version_is_still_there(self):
        self.osdear("table", "append", "t", "people.csv")
        self.assertEqual(len(self.rows("t")), 6)
        self.assertEqual(len(self.rows("t", "--version", "1")), 3)

    def test_a_reader_that_has_seen_enough_is_no_failure(self):
        command = f"'{COMMAND}' table read t -f jsonl | head -n 1; exit ${{PIPESTATUS[0]}}"
        result = subprocess.run(["bash", "-c", command], cwd=self.folder, capture_output=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)


class Writing(Command):
    def test_create_makes_the_columns_that_were_asked_for(self):
        self.osdear("table", "create", "--schema", "id BIGINT NOT NULL, tags ARRAY<STRING>, day DATE", "-p", "day", "t")
        self.assertRegex(self.osdear("table", "schema", "t"), r"id +long not null\ntags +array<string>\nday +date")
        self.osdear("table", "create", "--schema", "id BIGINT NOT NULL", "t", code=6)
        self.osdear("table", "create", "--like", "people.csv", "people")
        self.assertIn("zip", self.osdear("table", "schema", "people"))

    def test_append_reads_a_column_as_the_table_has_it(self):
        self.osdear("table", "create", "--schema", "id STRING, name STRING, zip STRING", "t")
        self.osdear("table", "append", "t", "people.csv")
        self.assertEqual(self.rows("t", "-c", "id"), [{"id": "1"}, {"id": "2"}, {"id": "3"}])

    def test_overwrite_replaces_all_or_the_partitions_selected(self):
        self.osdear("ingest", "-p", "zip", "people.csv", "t")
        self.write("new.csv", "id,name,zip\n9,New,01067\n")
        self.osdear("table", "overwrite", "--where", "zip = '01067'", "t", "new.csv")
        self.assertEqual(sorted(row["id"] for row in self.rows("t")), [2, 3, 9])
        self.osdear("table", "overwrite", "t", "new.csv")
        self.assertEqual([row["id"] for row in self.rows("t")], [9])
        self.assertEqual(len(self.rows("t", "--version", "1")), 3)

    def test_a_named_write_is_done_once(self):
        for _ in range(2):
            out = self.osdear("ingest", "--json", "--app-id", "x", "--app-version", "7", "people.csv", "t")
        self.assertTrue(json.loads(out)["was_done"])
        self.assertEqual(len(self.rows("t")), 3)

    def test_standard_input_is_a_file_named_dash(self):
        self.osdear("ingest", "--from", "ndjson", "-", "t", stdin=b'{"a":1}\n{"a":2,"b":[true]}\n')
        self.assertEqual(self.rows("t"), [{"a": 1, "b": None}, {"a": 2, "b": [True]}])

    def test_a_bad_value_names_file_line_and_column_and_commits_nothing(self):
        self.osdear("ingest", "people.csv", "t")
        self.write("bad.csv", "id,name,zip\n4,Eve,1\nfive,Mallory,2\n")
        self.osdear("table", "append", "t", "bad.csv", code=7)
        self.assertIn("bad.csv", self.err)
        self.assertIn("five", self.err)
        self.assertRegex(self.err, r"line 3")
        self.assertEqual(len(self.rows("t")), 3)

    def test_checkpoint_writes_one(self):
        self.osdear("ingest", "people.csv", "t")
        self.osdear("table", "checkpoint", "t")
        self.assertTrue((self.folder / "t/_delta_log/00000000000000000001.checkpoint.parquet").is_file())


class Failing(Command):
    def test_exit_codes_tell_what_to_do(self):
        self.osdear("table", "read", "nothing", code=5)
        self.osdear("table", "read", code=2)
        self.osdear("table", "read", "t", "--nonsense", code=2)
        self.osdear("nonsense", code=2)
        self.osdear("ingest", "missing.csv", "t", code=5)
        self.osdear("ingest", "people.csv", "t")
        self.osdear("table", "read", "t", "--version", "99", code=5)
        self.osdear("table", "read", "t", "--where", "id =", code=2)
        self.osdear("table", "read", "t", "--timeout", "0", code=4)

    def test_errors_are_json_where_json_was_asked_for(self):
        self.osdear("table", "show", "--json", "nothing", code=5)
        self.assertEqual(json.loads(self.err)["error"]["status"], "not_found")

    def test_a_secret_on_the_command_line_is_warned_of(self):
        self.osdear("table", "show", "-o", "aws_secret_access_key=hunter2", "nothing", code=2)
        self.assertIn("environment", self.err)
        self.assertNotIn("hunter2", self.err)


class Jobs(Command):
    def setUp(self):
        super().setUp()
        self.on = ["--runner", "process:", "--state-folder", str(self.folder / "state")]

    def submit(self, script, *more):
        spec = json.dumps({"name": "shell", "command": ["sh", "-c", script]})
        return self.osdear("job", "submit", *self.on, *more, "-", stdin=spec.encode()).strip()

    def test_wait_tells_how_it_ended_by_its_exit_code(self):
        self.osdear("job", "wait", *self.on, self.submit("true"), code=0)
        self.osdear("job", "wait", *self.on, self.submit("exit 7"), code=1)
        sleeper = self.submit("sleep 60")
        self.osdear("job", "wait", *self.on, "--timeout", "0", sleeper, code=4)
        self.assertIn("running", self.osdear("job", "status", *self.on, sleeper))
        self.assertIn("cancelled", self.osdear("job", "cancel", *self.on, sleeper))
        self.osdear("job", "wait", *self.on, sleeper, code=3)

    def test_what_is_over_is_pruned_and_verbs_that_are_none_are_told(self):
        self.osdear("job", "wait", *self.on, self.submit("true"))
        sleeper = self.submit("sleep 60")
        self.assertEqual(self.osdear("job", "prune", *self.on), "0 removed\n")
        self.assertEqual(self.osdear("job", "prune", *self.on, "--days", "0", "--json"), '{"removed":1}\n')
        self.assertEqual(len(self.osdear("job", "ls", *self.on).splitlines()), 1)
        self.osdear("job", "cancel", *self.on, sleeper)
        self.osdear("job", "call", *self.on, "pause", code=2)
        self.assertIn("it has none", self.err)

    def test_at_a_timeout_the_job_is_left_or_cancelled(self):
        job = self.submit("sleep 60")
        self.osdear("job", "wait", *self.on, "--timeout", "0", "--cancel-on-timeout", job, code=4)
        self.osdear("job", "wait", *self.on, job, code=3)

    def test_logs_come_through_and_can_be_followed(self):
        job = self.submit("echo out; echo err >&2; sleep 0.3; echo more")
        self.assertEqual(self.osdear("job", "logs", *self.on, "--follow", job), "out\nmore\n")
        self.assertEqual(self.osdear("job", "logs", *self.on, "--stream", "stderr", job), "err\n")

    def test_results_are_json(self):
        job = self.submit("exit 3")
        self.osdear("job", "wait", *self.on, job, code=1)
        found = json.loads(self.osdear("job", "status", *self.on, "--json", job))
        self.assertEqual((found["id"], found["state"], found["exit_code"]), (job, "failed", 3))

    def test_a_key_submits_once_and_ls_lists_it(self):
        job = self.submit("true", "--key", "nightly")
        self.assertEqual(self.submit("true", "--key", "nightly"), job)
        self.osdear("job", "wait", *self.on, job)
        notes = [json.loads(line) for line in self.osdear("job", "ls", *self.on, "--json").splitlines()]
        self.assertEqual([(n["id"], n["key"], n["name"], n["state"]) for n in notes], [(job, "nightly", "shell", "succeeded")])
        self.submit("true", "--key", "other")
        self.assertEqual(len(self.osdear("job", "ls", *self.on).splitlines()), 2)
        self.assertEqual(len(self.osdear("job", "ls", *self.on, "--limit", "1").splitlines()), 1)

    def test_what_is_wrong_is_said(self):
        self.osdear("job", "submit", *self.on, "nofile.json", code=5)
        self.osdear("job", "submit", *self.on, "-", stdin=b'{"comand":["true"]}', code=2)
        self.assertIn('"comand"', self.err)
        self.osdear("job", "status", "x", code=2)
        self.assertIn("--runner", self.err)
        self.osdear("job", "status", *self.on, "00000000-0000-4000-8000-000000000000", code=5)


class Help(Command):
    def test_every_verb_has_examples_and_every_option_a_line_in_the_manual(self):
        for verb in VERBS:
            out = self.osdear(*verb.split(), "--help")
            self.assertIn("Examples:\n  ", out)
            page = {"table": "osdear-table", "ingest": "osdear-ingest", "job": "osdear-job", "container": "osdear-container",
                    "store": "osdear-store"}.get(verb.split()[0], "osdear")
            manual = "".join((ROOT / f"docs/man/{name}.1").read_text() for name in {page, "osdear", "osdear-ingest"})
            for option in re.findall(r"--([a-z-]+)", out.split("Examples:")[0]):
                self.assertIn(f"Fl -{option}", manual, f"{verb} --{option}")

    def test_completion_is_valid_bash_and_knows_the_verbs(self):
        script = self.osdear("completion", "bash")
        self.write("complete.sh", script + '\nCOMP_WORDS=(osdear table re) COMP_CWORD=2\n_osdear\necho "${COMPREPLY[@]}"\n')
        out = subprocess.run(["bash", "complete.sh"], cwd=self.folder, capture_output=True, check=True)
        self.assertEqual(out.stdout, b"read\n")
        self.osdear("completion", "tcsh", code=2)

    def test_version_is_told(self):
        self.assertEqual(self.osdear("--version"), "osdear 0.1.0\n")


if __name__ == "__main__":
    tap.main()
