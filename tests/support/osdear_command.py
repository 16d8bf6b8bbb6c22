"""Runs the `osdear` command that the build made, from Python of any kind, without the package."""
import json
import os
import subprocess
from pathlib import Path


class Refused(Exception):
    """The command failed with a typed error."""

    def __init__(self, status, message, code):
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.code = code


def osdear(*arguments, text=True, given=None):
    """Standard output of the command; Refused when it says why it failed; an assertion when it dies otherwise."""
    command = [os.environ["OSDEAR_COMMAND"], *map(str, arguments)]
    result = subprocess.run(command, input=given, capture_output=True, check=False)
    errors = result.stderr.decode("utf-8", "replace")
    if result.returncode != 0:
        try:
            error = json.loads(errors.strip().splitlines()[-1])["error"]
        except (IndexError, KeyError, ValueError):
            raise AssertionError(f"{' '.join(command)}: exit {result.returncode}, and no typed error: {errors[-2000:]}") from None
        raise Refused(error["status"], error["message"], result.returncode)
    return result.stdout.decode("utf-8") if text else result.stdout


def rows(table, *options):
    """A table's rows as the golden files have them: canonical JSON lines, sorted bytewise."""
    lines = osdear("table", "read", "--json", "--format", "jsonl", *options, table).splitlines()
    return sorted(lines, key=lambda line: line.encode("utf-8", "surrogatepass"))


def cache():
    """The folder for what is downloaded, unpacked or built once."""
    home = os.environ.get("OSDEAR_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "osdear")
    return Path(home)


def shared():
    """The folder with data and tools that the project does not carry, or None."""
    folder = Path(os.environ.get("OSDEAR_SHARED") or Path(__file__).resolve().parents[3] / "shared")
    return folder if folder.is_dir() else None


def unpacked(archive):
    """The folder an archive of the shared data was unpacked to, once for each version of it."""
    source = shared() / "data" / archive
    status = source.stat()
    folder = cache() / "data" / f"{source.name}-{status.st_size}-{status.st_mtime_ns}"
    if not folder.is_dir():
        partial = Path(f"{folder}.{os.getpid()}")
        partial.mkdir(parents=True)
        subprocess.run(["tar", "--use-compress-program=zstd", "-xf", source, "-C", partial], check=True)
        try:
            partial.rename(folder)
        except OSError:  # another run was first
            subprocess.run(["rm", "-rf", partial], check=True)
    return folder
