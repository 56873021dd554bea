"""What sudden ends and many people do to the app: whether a label is lost, and how long who waits.

    python -m benchmarks.load [--json OUT]
    python -m benchmarks.load --parts kills --kills 60

The app is a process of its own over generated pictures (`--items`), embedded by the offline encoder; the clients run on the
same machine, label at random, and remember what was acknowledged.

- kills: the process is killed at random moments while clients label, and started again. Every label that was acknowledged
  must be in the export, and none that was never sent. Aim: none lost.
- clients: so many people, each with a next batch and a submit after the other, for `--seconds`. No item may be given to two
  of them, and no acknowledged label be lost.
- processes: the same with `--annotators` people in `--processes` processes that share one working directory and the database
  at `--database`, which is empty: PostgreSQL (`createdb labels`, then postgresql+psycopg://user@host/labels). Left out where
  none is given. A person takes `--label-s` for a label; with 0 they are programs, each of which is as fast as it can be. Who
  is told that the store is busy sends the same again. Aim: p95 of submit 100 ms, of next batch 800 ms, on two cores.
- at once: so many people ask for a batch at the same moment, before there is a head and with one. No item may be given to two
  of them. Aim: 5 s at the 95th percentile on two cores at 20,000 items.
- locked: another program holds the label file for `--locked-s`; somebody waits to submit meanwhile, and somebody else asks
  for the status, pictures and their sheet. Aim: 200 ms at the 95th percentile for each of these.
- visitors: a public page without logins, where each has labels and a head of their own; two waves of people come, label and
  go. What the process holds after each: memory, threads, open files.
"""

import argparse
import json
import random
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
import numpy as np

from benchmarks.report import Measured, Option, Table, median_and_p95, run, say
from benchmarks.workload import EMBED_LIMIT_S, Annotator, picture_folder, served, started, wait_until

PARTS = ("kills", "clients", "processes", "at-once", "locked", "visitors")
PICTURE_PX = 48
BATCH = 10
LABEL_FILE = Path("images") / "labels.sqlite"  # in the working directory
KILL_AFTER_S = (0.05, 3.0)
KILLED_CLIENTS = 4
RETRY_S, BUSY_LIMIT_S = 0.2, 120.0  # a request that is told that the store is busy

Serve = Callable[[list[str], Path], AbstractContextManager[str]]
Start = Callable[[], AbstractContextManager[tuple[str, "Popen[bytes]"]]]


