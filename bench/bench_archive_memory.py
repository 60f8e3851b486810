"""How much memory archiving a week takes, and whether a bigger week takes more.

    python -m bench.bench_archive_memory [--folder DIR] [--mib SIZE ...] [--store NAME ...]

Each store and size gets a process of its own, which goes through STEPS in order and notes the peak
of its resident memory in each. The S3 server is another process, on the loopback. Then, per step,
the slope over the sizes, in MiB of memory per GiB of file, and what it makes of 5 GiB. Exit code 1:
some step would need more than 200 MiB for them.
"""

import argparse
import hashlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import attrs

from db.folder_objects import FolderObjects
from db.object_io import file_chunks
from db.s3_objects import S3Objects
from protocols.ports import ObjectStore
from tests.support.s3_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY, running_s3

MIB = 1024 * 1024
SIZES_MIB = (64, 256, 1024)
WEEK_GIB = 5
ALLOWED_MIB = 200


@attrs.define(kw_only=True)
class Job:
    """One week on its way; each step reads what the one before it made."""

    store: ObjectStore
    folder: Path
    file: Path
    sha256: str = ""

    key = "weeks/2026-11-15.db.zst"

    def step(self, done_bytes: int, total_bytes: int) -> None:
        """Nobody stops a benchmark."""


def hash_file(job: Job) -> None:
    digest = hashlib.sha256()
    with open(job.file, "rb") as file:
        for chunk in file_chunks(file):
            digest.update(chunk)
    job.sha256 = digest.hexdigest()


def put(job: Job) -> None:
    job.store.put(job.key, str(job.file), sha256=job.sha256, work=job)


def read_back(job: Job) -> None:
    assert job.store.sha256(job.key, work=job) == job.sha256


def get(job: Job) -> None:
    fetched = job.folder / "fetched"
    assert job.store.get(job.key, str(fetched), work=job) == job.sha256
    fetched.unlink()


STEPS: dict[str, Callable[[Job], None]] = {
    "hash": hash_file,
    "put": put,
    "read back": read_back,
    "get": get,
}


# --- in a process of its own --------------------------------------------------------------------


def go_through(store: ObjectStore, folder: Path, size_mib: int) -> None:
    """Print, as a line of JSON per step, its name, peak in MiB and seconds."""
    job = Job(store=store, folder=folder, file=make_file(folder / "week", size_mib))
    for name, step in STEPS.items():
        forget_peak()
        began_s = time.perf_counter()
        step(job)
        took_s = time.perf_counter() - began_s
        print(json.dumps([name, peak_mib(), took_s]), flush=True)


def make_file(path: Path, size_mib: int) -> Path:
    """A megabyte of chance, one of nothing, and so on: both ends of what can be compressed."""
    chance = random.Random(1)
    with open(path, "wb") as file:
        for megabyte in range(size_mib):
            file.write(chance.randbytes(MIB) if megabyte % 2 == 0 else bytes(MIB))
    return path


def peak_mib() -> float:
    """The kernel's high-water mark. (getrusage would count the process that started this one.)"""
    status = Path("/proc/self/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def forget_peak() -> None:
    """Let the high-water mark begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def store_of(name: str, folder: Path, url: str, bucket: str) -> ObjectStore:
    if name == "folder":
        return FolderObjects(folder / "archive")
    return S3Objects(
        bucket,
        endpoint_url=url,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
    )


# --- all of them ----------------------------------------------------------------------------------


def measure(arguments: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Peak in MiB and seconds by step."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.bench_archive_memory", "--one", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {name: (peak, took_s) for name, peak, took_s in lines}


def compare(store: str, sizes_mib: Sequence[int], folder: Path) -> bool:
    """Print the table of one store; does a week of 5 GiB fit into what is allowed?"""
    found = []
    with ExitStack() as stack:
        server = stack.enter_context(running_s3()) if store == "s3" else None
        for size_mib in sizes_mib:
            url, bucket = (server.url, server.new_bucket()) if server else ("", "")
            with tempfile.TemporaryDirectory(dir=folder) as here:
                found.append(measure([store, here, str(size_mib), url, bucket]))
    sizes = " | ".join(f"{size_mib:,} MiB" for size_mib in sizes_mib)
    print(f"\n| {store} | {sizes} | MiB per GiB | {WEEK_GIB} GiB |")
    print("|---|" + "---|" * (len(sizes_mib) + 2))
    fits = [row(name, sizes_mib, [each[name] for each in found]) for name in STEPS]
    return all(fits)


def row(name: str, sizes_mib: Sequence[int], found: Sequence[tuple[float, float]]) -> bool:
    """Print one step; does it fit?"""
    sizes_gib = [size_mib / 1024 for size_mib in sizes_mib]
    slope, base = statistics.linear_regression(sizes_gib, [peak for peak, _ in found])
    reckoned_mib = base + slope * WEEK_GIB
    cells = " | ".join(f"{peak:.0f} MiB, {took_s:.1f} s" for peak, took_s in found)
    print(f"| {name} | {cells} | {slope:+.1f} | {reckoned_mib:.0f} MiB |", flush=True)
    return reckoned_mib <= ALLOWED_MIB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; default: temporary")
    parser.add_argument("--mib", type=int, nargs="+", default=SIZES_MIB, help="sizes of the file")
    parser.add_argument("--store", nargs="+", choices=["folder", "s3"], default=["folder", "s3"])
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        store, folder, size_mib, url, bucket = options.one
        go_through(store_of(store, Path(folder), url, bucket), Path(folder), int(size_mib))
        return
    fits = [compare(store, options.mib, options.folder) for store in options.store]
    sys.exit(0 if all(fits) else 1)


if __name__ == "__main__":
    main()
