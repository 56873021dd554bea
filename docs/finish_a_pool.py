"""From nothing to a finished pool: label some items, prove a precision, accept the rest, take labels and classifier along.

    python docs/finish_a_pool.py cifar10/train cifar10/test -o finished

TRAIN and TEST are folders with a folder of pictures or sounds for each class. The answers of the person are simulated: they
are what the folders are called. Everything is done with the real program: the app is started, asked over REST as the page
asks it, and stopped; `export-model` and `predict` are the commands that one types. Printed is a table of what was promised
and what came of it.
"""

import argparse
import csv
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FASTLABEL = (sys.executable, "-c", "from fastlabel_gradio.command_line import main; main()")
START_S = 4 * 3600.0  # a large pool is embedded first
AT_ONCE = 50


class App:
    """The routes of a running app."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get(self, route: str, **options: object) -> Any:
        return json.loads(self.download(route, **options))

    def post(self, route: str, body: dict[str, object]) -> Any:
        headers = {"Content-Type": "application/json"}
        return json.loads(self._open(urllib.request.Request(self._address + route, json.dumps(body).encode(), headers)))

    def download(self, route: str, **options: object) -> bytes:
        return self._open(urllib.request.Request(f"{self._address}{route}?{urllib.parse.urlencode(options)}"))

    def _open(self, request: urllib.request.Request) -> bytes:
        with urllib.request.urlopen(request, timeout=600) as answer:  # an address of this machine
            return bytes(answer.read())


def main(argv: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(argv)
    out: Path = options.output
    out.mkdir(parents=True)
    with running(options.train, out / "work", options.encoder) as app:
        label(app, options.labels)
        words = prove(app, options.precision, options.checks)
        if words is None:
            sys.exit(app.get("/api/finish")["words"])
        accepted = app.post("/api/finish/accept", {})["accepted"]["items"]
        (out / "dataset.zip").write_bytes(app.download("/api/export", format="hf"))
        (out / "labels.csv").write_bytes(app.download("/api/export", format="csv", evidence=True))
        total = app.get("/api/status")["total"]
        command("export-model", "--workdir", out / "work", "-o", out / "model")
    with zipfile.ZipFile(out / "dataset.zip") as archive:
        archive.extractall(out / "dataset")
    command("predict", out / "model", options.test, "-o", out / "predictions.csv")
    print(words)
    print(table(options.precision, options.labels, accepted, total, out))


@contextmanager
def running(folder: Path, workdir: Path, encoder: str) -> Iterator[App]:
    """The app over a folder, once all of it is embedded."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ("--encoder", encoder, "--workdir", workdir, "--port", port, "--no-browser")
    process = subprocess.Popen([*FASTLABEL, *map(str, (folder, *options))], stdout=subprocess.DEVNULL)
    try:
        app = App(f"http://127.0.0.1:{port}")
        wait_for(lambda: process.poll() is not None or app.get("/api/status")["embedding"]["state"] == "done")
        if process.poll() is not None:
            sys.exit("The app did not start.")
        yield app
    finally:
        process.terminate()
        process.wait(60)


def label(app: App, labels: int) -> None:
    """Labels so many items as their folders are called, and waits for the head that is trained on all of them."""
    while (left := labels - app.get("/api/status")["labeled"]) > 0:
        batch = app.get("/api/next_batch", size=min(AT_ONCE, left), fresh=True)
        if not batch["items"]:
            break
        answer(app, batch)
    app.post("/api/train", {})
    wait_for(lambda: app.get("/api/status")["head"]["settled"])


def prove(app: App, precision: float, checks: int) -> str | None:
    """Plans, freezes and checks until the precision is proven, then goes on to larger sets while the checks last.

    Returns what is then said, None where nothing can be proven.
    """
    app.post("/api/finish/start", {"precision": precision})
    check(app)
    while (larger := (now := app.get("/api/finish"))["larger"]) and now["checked"] + larger["checks"] <= checks:
        app.post("/api/finish/grow", {})
        check(app)
    return str(now["words"]) if now["state"] == "proven" else None


def check(app: App) -> None:
    """Answers checks until none is needed."""
    while (batch := app.get("/api/finish/checks", size=AT_ONCE))["items"]:
        answer(app, batch)


def answer(app: App, batch: dict[str, Any]) -> None:
    """What a person would say of each item of a batch: the name of its folder."""
    said = [{"id": item["id"], "label": item["id"].split("/")[0]} for item in batch["items"]]
    app.post("/api/submit_labels", {"batch_id": batch["batch_id"], "labels": said})


def table(precision: float, labels: int, accepted: int, total: int, out: Path) -> str:
    """What was promised and what came of it, in Markdown."""
    with (out / "labels.csv").open(encoding="utf-8", newline="") as lines:
        auto = [row for row in csv.DictReader(lines) if row["source"] == "auto"]
    with (out / "predictions.csv").open(encoding="utf-8", newline="") as lines:
        predicted = list(csv.DictReader(lines))
    right = sum(row["label"] == row["item_id"].split("/")[0] for row in auto)
    known = sum(row["label"] == Path(row["path"]).parent.name for row in predicted)
    rows = {
        "labels given": f"{labels:,} of {total:,} items",
        "promised": f"{100 * precision:g} % of the accepted labels are right",
        "accepted": f"{accepted:,} labels",
        "right of those accepted": f"{100 * right / max(len(auto), 1):.1f} %",
        f"right on {len(predicted):,} test items": f"{100 * known / max(len(predicted), 1):.1f} %",
    }
    return "\n".join(("| what | |", "|---|---|", *(f"| {what} | {figure} |" for what, figure in rows.items())))


def command(*words: object) -> None:
    subprocess.run([*FASTLABEL, *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            if is_so():
                return
        except urllib.error.URLError:
            pass  # it is still starting
        time.sleep(0.5)
    sys.exit("The app took too long.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path, metavar="TRAIN", help="the pool")
    parser.add_argument("test", type=Path, metavar="TEST", help="what the classifier is tried on")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="a folder that is not there yet"
    )
    parser.add_argument("--labels", type=int, default=500, metavar="N", help="given by hand (default: %(default)s)")
    parser.add_argument("--precision", type=float, default=0.9, metavar="P", help="promised (default: %(default)s)")
    parser.add_argument("--checks", type=int, default=300, metavar="N", help="at most (default: %(default)s)")
    parser.add_argument("--encoder", default="pretrained", metavar="KIND", help="default: %(default)s")
    return parser


if __name__ == "__main__":
    main()
