"""The tables of the newest layout. What their rows mean is the subject of the files beside this.

Every row knows its project: one database serves many. Submissions and what hangs on them are only ever appended. No index of
a long table starts with the project: without statistics SQLite takes the first column of an index for a rare value, and would
read the whole project to find one item. A change of the tables is a new layout, to which a function of `migrations.py` leads.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
    true,
)

metadata = MetaData()

versions = Table("fastlabel_version", metadata, Column("version", Integer, primary_key=True))

projects = Table(
    "fastlabel_projects",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # Counts what was changed of the project: whoever finds another number than last time looks what happened.
    Column("revision", Integer, nullable=False, server_default=text("0")),
)

# The name is the one that a class was made with and is never changed; what it is called now is said by class events.
labels = Table(
    "fastlabel_labels",
    metadata,
    Column("project", ForeignKey(projects.c.id), primary_key=True),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("project", "name"),
)

# A submission is one act of one annotator: events made together or, with `reverts`, the undoing of an earlier one. An undo
# may be reverted too, which brings back what it undid: `original`, the one at the end of such a chain. So a submission is
# undone while the number of those that name it as their original is odd.
submissions = Table(
    "fastlabel_submissions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project", ForeignKey(projects.c.id), nullable=False),
    Column("annotator", Text, nullable=False),
    Column("batch_id", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("reverts", ForeignKey("fastlabel_submissions.id"), unique=True),
    Column("original", ForeignKey("fastlabel_submissions.id")),
    Index("fastlabel_submissions_by_original", "original"),
    Index("fastlabel_submissions_by_annotator", "annotator", "project", "id"),
)

annotations = Table(
    "fastlabel_annotations",
    metadata,
    Column("submission", ForeignKey(submissions.c.id), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("project", Integer, nullable=False),
    Column("item_id", Text, CheckConstraint("item_id <> ''"), nullable=False),
    Column("label_id", Integer),
    Column("state", Text, nullable=False, server_default=text("'label'")),
    Column("present", Boolean, nullable=False, server_default=true()),
    Column("source", Text, nullable=False, server_default=text("'person'")),
    Column("head_version", Integer),
    Column("confidence", Double),
    Column("note", Text, nullable=False, server_default=text("''")),
    CheckConstraint("(state = 'label') = (label_id IS NOT NULL)"),
    ForeignKeyConstraint(["project", "label_id"], [labels.c.project, labels.c.id]),
    Index("fastlabel_annotations_by_item", "item_id", "project", "submission"),
    sqlite_with_rowid=False,
)

# Somebody looked at an item again and says that the label which stands is right.
checks = Table(
    "fastlabel_checks",
    metadata,
    Column("submission", ForeignKey(submissions.c.id), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("project", Integer, nullable=False),
    Column("item_id", Text, CheckConstraint("item_id <> ''"), nullable=False),
    Column("label_id", Integer, nullable=False),
    ForeignKeyConstraint(["project", "label_id"], [labels.c.project, labels.c.id]),
    Index("fastlabel_checks_by_item", "item_id", "project", "submission"),
    sqlite_with_rowid=False,
)

# `value` is JSON: what it means depends on the kind (`classes.py`).
class_events = Table(
    "fastlabel_class_events",
    metadata,
    Column("submission", ForeignKey(submissions.c.id), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("project", Integer, nullable=False),
    Column("label_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    ForeignKeyConstraint(["project", "label_id"], [labels.c.project, labels.c.id]),
)

batches = Table(
    "fastlabel_batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", ForeignKey(projects.c.id), primary_key=True),
    Column("annotator", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("head_version", Integer, nullable=False),
    Column("notice", Text, nullable=False),
    Column("opened_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
)

# The key is what makes two holders of one item impossible, whatever the processes do.
claims = Table(
    "fastlabel_claims",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("project", Integer, primary_key=True, autoincrement=False),
    Column("batch_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    ForeignKeyConstraint(["batch_id", "project"], [batches.c.id, batches.c.project]),
    Index("fastlabel_claims_by_batch", "batch_id", "project"),
)

# The newest head of a project, for all processes on the database, and whose turn it is to train the next one.
heads = Table(
    "fastlabel_heads",
    metadata,
    Column("project", ForeignKey(projects.c.id), primary_key=True),
    Column("revision", Integer, nullable=False, server_default=text("0")),
    Column("event", Integer, nullable=False, server_default=text("0")),
    Column("checkpoint", LargeBinary),
    Column("record", LargeBinary),
    Column("trainer", Text, nullable=False, server_default=text("''")),
    Column("trains_until", Double, nullable=False, server_default=text("0")),
)