OPTIONS = (
    Option("--parts", PARTS, "what is done", PARTS),
    Option("--items", 20_000, "pictures of the pool"),
    Option("--kills", 60, "times that the process is killed"),
    Option("--clients", 20, "people who label steadily"),
    Option("--seconds", 120.0, "how long they do"),
    Option("--database", "", "of the part processes: an address of SQLAlchemy"),
    Option("--processes", 4, "on that database"),
    Option("--annotators", 50, "people who label in these processes"),
    Option("--label-s", 1.0, "seconds that each of them takes for a label"),
    Option("--at-once", 200, "people who ask at the same moment"),
    Option("--locked-s", 60.0, "seconds that the label file is held"),
    Option("--visitors", 130, "of a public page, twice"),
    Option("--seed", 0, "of the moments"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    folder = picture_folder(arguments.items, PICTURE_PX)
    tables: list[Table] = []
    with tempfile.TemporaryDirectory(prefix="fastlabel-load-") as workdir:
        for part in arguments.parts:
            if part == "processes" and not arguments.database:
                say("processes: left out, it needs --database")
                continue
            say(f"{part} …")
            tables.append(_table_of(part, arguments, folder, Path(workdir) / part))
    return tables


def _table_of(part: str, arguments: argparse.Namespace, folder: Path, workdir: Path) -> Table:
    words = [str(folder), "--encoder", "offline"]
    if part == "kills":
        rng = random.Random(arguments.seed)
        return kills_table(killed(lambda: started(words, workdir), arguments.kills, rng))
    if part == "visitors":
        with started(words, workdir, {"SPACE_ID": "benchmarks/load"}) as (address, process):
            wait_for_embedding(address)
            return visitors_table(visits(address, process.pid, arguments.visitors))
    if part == "processes":
        with started_together(folder, workdir, arguments.database, arguments.processes) as addresses:
            found = label_together(addresses, arguments.annotators, arguments.seconds, arguments.label_s)
            return processes_table(found, arguments.seconds, len(addresses), arguments.label_s)
    with started(words, workdir) as (address, _):
        wait_for_embedding(address)
        if part == "clients":
            return clients_table(label_together([address], arguments.clients, arguments.seconds), arguments.seconds)
        if part == "locked":
            return locked_table(asked_while_locked(address, workdir / LABEL_FILE, arguments.locked_s))
        return at_once_table([asked_at_once(address, arguments.at_once, head) for head in (False, True)])


class Person(Annotator):
    """A guest who labels at random, and remembers what was given, sent and acknowledged, and how long a batch took."""

    def __init__(self, address: str, name: str) -> None:
        super().__init__(address, name)
        self.name = name
        self.given: list[str] = []
        self.sent: dict[str, str] = {}
        self.acknowledged: dict[str, str] = {}
        self.waited_s: list[float] = []
        self.submitted_s: list[float] = []
        self.refused = 0

    def ask(self, size: int = BATCH) -> dict[str, Any]:
        """A fresh batch."""
        began = time.perf_counter()
        batch: dict[str, Any] = self._at_last(lambda: self.next_batch(size))
        self.waited_s.append(time.perf_counter() - began)
        self.given += [item["id"] for item in batch["items"]]
        return batch

    def label(self, batch: dict[str, Any]) -> None:
        """Submits the batch with random classes; one that is not acknowledged counts as sent only."""
        body = self.answers(batch)
        said = {one["id"]: one["label"] for one in body["labels"]}
        self.sent |= said
        began = time.perf_counter()
        self._at_last(lambda: self.submit(body))
        self.submitted_s.append(time.perf_counter() - began)
        self.acknowledged |= said

    def label_until_gone(self) -> None:
        """Labels batch after batch; stops where the app is gone or there is nothing left."""
        with suppress(httpx.TransportError):
            while (batch := self.ask())["items"]:
                self.label(batch)

    def label_until(self, end: float, label_s: float = 0.0) -> None:
        """Labels batch after batch up to that moment of the monotonic clock; takes about so long for each label."""
        pace = random.Random(f"{self.name}-pace")
        time.sleep(pace.random() * BATCH * label_s)  # people do not begin at the same moment
        while time.monotonic() < end and (batch := self.ask())["items"]:
            time.sleep(pace.uniform(0.5, 1.5) * len(batch["items"]) * label_s)
            self.label(batch)

    def _at_last(self, request: Callable[[], Any]) -> Any:
        """What is answered, at last, to a request that is sent again where the label store is busy."""
        ends = time.monotonic() + BUSY_LIMIT_S
        while True:
            try:
                return request()
            except httpx.HTTPStatusError as error:
                if error.response.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > ends:
                    raise
            self.refused += 1
            time.sleep(RETRY_S)

    def exported(self) -> dict[str, str]:
        """Every label that the app knows, by item."""
        return {row["item_id"]: row["label"] for row in self.get("/api/export", format="json")}


@dataclass(slots=True)
class Kills:
    """What became of the labels. `lost`: acknowledged, and not as acknowledged in an export after a restart."""

    kills: int = 0
    sent: dict[str, str] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    made_up: set[str] = field(default_factory=set)


def killed(start: Start, kills: int, rng: random.Random, clients: int = KILLED_CLIENTS) -> Kills:
    """Starts the app, kills it at a random moment while people label, and so on; the last start only compares."""
    found = Kills()
    for number in range(kills + 1):
        with start() as (address, process):
            with closing(Person(address, f"look{number}")) as person:
                _wait_for_items(person)
                _compare(found, person.exported())
            if number < kills:
                _kill_while_they_label(found, address, process, rng, number, clients)
    return found


def _kill_while_they_label(
    found: Kills, address: str, process: "Popen[bytes]", rng: random.Random, number: int, clients: int
) -> None:
    with people(address, [f"kill{number}x{client}" for client in range(clients)]) as persons:

        def kill() -> None:
            time.sleep(rng.uniform(*KILL_AFTER_S))
            process.kill()

        _at_once([*(person.label_until_gone for person in persons), kill])
    found.kills += 1
    for person in persons:
        found.sent |= person.sent
        found.acknowledged |= person.acknowledged


def _compare(found: Kills, exported: dict[str, str]) -> None:
    found.lost |= {item_id for item_id, label in found.acknowledged.items() if exported.get(item_id) != label}
    found.made_up |= {item_id for item_id, label in exported.items() if found.sent.get(item_id) != label}


@contextmanager
def started_together(
    folder: Path, workdir: Path, database: str, processes: int, serve: Serve = served
) -> Iterator[list[str]]:
    """The addresses of so many processes over one folder of pictures, in one working directory and on one database."""
    workdir.mkdir(parents=True, exist_ok=True)
    source = {"kind": "image_folder", "path": str(folder)}
    project = {"name": "images", "source": source, "encoder": "offline", "database": database}
    config = workdir / "processes.yaml"
    config.write_text(json.dumps({"projects": [project]}), encoding="utf-8")  # JSON is YAML
    with ExitStack() as running:
        addresses = []
        for _ in range(processes):
            addresses.append(running.enter_context(serve(["--config", str(config)], workdir)))
            wait_for_embedding(addresses[-1])
        yield addresses


def label_together(
    addresses: Sequence[str], clients: int, seconds: float, label_s: float = 0.0
) -> tuple[list[Person], int]:
    """People who labeled for so long at the same time, and how many acknowledged labels are not in the export.

    Args:
        addresses: of processes on one database, among which the people are dealt out.
        label_s: seconds that a person takes for a label, on average.
    """
    end = time.monotonic() + seconds
    with ExitStack() as open_connections:
        persons = [Person(addresses[number % len(addresses)], f"steady{number}") for number in range(clients)]
        for person in persons:
            open_connections.callback(person.close)
        _at_once([lambda person=person: person.label_until(end, label_s) for person in persons])
        exported = persons[0].exported()
    said = (pair for person in persons for pair in person.acknowledged.items())
    return persons, sum(exported.get(item_id) != label for item_id, label in said)


def asked_while_locked(address: str, file: Path, seconds: float) -> tuple[Person, dict[str, list[float]]]:
    """Who waits to submit while another program holds the label file for so long, and the seconds that others took."""
    taken: dict[str, list[float]] = {"status": [], "picture": [], "sheet": []}
    is_held = threading.Event()
    with people(address, ["locked1", "locked2"]) as (waiting, looking):
        batch, seen = waiting.ask(), looking.ask()
        paths = {"status": "/api/status", "picture": seen["items"][0]["media_url"], "sheet": seen["sheet_url"]}

        def look() -> None:
            with held(file):
                is_held.set()
                end = time.monotonic() + seconds
                while time.monotonic() < end:
                    for name, path in paths.items():
                        began = time.perf_counter()
                        looking.http.get(path).raise_for_status()
                        taken[name].append(time.perf_counter() - began)

        def submit() -> None:
            is_held.wait()
            waiting.label(batch)

        _at_once([look, submit])
    return waiting, taken


@contextmanager
def held(file: Path) -> Iterator[None]:
    """The label file, locked for writing by another program."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


def asked_at_once(address: str, count: int, with_head: bool) -> tuple[str, list[float], int]:
    """What it was, the seconds that each person waited, and how many items were given to two of them."""
    if with_head:
        _train_a_head(address)
    with people(address, [f"once{int(with_head)}x{number}" for number in range(count)]) as persons:
        together = threading.Barrier(count)

        def ask(person: Person) -> None:
            together.wait()
            person.ask()

        _at_once([lambda person=person: ask(person) for person in persons])
    waits = [second for person in persons for second in person.waited_s]
    return ("with a head" if with_head else "before the first head"), sorted(waits), _given_twice(persons)


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds."""

    when: str
    memory_mib: float
    threads: int
    files: int


def visits(address: str, pid: int, count: int) -> list[Held]:
    """Two waves of visitors, each of whom labels a batch and leaves; what the process holds before and after each."""
    held = [_held("before", pid)]
    for wave in (1, 2):
        with people(address, [f"wave{wave}x{number}" for number in range(count)]) as persons:
            for person in persons:
                person.label(person.ask())
        held.append(_held(f"after {wave * count} visitors", pid))
    return held


@contextmanager
def people(address: str, names: Sequence[str]) -> Iterator[list[Person]]:
    persons = [Person(address, name) for name in names]
    try:
        yield persons
    finally:
        for person in persons:
            person.close()


def _at_once(works: Sequence[Callable[[], None]]) -> None:
    """Does all of it, each in a thread of its own. Raises what one of them raised."""
    with ThreadPoolExecutor(len(works)) as threads:
        running = [threads.submit(work) for work in works]
    for one in running:
        one.result()


def _given_twice(persons: Sequence[Person]) -> int:
    holders = Counter(item_id for person in persons for item_id in set(person.given))
    return sum(count > 1 for count in holders.values())


def _held(when: str, pid: int) -> Held:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Held(when, round(int(fields["VmRSS"].split()[0]) / 1024, 1), int(fields["Threads"]), files)


def wait_for_embedding(address: str) -> None:
    with closing(Annotator(address, "waits1")) as person:
        person.wait_for_embedding()


def _wait_for_items(person: Person) -> None:
    wait_until(lambda: person.status()["embedding"]["done"] > BATCH * KILLED_CLIENTS, EMBED_LIMIT_S, "items", 0.1)


def _train_a_head(address: str) -> None:
    with closing(Person(address, "trains1")) as person:
        while person.status()["head"]["version"] == 0:
            person.label(person.ask(50))
            wait_until(lambda: person.status()["head"]["state"] != "training", EMBED_LIMIT_S, "the training")
        wait_until(lambda: person.status()["head"]["settled"], EMBED_LIMIT_S, "what comes after the training")


def kills_table(found: Kills) -> Table:
    row = (found.kills, len(found.acknowledged), len(found.lost), len(found.made_up))
    columns = ("kills", "labels acknowledged", "of these lost", "never sent, but there")
    return Table("Killed at random moments while people label.", columns, [row], aim="none lost")


def clients_table(found: tuple[Sequence[Person], int], seconds: float) -> Table:
    return _steady(found, f"{len(found[0])} people who label for {seconds:g} s, batches of {BATCH}, ms.")


def processes_table(found: tuple[Sequence[Person], int], seconds: float, processes: int, label_s: float = 0.0) -> Table:
    who = f"people who take {label_s:g} s for a label" if label_s else "programs that label"
    title = (
        f"{len(found[0])} {who}, in {processes} processes on one database, for {seconds:g} s, batches of {BATCH}, ms."
    )
    return _steady(found, title, "p95 of next batch 800 ms, of submit 100 ms at most; none lost, none given to two")


def _steady(found: tuple[Sequence[Person], int], title: str, aim: str = "") -> Table:
    persons, lost = found
    parts = {
        "next batch": [second for person in persons for second in person.waited_s],
        "submit": [second for person in persons for second in person.submitted_s],
    }
    labels = sum(len(person.acknowledged) for person in persons)
    refused = sum(person.refused for person in persons)
    note = f"{labels:,} labels, {lost} lost, {_given_twice(persons)} items given to two."
    note += f" {refused} requests were told that the store is busy, and sent again." if refused else ""
    return _waits(title, parts, note, aim)


def locked_table(found: tuple[Person, dict[str, list[float]]]) -> Table:
    waiting, parts = found
    note = f"{len(waiting.acknowledged)} labels waited, and are there."
    title = "What needs no label file, while another program holds it and somebody waits to submit, ms."
    return _waits(title, parts, note, "p95 200 ms at most")


def _waits(title: str, parts: dict[str, list[float]], note: str, aim: str = "") -> Table:
    rows = [(name, len(taken), *median_and_p95([1000 * one for one in taken])) for name, taken in parts.items()]
    return Table(title, ("", "requests", "median", "p95"), rows, aim, note)


def at_once_table(found: Sequence[tuple[str, list[float], int]]) -> Table:
    rows = []
    for name, seconds, twice in found:
        first, middle, high, last = np.percentile(seconds, [5, 50, 95, 100])
        rows.append((name, *(round(float(part), 2) for part in (first, middle, high, last)), twice))
    columns = ("", "p5", "median", "p95", "last", "items given to two")
    title = f"{len(found[0][1])} people who ask for a batch of {BATCH} at the same moment, s."
    return Table(title, columns, rows, aim="p95 5 s at most")


def visitors_table(held: Sequence[Held]) -> Table:
    rows = [(each.when, each.memory_mib, each.threads, each.files) for each in held]
    return Table("Visitors of a public page.", ("", "memory, MiB", "threads", "open files"), rows)


if __name__ == "__main__":
    main()
