"""A scripted person at the page in a real browser: actions and seconds for a label, by six ways of labelling.

    python -m benchmarks.person --data DATA --json OUT
    python -m benchmarks.person --data DATA --sets cifar10 --before 1000 --target 300 --parts ways
    python -m benchmarks.person --pictures FOLDER --target 60 --ways keys groups

DATA holds `cifar10` and `esc10`, unpacked. The person knows the right class of every item (the source's own), reads a card
in 350 ms, glances at a card among others in 150 ms, needs 120 ms for a key and 900 ms for a click or a turn of the wheel.
What the page makes the person wait for is measured and added. A glance misses one wrong suggestion in twenty, reading none:
that is how wrong labels get through. Each way labels the same pool anew, as a guest of its own, until TARGET labels. With
`--before N` there are N right labels before, given by REST and not counted: the person begins with the head of these.

- dropdown: each card by its menu, two clicks.
- keys: each card by Enter where the suggestion is right, else by the key of its class.
- groups: cards by predicted class; what is wrong among those in the window is corrected, by one press where the right class
  is among those that the card offers (they are read in 350 ms), else by a click and a key; then one key accepts the others
  and brings up the next.
- select-many: of each group what the slider selects, less what is wrong, gets one Enter; the rest is labeled by keys.
- verify: in Finish a screen of 100 of one predicted class, surest first; what is wrong is clicked, one key stores the others.
- search + lasso: in Explore what is most like a labeled card of each class, then what a lasso on the map holds.

Without suggestions, before the first head, groups and select-many go by keys, and search and verify begin with a batch by
keys, so begin them with `--before N`. After
each submit the person waits until the head is trained; that does not count, because they would take longer than that for a
batch. "suggestions right" is the share of the cards that the person labeled whose suggestion was right; a card without one
counts as wrong.
Aims: groups at a head of 90 % need at most 0.15 actions a label and bring at least 5 times the labels a minute of dropdowns;
verify brings 2.5 to 4 times the labels a minute of mixed screens, which are those of keys.

What the page itself takes is in the second table: see `benchmarks.page_times`.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.page import opened_page
from benchmarks.page_times import measured_times, times_table
from benchmarks.report import DATA, Cell, Measured, Option, Table, percent, run, say
from benchmarks.scripted_person import (
    BATCH,
    PROJECT,
    SETS,
    Person,
)
from benchmarks.ways import VERIFY, VIEWS, WAYS
from benchmarks.workload import EMBED_LIMIT_S, served, wait_until

OPTIONS = (
    DATA,
    Option("--sets", ("cifar10", "esc10"), "what is labeled", tuple(SETS)),
    Option("--pictures", Path, "a folder of class folders to label instead"),
    Option("--ways", (*WAYS, *VIEWS), "ways of labelling", (*WAYS, *VIEWS)),
    Option("--target", 500, "labels of each way"),
    Option("--before", 0, "labels that are there when a way begins"),
    Option("--parts", ("ways", "page"), "what is measured", ("ways", "page")),
    Option("--encoder", "pretrained", "kind of the encoder"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    sources = {
        name: {**SETS[name], "path": str((arguments.data / SETS[name]["path"]).resolve())} for name in arguments.sets
    }
    if arguments.pictures:
        sources = {arguments.pictures.name: {"kind": "image_folder", "path": str(arguments.pictures.resolve())}}
    rows: list[tuple[Cell, ...]] = []
    by_kind: dict[str, Counter[str]] = {}
    times: dict[str, dict[str, list[float]]] = {}
    for name, source in sources.items():
        with _served(source, arguments.encoder) as address:
            for way in arguments.ways if "ways" in arguments.parts else ():
                say(f"{name}: {way} …")
                row, kinds = _labeled(address, way, arguments.target, arguments.before)
                rows.append((name, way, *row))
                if way == "groups":
                    by_kind[name] = kinds
            if "page" in arguments.parts:
                say(f"{name}: what the page takes …")
                times[name] = measured_times(address, PROJECT)
    ways = [_way_table(rows, arguments.before, by_kind)] if rows else []
    return [*ways, *(times_table(name, found) for name, found in times.items())]


@contextmanager
def _served(source: dict[str, str], encoder: str) -> Iterator[str]:
    """The app on that source, embedded to the end; each guest has labels of their own."""
    project = {"name": PROJECT, "source": source, "encoder": encoder, "sharing": "private", "audit_share": 0.0}
    with tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as folder:
        config = Path(folder) / "person.yaml"
        config.write_text(
            json.dumps({"projects": [{**project, "batch_size": BATCH}]}), encoding="utf-8"
        )  # JSON is YAML
        with served(["--config", str(config)], Path(folder) / "work") as address:
            with opened_page(address) as page:
                one = Person(page, address, {}, [])
                wait_until(
                    lambda: one.ask("status")["embedding"]["state"] == "done", EMBED_LIMIT_S, "the embedding", 0.2
                )
            yield address


def _labeled(address: str, way: str, target: int, before: int) -> tuple[tuple[Cell, ...], Counter[str]]:
    """Labels, actions a label, seconds a correct label, labels a minute, wrong labels, right suggestions of one way.

    And its actions by kind.
    """
    with opened_page(address) as page:
        person = _arrived(page, address)
        _label_before(person, before)
        if way in VIEWS:
            VIEWS[way](person, target)
        else:
            _label_batches(person, WAYS[way], target)
        stored = person.labels()
    assert stored, f"nothing was stored by {way}"
    wrong = sum(person.truth[one] != label for one, label in stored.items())
    minutes = person.clock_s / 60
    per_label = round(person.actions / len(stored), 2)
    seconds = round(person.clock_s / (len(stored) - wrong), 2)
    row = len(stored), per_label, seconds, round(len(stored) / minutes), wrong, percent(person.suggested)
    return row, person.kinds


def _arrived(page: Any, address: str) -> Person:
    person = Person(page, address, {}, [])
    person.wait_for_batch()
    person.classes = person.ask("status")["classes"]
    place, total = 0, 1
    while place < total:
        body = {"project": PROJECT, "query": {}, "offset": place, "size": 1000}
        found = page.request.post(f"{address}/api/items", data=body).json()
        person.truth |= {item["id"]: item["known_label"] for item in found["items"]}
        place, total = place + len(found["items"]), found["total"]
    return person


def _label_before(person: Person, count: int) -> None:
    """Right labels by REST, batch after batch, each picked by the head of those before; then a new batch on screen."""
    if not count:
        return
    while len(stored := person.labels()) < count:
        query = {"project": PROJECT, "size": min(BATCH, count - len(stored)), "fresh": "true"}
        batch = person.ask("next_batch", **query)
        labels = [{"id": item["id"], "label": person.truth[item["id"]]} for item in batch["items"]]
        body = {"project": PROJECT, "batch_id": batch["batch_id"], "labels": labels}
        person.page.request.post(f"{person.address}/api/submit_labels", data=body)
        person.wait_for_head()
    person.before = frozenset(stored)
    shown = person.grid.get_attribute("data-ready-batch")
    person.page.locator(f"#fl-load-{PROJECT}").click()
    person.wait_for_batch(shown)


def _label_batches(person: Person, way: Callable[[Person], None], target: int) -> None:
    done = 0
    while done < target:
        cards = person.cards()
        person.suggested += [card["suggestion"] == person.truth[card["id"]] for card in cards]
        way(person)
        person.submit()
        done += len(cards)
        person.wait_for_head()


def _way_table(rows: list[tuple[Cell, ...]], before: int, by_kind: dict[str, Counter[str]]) -> Table:
    columns = ("set", "way", "labels", "actions a label", "seconds a correct label", "labels a minute", "wrong")
    title = "A scripted person: read 350 ms, glance 150 ms, key 120 ms, mouse 900 ms, and what the page takes."
    aim = "groups: at most 0.15 actions a label, 5 times the labels a minute of dropdowns"
    note = " ".join(
        [f"After {before:,} labels." if before else "From the first label on.", *_gains(rows), *_kinds(by_kind)]
    )
    return Table(title, (*columns, "suggestions right, %"), rows, aim=aim, note=note)


def _gains(rows: list[tuple[Cell, ...]]) -> Iterator[str]:
    """How many times the labels a minute one way brings of another, of each set of which both were measured."""
    pace = {(name, way): float(per_minute) for name, way, _, _, _, per_minute, *_ in rows}
    compared = (
        ("groups", "dropdown", "groups bring", "dropdowns"),
        (VERIFY, "keys", "screens of one class bring", "keys"),
    )
    for name in dict.fromkeys(str(row[0]) for row in rows):
        for way, other, bring, those in compared:
            if {(name, way), (name, other)} <= set(pace):
                gain = pace[name, way] / pace[name, other]
                yield f"{name}: {bring} {gain:.1f} times the labels a minute of {those}."


def _kinds(by_kind: dict[str, Counter[str]]) -> Iterator[str]:
    for name, kinds in by_kind.items():
        yield f"{name}, actions by groups: {', '.join(f'{count} to {kind}' for kind, count in kinds.most_common())}."


if __name__ == "__main__":
    main()
