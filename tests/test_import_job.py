"""Labels that come in: every format, what means which item, what is left out, and that what leaves can come back."""

import csv
import io
import json
import random
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from fastlabel_gradio.errors import ConfigError, SourceError, UnknownNameError
from fastlabel_gradio.exports import EXPORTERS, ExportRow, FolderExporter, ItemMedia, new_zip
from fastlabel_gradio.exports.row_stream import STATES, Choice
from fastlabel_gradio.imports import ImportedLabel, LeftOutLabels, guessed_suffix, match, read_labels
from fastlabel_gradio.labels import LabelStore, Told
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.export_job import ExportOrder, export
from fastlabel_gradio.server.import_job import import_labels, take_back
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.sources import open_source
from fastlabel_gradio.types import Said, State
from tests.labels.test_told import random_history
from tests.pools import make_config, make_sound_config, wait_for, write_sounds

OpenProject = Callable[..., Project]
NO_LABELS = "no file of labels"


def read(
    tmp_path: Path, name: str, content: str | bytes, format: str | None = None
) -> tuple[list[ImportedLabel], list[str]]:
    """The labels of a file, and what it was refused for."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    left_out = LeftOutLabels()
    return list(read_labels(path, name, left_out.add, format)), [one.what for one in left_out.all()]


def plain(labels: list[ImportedLabel]) -> list[tuple[str, str]]:
    return [(one.item, one.label) for one in labels]


class TestFiles:
    def test_any_table_with_a_path_and_a_label_is_read(self, tmp_path: Path) -> None:
        for name, text in {
            "a.csv": "path,label\nx/1.png,cat\n2.png,\n",
            "b.tsv": "file name\tspecies\tscore\nx/1.png\tcat\t0.5\n2.png\tNA\t1\n",
            "c.csv": "Bild;class\nx/1.png;cat\n2.png;\n",
            "d.jsonl": '{"image": "x/1.png", "category": "cat"}\n{"image": "2.png", "category": null}\n',
            "e.json": '[{"filename": "x/1.png", "label": "cat"}, {"filename": "2.png"}]',
            "f.txt": "x/1.png cat\n",
        }.items():
            labels, refused = read(tmp_path, name, text)
            assert plain(labels) == [("x/1.png", "cat")], name
            assert refused == ([] if name == "f.txt" else ["row without a label"]), name
            assert (labels[0].source, labels[0].annotator, labels[0].said_at) == ("import", "", None)
        assert labels[0].confidence is None

    def test_a_parquet_table_is_read(self, tmp_path: Path) -> None:
        import pandas

        pandas.DataFrame({"path": ["1.png"], "label": ["cat"], "score": [0.25]}).to_parquet(tmp_path / "x.parquet")
        labels, _ = read(tmp_path, "t.parquet", (tmp_path / "x.parquet").read_bytes())
        assert plain(labels) == [("1.png", "cat")]
        assert labels[0].confidence == 0.25

    def test_a_table_of_parts_is_read_by_begin_and_end(self, tmp_path: Path) -> None:
        text = "file,start,end,label\na.wav,1.5,3.0,owl\na.wav,3,2,owl\na.wav,x,2,owl\n"
        labels, refused = read(tmp_path, "parts.csv", text)
        assert [(one.item, one.span and (one.span.start_s, one.span.end_s)) for one in labels] == [
            ("a.wav", (1.5, 3.0))
        ]
        assert refused == ["part that ends before it begins", "part without a time"]

    def test_selection_tables_of_raven_are_read(self, tmp_path: Path) -> None:
        head = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)"
        rows = "1\tSpectrogram 1\t1\t1.0\t2.5\t0\t8000"
        labels, refused = read(tmp_path, "rec.Table.1.selections.txt", f"{head}\tSpecies\n{rows}\towl\n{rows}\t\n")
        assert [(one.item, one.lacks_suffix, one.label) for one in labels] == [("rec", True, "owl")]
        assert refused == ["selection without a class"]
        named = (
            f"{head}\tBegin Path\tFile Offset (s)\tCommon Name\tConfidence\n{rows}\tC:\\x\\rec.wav\t0.25\towl\t0.8\n"
        )
        [one], _ = read(tmp_path, "BirdNET.txt", named)
        assert (one.item, one.span and one.span.start_s, one.span and one.span.end_s) == ("C:\\x\\rec.wav", 0.25, 1.75)
        assert one.confidence == 0.8
        with pytest.raises(SourceError, match="no column of classes"):
            read(tmp_path, "x.txt", f"{head}\n{rows}\n")

    def test_label_tracks_of_audacity_are_read(self, tmp_path: Path) -> None:
        text = "0.500000\t1.250000\ttawny owl\n\\\t100.0\t2000.0\n2,5\t2,5\tpoint\n3.0\t4.0\t\nnonsense\n"
        labels, refused = read(tmp_path, "site/rec.wav.txt", text)
        assert [(one.item, one.lacks_suffix, one.label) for one in labels] == [
            ("site/rec.wav", False, "tawny owl"),
            ("site/rec.wav", False, "point"),
        ]
        assert refused == ["label without a name", "line that is no label"]

    def test_tasks_of_label_studio_are_read(self, tmp_path: Path) -> None:
        def choice(name: str, **more: object) -> dict[str, object]:
            return {"from_name": "c", "to_name": "i", "type": "choices", "value": {"choices": [name]}, **more}

        tasks = [
            {
                "data": {"image": "/data/upload/3/0a1b2c3d-my%20cat.png"},
                "annotations": [
                    {"completed_by": 7, "created_at": "2024-05-01T10:00:00Z", "result": [choice("cat")]},
                    {"completed_by": {"email": "b@x.org"}, "was_cancelled": True, "result": []},
                ],
                "predictions": [{"score": 0.75, "result": [choice("dog")]}],
            },
            {
                "data": {"audio": "/data/local-files/?d=site%2Frec.wav"},
                "annotations": [
                    {
                        "result": [
                            {"type": "labels", "value": {"start": 1.0, "end": 2.0, "labels": ["owl"]}},
                            {"type": "textarea", "value": {"text": ["hm"]}},
                        ]
                    },
                    {"result": [{"type": "textarea", "value": {"text": ["hm"]}}]},
                ],
            },
            {"data": {}},
            "nonsense",
        ]
        labels, refused = read(tmp_path, "tasks.json", json.dumps(tasks))
        assert [(one.item, one.label, one.state, one.annotator, one.is_prediction) for one in labels] == [
            ("my cat.png", "cat", "label", "label_studio:7", False),
            ("my cat.png", "", "skip", "b@x.org", False),
            ("my cat.png", "dog", "label", "", True),
            ("site/rec.wav", "owl", "label", "", False),
        ]
        assert (labels[0].said_at, labels[2].confidence) == (1714557600.0, 0.75)
        assert refused == ["task without a file", "annotation without a class"]

    def test_a_zip_of_files_is_read_and_one_that_is_none_is_refused(self, tmp_path: Path) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("site/a.wav.txt", "0.0\t1.0\towl\n")
            archive.writestr("../../evil.csv", "path,label\n1.png,cat\n")
            archive.writestr("a.png", b"no label")
        labels, _ = read(tmp_path, "labels.zip", packed.getvalue())
        assert plain(labels) == [("site/a.wav", "owl"), ("1.png", "cat")]
        assert labels[1].place == "../../evil.csv, line 2"
        assert not list(tmp_path.parent.parent.glob("evil.csv"))
        for content in (b"PK\x03\x04nonsense", packed.getvalue()[:60]):
            with pytest.raises(SourceError, match="no zip that can be unpacked"):
                read(tmp_path, "broken.zip", content)

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.png", b"\x89PNG"),
            ("a.csv", b"\x00\x01\x02\xff" * 50),
            ("a.csv", "a,b\n1,2\n"),
            ("a.csv", "path,size\na.png,3\n"),
            ("a.json", "{"),
            ("a.json", "[" * 100_000),
            ("a.json", '{"data": {"image": "a"}, "annotations": '),
            ("a.parquet", b"PAR1 nonsense PAR1"),
            ("a.txt", ""),
            ("a", "x"),
            ("a.xlsx", b"PK\x03\x04"),
        ],
    )
    def test_what_is_no_file_of_labels_is_refused_with_the_reason(
        self, tmp_path: Path, name: str, content: str | bytes
    ) -> None:
        with pytest.raises(SourceError):
            read(tmp_path, name, content)

    def test_a_file_without_a_name_is_told_by_how_it_begins(self, tmp_path: Path) -> None:
        for suffix, content in {
            ".zip": b"PK\x03\x04",
            ".parquet": b"PAR1",
            ".json": b"\xef\xbb\xbf [",
            ".jsonl": b"{}",
            ".txt": b"path,label",
        }.items():
            (tmp_path / "sent").write_bytes(content)
            assert guessed_suffix(tmp_path / "sent") == suffix


class TestMatching:
    POOL = ("red/0.png", "blue/0.png", "blue/1.png", "a/rec.wav#t=0.0,3.0", "a/rec.wav#t=3.0,6.0", "b/whole.wav")

    def found(self, *labels: ImportedLabel) -> tuple[list[tuple[str, str]], dict[str, int]]:
        left_out = LeftOutLabels()
        pairs = [(one.label.item, one.item_id) for one in match(labels, iter(self.POOL), left_out.add)]
        return pairs, {one.what: one.count for one in left_out.all()}

    def test_a_path_means_the_item_that_ends_alike(self) -> None:
        for item, means in {
            "red/0.png": "red/0.png",
            "./red/0.png": "red/0.png",
            "red\\0.png": "red/0.png",
            "C:\\pool\\blue\\1.png": "blue/1.png",
            "file:///data/pool/blue/0.png": "blue/0.png",
            "1.png": "blue/1.png",
        }.items():
            assert self.found(ImportedLabel("", item, "x")) == ([(item, means)], {})
        for item, why in {
            "0.png": "name of several items",
            "green/0.png": "not in this project",
            "green/1.png": "not in this project",
            "d/1.png": "not in this project",
            "../1.pn": "not in this project",
            "a/rec.wav": "recording that is cut into windows",
        }.items():
            assert self.found(ImportedLabel("", item, "x")) == ([], {why: 1})

    def test_a_selection_means_the_windows_that_it_shares_half_with(self) -> None:
        from fastlabel_gradio.types import TimeSpan

        def means(start_s: float, end_s: float) -> list[str]:
            pairs, _ = self.found(ImportedLabel("", "x/a/rec.wav", "owl", TimeSpan(start_s, end_s)))
            return [item_id.partition("#t=")[2] for _, item_id in pairs]

        assert means(0, 3) == ["0.0,3.0"]
        assert means(0.5, 1.0) == ["0.0,3.0"]
        assert means(2.5, 3.5) == ["0.0,3.0", "3.0,6.0"]
        assert means(2.75, 5.0) == ["3.0,6.0"]
        assert means(0, 60) == ["0.0,3.0", "3.0,6.0"]
        assert means(4.0, 4.0) == ["3.0,6.0"]
        assert means(6.5, 9.0) == []
        pairs, _ = self.found(ImportedLabel("", "whole", "owl", TimeSpan(1, 2), lacks_suffix=True))
        assert pairs == [("whole", "b/whole.wav")]
        pairs, _ = self.found(ImportedLabel("", "rec.wav#t=3.0,6.0", "owl"))
        assert pairs == [("rec.wav#t=3.0,6.0", "a/rec.wav#t=3.0,6.0")]

    def test_files_of_one_name_and_windows_of_one_recording_are_not_compared_with_each_other(self) -> None:
        from fastlabel_gradio.imports.pool_paths import PoolPaths

        ids = [f"{n}/image.jpg" for n in range(300)] + [f"rec.wav#t={n}.0,{n + 2}.0" for n in range(300)]
        with PoolPaths(ids) as paths:
            reads = 0
            read = paths._read

            def counted(place: int) -> str:
                nonlocal reads
                reads += 1
                return read(place)

            paths._read = counted  # type: ignore[method-assign]
            for n in range(300):
                assert [one.whole for one in paths.most_alike(f"/home/ann/{n}/image.jpg")] == [[f"{n}/image.jpg"]]
                assert len(paths.most_alike("image.jpg")) == 2
                assert f"rec.wav#t={n}.0,{n + 2}.0" in paths
                assert paths.most_alike("elsewhere/rec.wav")[0].file_id == "rec.wav"
            assert reads < 2_000


def write_csv(path: Path, *rows: tuple[str, str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows((("path", "label"), *rows))
    return path


def test_what_matches_is_taken_and_the_rest_is_listed(
    tmp_path: Path, pictures: Path, open_project: OpenProject
) -> None:
    project = open_project(make_config(pictures))
    labeler = project.labeler("ann")
    labeler.submit("ann", [("red/0000.png", "red"), ("red/0001.png", "red")])
    file = write_csv(
        tmp_path / "labels.csv",
        *(("red/0000.png", "blue"), ("red/0001.png", "red"), ("red/0002.png", "red"), ("red/0002.png", "blue")),
        *(("pictures/blue/0003.png", "lilac"), ("gone.png", "red")),
    )
    done = import_labels(project, "ann", file, file.name)
    assert (done.added, done.known, done.new_classes) == (2, 1, ("lilac",))
    assert {one.what: one.count for one in done.left_out} == {
        "not in this project": 1,
        "second label of an item": 1,
        "item that you labeled otherwise": 1,
    }
    assert "2 labels taken in; 1 known already; 3 left out. New classes: lilac." in done.text()
    assert labeler.schema.names == ("blue", "green", "red", "lilac")
    assert labeler.counts().labeled == 4
    sources = {row.item_id: (row.label, row.source) for row in labeler.export_rows(include_states=True)}
    assert sources["blue/0003.png"] == ("lilac", "import")
    assert sources["red/0000.png"] == ("red", "person")
    assert import_labels(project, "ann", file, file.name).added == 0
    assert take_back(project, "ann", done.id) == 1
    assert labeler.counts().labeled == 2
    assert take_back(project, "ann", done.id) == 0
    write_csv(file, ("red/0000.png", "blue"), ("red/0001.png", "mauve"))
    refused = import_labels(project, "bob", file, file.name, unknown="refuse")
    assert (refused.added, [one.what for one in refused.left_out]) == (1, ["unknown class"])
    assert "mauve" not in labeler.schema.names
    opinions = {(row.item_id, row.annotator, row.label) for row in labeler.export_rows()}
    assert {("red/0000.png", "ann", "red"), ("red/0000.png", "bob", "blue")} <= opinions
    assert labeler.finder.count(project_query(labels=("blue",))) == 0


def project_query(**values: object):  # type: ignore[no-untyped-def]
    from fastlabel_gradio.pool.query import Query

    return Query(**values)  # type: ignore[arg-type]


def test_of_a_file_that_is_damaged_at_its_end_nothing_is_taken(
    tmp_path: Path, pictures: Path, open_project: OpenProject
) -> None:
    project = open_project(make_config(pictures), embed=False)
    for name, content in {
        "a.jsonl": '{"path": "red/0000.png", "label": "new"}\n{"path": ',
        "a.json": '[{"path": "red/0000.png", "label": "new"}, {"path": ',
        "a.csv": 'path,label\nred/0000.png,new\nred/0001.png,"new\nred/0002.png,new\n',
        "tasks.json": '[{"data": {"image": "red/0000.png"}, "annotations": [{"was_cancelled": true}]}, {',
    }.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
        for as_ in ("labels", "suggestions", "references"):
            with pytest.raises(SourceError):
                import_labels(project, "ann", tmp_path / name, name, as_)
    assert project.labeler("ann").counts().labeled == len(project.suggestions) == len(project.references) == 0
    assert "new" not in project.labeler("ann").schema.names


def test_an_import_that_is_stored_says_so_while_others_keep_the_labels_busy(
    tmp_path: Path, pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = open_project(make_config(pictures), embed=False)
    labeler = project.labeler("ann")
    monkeypatch.setattr("fastlabel_gradio.pool.desk.TURN_WAIT_S", 0.01)
    file = write_csv(tmp_path / "labels.csv", ("red/0000.png", "red"))
    with labeler._desk.in_turn(), ThreadPoolExecutor(1) as other:
        done = other.submit(import_labels, project, "ann", file, file.name).result()
        assert done.added == 1
        assert other.submit(take_back, project, "ann", done.id).result() == 1
    labeler.catch_up()
    assert labeler.counts().labeled == 0


def test_too_many_new_classes_are_no_classes(tmp_path: Path, pictures: Path, open_project: OpenProject) -> None:
    project = open_project(make_config(pictures), embed=False)
    rows = [(f"{name}/{n:04d}.png", f"class {name} {n}") for name in ("red", "green", "blue") for n in range(20)]
    file = write_csv(tmp_path / "labels.csv", *rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fastlabel_gradio.server.import_job.MOST_NEW_CLASSES", 50)
        with pytest.raises(ConfigError, match="60 classes are new, such as 'class red 0'; 50 at most"):
            import_labels(project, "ann", file, file.name)
    with pytest.raises(UnknownNameError, match="import format 'x' is not known"):
        import_labels(project, "ann", file, file.name, format="x")


def test_suggestions_are_shown_until_there_is_a_head_and_references_are_known_labels(
    tmp_path: Path, pictures: Path, open_project: OpenProject
) -> None:
    project = open_project(make_config(pictures, train_every=1000))
    table = "path,label,score\n" + "".join(
        f"{item},{item.split('/')[0]},0.5\n" for item in ("red/0000.png", "blue/0001.png")
    )
    file = tmp_path / "guesses.csv"
    file.write_text(table + "red/0003.png,unknown,0.9\n", encoding="utf-8")
    assert import_labels(project, "ann", file, file.name, "suggestions").added == 3
    labeler = project.labeler("ann")
    batch = labeler.next_batch("ann", 60)
    shown = {item.id: guess for item, guess in zip(batch.items, batch.predictions, strict=True) if guess}
    assert {id_: (labeler.schema.names[one.index], one.confidence) for id_, one in shown.items()} == {
        "red/0000.png": ("red", 0.5),
        "blue/0001.png": ("blue", 0.5),
    }
    assert labeler.counts().labeled == 0
    labeler.submit("ann", [(f"{name}/0010.png", name) for name in ("red", "green", "blue")])
    labeler.train()
    assert labeler.wait_for_training(60)
    assert all(labeler.next_batch("ann", 60, fresh=True).predictions)
    write_csv(tmp_path / "known.csv", ("red/0000.png", "blue"))
    assert import_labels(project, "ann", tmp_path / "known.csv", "known.csv", "references").added == 1
    from fastlabel_gradio.types import Item

    assert [project.reference_label(Item(id_)) for id_ in ("red/0000.png", "red/0001.png")] == ["blue", "red"]
    project.close()
    again = open_project(make_config(pictures))
    assert again.labeler("ann").known_label("red/0000.png") == "blue"
    assert again.reference_label(Item("red/0000.png")) == "blue"
    assert len(again.suggestions) == 3


def test_imported_references_are_on_the_list_of_known_labels_that_are_doubted(
    tmp_path: Path, pictures: Path, open_project: OpenProject
) -> None:
    project = open_project(make_config(pictures))
    labeler = project.labeler("ann")

    def doubted_first() -> str:
        found = labeler.finder.page(Query(order="known_labels"), 0, 1).items
        return found[0].item.id if found else ""

    wait_for(lambda: doubted_first() != "")
    item_id = "red/0007.png"
    assert doubted_first() != item_id
    write_csv(tmp_path / "known.csv", (item_id, "blue"))
    import_labels(project, "ann", tmp_path / "known.csv", "known.csv", "references")
    wait_for(lambda: doubted_first() == item_id)
    labeler.confirm("ann", [(item_id, "blue")])  # the imported one, not that of its folder
    assert labeler.finder.page(Query(ids=(item_id,)), 0, 1).items[0].label == "blue"


ROUND_TRIPS = {"csv": ".csv", "json": ".json", "jsonl": ".jsonl", "parquet": ".parquet"}


def test_what_leaves_comes_back_as_it_was(tmp_path: Path, pictures: Path, open_project: OpenProject) -> None:
    """Random histories of three annotators, with states, reviews, undo and a class that looks like a formula."""
    rng = random.Random(11)
    project = open_project(make_config(pictures, classes=["=red", "NA", "1.0"]))
    for number, (format, suffix) in enumerate(ROUND_TRIPS.items()):
        store = project.label_store("ann")
        history(store, rng)
        project.labeler("ann").catch_up()
        wanted = to_milliseconds(store)
        file = tmp_path / f"labels{suffix}"
        export(project, "ann", ExportOrder(format, Choice("all", STATES)), file)
        other = open_project(make_config(pictures, name=f"other-{number}", classes=["1.0", "=red"]))
        done = import_labels(other, "zoe", file, file.name)
        assert (done.added, done.left_out) == (len(wanted), [])
        back = other.label_store("zoe")
        names = {label_id: one.name for label_id, one in back.classes().items()}
        ours = {label_id: one.name for label_id, one in store.classes().items()}
        assert [named(one, names) for one in back.told()] == [named(one, ours) for one in wanted]
        other.close()


def history(store: LabelStore, rng: random.Random) -> None:
    """As `random_history`, of items that the pool has."""
    names = {f"{n}.jpg": f"red/{n:04d}.png" for n in range(6)}

    class Renamed:
        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def submit(self, who: str, labels: list[tuple[str, Said]], **more: object) -> object:
            moved = [(names[item_id], one) for item_id, one in labels]
            return store.submit(who, moved, **more)  # type: ignore[arg-type]

    random_history(Renamed(), rng)  # type: ignore[arg-type]


def to_milliseconds(store: LabelStore) -> list[Told]:
    return [one._replace(said_at=int(one.said_at * 1000) / 1000) for one in store.told()]


def named(one: Told, names: dict[int, str]) -> tuple[object, ...]:
    said = one.said
    name = names[said.label_id] if said.label_id is not None else ""
    return (*replace_said(one), name, said.state, said.head_version, said.confidence, said.note)


def replace_said(one: Told) -> tuple[object, ...]:
    return (one.item_id, one.annotator, one.said_at, one.source, one.stands)


def test_label_studio_and_folders_come_back_too(tmp_path: Path, pictures: Path, open_project: OpenProject) -> None:
    project = open_project(make_config(pictures))
    labeler = project.labeler("ann")
    said = [
        ("red/0000.png", "red"),
        ("blue/0001.png", "blue"),
        ("red/0002.png", State.BAD),
        ("red/0003.png", State.SKIP),
    ]
    labeler.submit("ann", said)
    labeler.submit("bob", [("red/0000.png", "blue")])
    wanted = {(row.item_id, row.annotator, row.label, row.state) for row in labeler.export_rows(include_states=True)}
    for number, format in enumerate(("label_studio", "hf", "hf_parquet", "tree")):
        suffix = EXPORTERS.get(format).suffix
        file = tmp_path / f"labels-{format}{suffix}"
        export(project, "ann", ExportOrder(format, Choice("all", STATES)), file)
        other = open_project(make_config(pictures, name=f"other-{number}"))
        done = import_labels(other, "zoe", file, file.name)
        rows = list(other.labeler("zoe").export_rows(include_states=True))
        back = {(row.item_id, row.annotator, row.label, row.state) for row in rows}
        if format == "label_studio":
            skipped = ("red/0003.png", "ann", "", "skip")
            assert back - {("red/0003.png", "zoe", "", "skip")} == wanted - {skipped}
        else:
            assert {(row.item_id, row.annotator, row.label, row.source) for row in rows} == {
                ("red/0000.png", "ann", "red", "person"),
                ("blue/0001.png", "ann", "blue", "person"),
            }
        assert done.left_out == []
        other.close()


@pytest.mark.parametrize("format", ["raven", "audacity"])
def test_labels_of_windows_come_back_from_tables_of_sounds(
    format: str, tmp_path: Path, open_project: OpenProject
) -> None:
    pool = write_sounds(tmp_path / "sounds", per_class=1, seconds=1.0)
    source = {"kind": "audio_folder", "path": str(pool), "window_s": 0.5}
    project = open_project(make_sound_config(pool, source=source))
    ids = [item.id for item in project.source.scan()]
    said = [(item_id, item_id.split("/")[0]) for item_id in ids]
    project.labeler("ann").submit("ann", said)
    file = tmp_path / "labels.zip"
    export(project, "ann", ExportOrder(format), file)
    other = open_project(make_sound_config(pool, name="other", source=source))
    done = import_labels(other, "zoe", file, file.name)
    assert (done.added, done.left_out) == (len(ids), [])
    assert {row.item_id: row.label for row in other.labeler("zoe").export_rows()} == dict(said)
    if format == "raven":
        wanted = [replace_said(one) for one in to_milliseconds(project.label_store("ann"))]
        assert [replace_said(one) for one in other.label_store("zoe").told()] == wanted


def test_lists_of_folders_and_selection_tables_say_who_said_it_when_and_why(tmp_path: Path) -> None:
    pool = write_sounds(tmp_path / "sounds", per_class=1, seconds=0.5)
    source = open_source("audio_folder", {"path": str(pool)}, tmp_path, tmp_path)
    usual = {"created_at": "2026-01-31T12:00:00.000+00:00", "state": "label", "stands": True}
    promise = "finish-1 p=0.95 n=71 k=0"
    rows = [
        ExportRow("high/0000.wav", "=owl", "ann", source="review", path="high/0000.wav", **usual),  # type: ignore[arg-type]
        ExportRow("low/0000.wav", "bat", "bob", source="auto", promise=promise, path="low/0000.wav", **usual),  # type: ignore[arg-type]
        ExportRow("middle/0000.wav", predicted_label="owl", path="middle/0000.wav", state="", source="", stands=False),
    ]
    for format in ("tree", "raven"):
        exporter, file = EXPORTERS.get(format), tmp_path / f"{format}.zip"
        assert isinstance(exporter, FolderExporter)
        with new_zip(file) as folder:
            exporter.write(iter(rows), folder, ItemMedia(source.medium, source.recording, source.read))
        labels, refused = read(tmp_path, file.name, file.read_bytes())
        assert refused == []
        assert sorted(
            (one.label, one.annotator, one.said_at, one.source, one.note, one.is_prediction) for one in labels
        ) == [
            ("=owl", "ann", 1769860800.0, "review", "", False),
            ("bat", "bob", 1769860800.0, "auto", promise, False),
            ("owl", "", None, "import", "", True),
        ]


@pytest.mark.parametrize("format", ["raven", "label_studio"])
def test_parts_of_recordings_that_are_named_alike_come_back(format: str, tmp_path: Path) -> None:
    pool = write_sounds(tmp_path / "pool", per_class=1)
    (pool / "0000.wav").write_bytes((pool / "low" / "0000.wav").read_bytes())
    source = open_source("audio_folder", {"path": str(pool)}, tmp_path, tmp_path)
    labels = {
        f"{file}#t={start},{start + 0.25}": file for file in ("0000.wav", "low/0000.wav") for start in (0.0, 0.25)
    }
    rows = [
        ExportRow(item_id, label, "ann", path=label, state="label", stands=True, medium="audio", source="person")
        for item_id, label in labels.items()
    ]
    exporter, file = EXPORTERS.get(format), tmp_path / "out.zip"
    if isinstance(exporter, FolderExporter):
        with new_zip(file) as folder:
            exporter.write(iter(rows), folder, ItemMedia(source.medium, source.recording, source.read))
    else:
        exporter.write(iter(rows), file)
    refused: list[tuple[str, str, str]] = []
    name = file.name if isinstance(exporter, FolderExporter) else "out.json"
    found = match(read(tmp_path, name, file.read_bytes())[0], labels, lambda *why: refused.append(why))
    assert {(one.item_id, one.label.label) for one in found} == set(labels.items())
    assert refused == []


HOSTILE_FILES = (
    *(
        'a, "b".png',
        "=1+1.png",
        "-2.png",
        "'quoted'.png",
        "line\nbreak.png",
        "tab\t;|.png",
        " blank .png",
        "a%20b&?.png",
    ),
    *("مرحبا\u202eabc.png", "😀👩‍👩‍👧.png", "e\u0301.png", "back\\slash.png", "x#t=1.0,2.0.png", "n" * 240 + ".png"),
)
HOSTILE_CLASSES = (
    *('a, "b"', "=cmd|'x'!A1", "@sum", "'quoted'", "a/b\\c", "..", "tab|;", "NA", "1.0", "null", "[x] {y}"),
    *("مرحبا\u202eabc", "😀👩‍👩‍👧", "é" * 100),
)


def test_hostile_names_come_back_from_every_format(tmp_path: Path, open_project: OpenProject) -> None:
    pool = tmp_path / "pool" / "a b,c"
    pool.mkdir(parents=True)
    for number, name in enumerate(HOSTILE_FILES):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(pool / name, format="PNG")
    project = open_project(make_config(tmp_path / "pool", classes=list(HOSTILE_CLASSES)), embed=False)
    said = {f"a b,c/{name}": label for name, label in zip(HOSTILE_FILES, HOSTILE_CLASSES, strict=True)}
    wait_for(lambda: project.store.total == len(HOSTILE_FILES))
    project.labeler("ann").submit("ann", list(said.items()))
    for number, format in enumerate(("csv", "json", "jsonl", "parquet", "label_studio", "hf", "hf_parquet", "tree")):
        file = tmp_path / f"labels-{format}{EXPORTERS.get(format).suffix}"
        export(project, "ann", ExportOrder(format), file)
        other = open_project(make_config(tmp_path / "pool", name=f"other-{number}", classes=["x"]), embed=False)
        done = import_labels(other, "zoe", file, file.name)
        back = {row.item_id: row.label for row in other.labeler("zoe").export_rows()}
        assert (format, done.left_out, back) == (format, [], said)
        other.close()
