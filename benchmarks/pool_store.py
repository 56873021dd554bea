"""The store of a pool of made-up items, written at once: what the pipeline would write in blocks, each durably.

Rows of tables go in by the order of their keys, in one transaction without a journal, and indexes are made at the end.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from fastlabel_gradio.pool.item_index import shuffle_keys
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.types import Embeddings, Rows

BLOCK_ROWS = 100_000
CACHE_KIB = 500_000


def write_store(folder: Path, vectors: Embeddings, space: str) -> None:
    """Fills the store of a project that has no item yet, with the items "0", "1", … in the order in which it embeds them.

    Args:
        folder: of the project.
        vectors: float32[items, dim] by number, mapped or in memory.
        space: of the encoder.
    """
    with closing(EmbeddingStore(folder)) as store:
        store.use_encoder(space, vectors.shape[1])
    keys = shuffle_keys([str(number) for number in range(len(vectors))])
    order = np.argsort(keys, kind="stable")
    _write_index(folder / "pool.sqlite", keys, order, space)
    with (folder / f"{space}.f32").open("r+b") as file:
        for start in range(0, len(order), BLOCK_ROWS):
            file.write(np.ascontiguousarray(vectors[order[start : start + BLOCK_ROWS]], dtype="<f4").data)
    with closing(EmbeddingStore(folder)) as store:
        store.use_encoder(space, vectors.shape[1])  # gives the file its room for more rows, and checks its numbers


def _write_index(file: Path, keys: Rows, order: Rows, space: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as index:
        index.execute("PRAGMA journal_mode=OFF")
        index.execute("PRAGMA synchronous=OFF")
        index.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        made = "FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('items', 'rows')"
        indexes = index.execute(f"SELECT name, sql {made}").fetchall()
        index.execute("BEGIN EXCLUSIVE")
        for name, _ in indexes:
            index.execute(f"DROP INDEX {name}")
        index.executemany("INSERT INTO items (id, stamp, shuffle_key, scan) VALUES (?, '', ?, 0)", _items(keys))
        [(encoder,)] = index.execute("SELECT id FROM encoders WHERE fingerprint = ?", (space,))
        rows = "INSERT INTO rows (encoder, row, item_id, stamp, content_key) VALUES (?, ?, ?, '', ?)"
        index.executemany(rows, ((encoder, row, str(number), f"id {number}") for row, number in _rows(order)))
        for _, sql in indexes:
            index.execute(sql)
        index.execute("COMMIT")


def _items(keys: Rows) -> Iterator[tuple[str, int]]:
    """Ids with their shuffle keys, by id."""
    by_id = np.argsort(np.arange(len(keys)).astype("S"), kind="stable")
    for start in range(0, len(keys), BLOCK_ROWS):
        block = by_id[start : start + BLOCK_ROWS]
        yield from zip(map(str, block.tolist()), keys[block].tolist(), strict=True)


def _rows(order: Rows) -> Iterator[tuple[int, int]]:
    """Each row with the number of its item."""
    for start in range(0, len(order), BLOCK_ROWS):
        yield from enumerate(order[start : start + BLOCK_ROWS].tolist(), start)
