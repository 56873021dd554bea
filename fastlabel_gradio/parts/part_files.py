"""Part files: some items with their vectors in one Parquet file, and the facts that hold for all parts of a place.

A place holds `part-….parquet` files, `embedding.json` (whose vectors they are), what an encoder learned of the pool, and
`complete.json` once every item that was listed is in a part.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b

import numpy as np
from jaxtyping import Bool

from fastlabel_gradio.errors import ConfigError, StoreError
from fastlabel_gradio.parts.places import UNFINISHED, Place
from fastlabel_gradio.types import EmbeddedItem, Embeddings, Item

FACTS, COMPLETE, PART = "embedding.json", "complete.json", ".parquet"


@dataclass(frozen=True, slots=True)
class Facts:
    """What all parts of a place have in common.

    Attributes:
        encoder: its registered name.
        fingerprint: of its vectors of this pool: `Encoder.space`.
        dim: numbers of a vector.
        learned_file: the file beside the parts with what it learned of the pool; "" for an encoder that learns nothing.
    """

    encoder: str
    fingerprint: str
    dim: int
    learned_file: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a part: items with a vector in the order of the vectors, and items that cannot be read, with the reason.

    Attributes:
        groups: of the items with a vector, None where the source knows none.
        vectors: float32[len(embedded), dim], L2-normalised.
    """

    embedded: Sequence[EmbeddedItem]
    groups: Sequence[str | None]
    vectors: Embeddings
    unreadable: Sequence[tuple[Item, str]] = ()


class DoneItems:
    """Which items are in the parts of a place, by a 64-bit hash of id and stamp: 8 bytes an item."""

    def __init__(self, place: Place) -> None:
        keys = [np.array(_keys_of(part_items(place, name)), dtype=np.uint64) for name in parts_of(place)]
        self._keys = np.sort(np.concatenate([np.empty(0, dtype=np.uint64), *keys]))

    def __len__(self) -> int:
        return len(self._keys)

    def holds(self, items: Sequence[Item]) -> Bool[np.ndarray, " items"]:
        """Whether each item, with its stamp, is in a part."""
        keys = np.array(_keys_of(items), dtype=np.uint64)
        return np.searchsorted(self._keys, keys, "right") > np.searchsorted(self._keys, keys, "left")


def read_facts(place: Place) -> Facts | None:
    """The facts of a place; None where nothing was written there yet. Raises ConfigError: another version's, or damaged."""
    content = place.read(FACTS)
    if content is None:
        return None
    try:
        return Facts(**json.loads(content))
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{place.address}: {FACTS} is damaged ({error}). Choose another folder.") from error


def write_facts(place: Place, facts: Facts, learned: bytes = b"") -> None:
    """Begins a place. What the encoder learned comes first: whoever finds the facts finds it too."""
    if facts.learned_file:
        place.write(facts.learned_file, learned)
    place.write(FACTS, json.dumps(asdict(facts), indent=2).encode())


def is_complete(place: Place) -> bool:
    """Whether all items that the last listing found are in parts."""
    return place.read(COMPLETE) is not None


def begin(place: Place) -> None:
    """From here on parts come: the place is not complete. Files that a killed program left half written are deleted."""
    place.delete(COMPLETE)
    for name in place.names(UNFINISHED):
        place.delete(name)


def complete(place: Place, items: int) -> None:
    """Says that all listed items are in parts."""
    place.write(COMPLETE, json.dumps({"items": items}).encode())


def parts_of(place: Place) -> list[str]:
    """The names of the parts."""
    return list(place.names(PART))


def part_name(items: Sequence[Item], fingerprint: str) -> str:
    """The same for the same items, stamps and encoder."""
    digest = blake2b(fingerprint.encode(), digest_size=12)
    for item in items:
        digest.update(_bytes_of(item))
    return f"part-{digest.hexdigest()}{PART}"


def write_part(place: Place, name: str, part: Part, fingerprint: str) -> None:
    """Writes columns id, stamp, content_key, group, vector, fingerprint, reason; the last is null where there is a vector."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    items = [entry.item for entry in part.embedded] + [item for item, _ in part.unreadable]
    nothing = [None] * len(part.unreadable)
    table = pa.table(
        {
            "id": pa.array([item.id for item in items], pa.string()),
            "stamp": pa.array([item.stamp for item in items], pa.string()),
            "content_key": pa.array([entry.content_key for entry in part.embedded] + nothing, pa.string()),
            "group": pa.array([*part.groups, *nothing], pa.string()),
            "vector": _vector_column(part.vectors, len(nothing)),
            "fingerprint": pa.array([fingerprint] * len(items), pa.string()),
            "reason": pa.array([None] * len(part.embedded) + [why for _, why in part.unreadable], pa.string()),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", use_dictionary=["fingerprint", "group", "reason"])
    place.write(name, buffer.getvalue())


def read_part(place: Place, name: str) -> Part:
    """Raises StoreError where it is no part, or was deleted meanwhile."""
    import pyarrow.compute as pc

    table = _table(place, name, ["id", "stamp", "content_key", "group", "vector", "reason"])
    good, bad = table.filter(pc.is_null(table["reason"])), table.filter(pc.is_valid(table["reason"]))
    flat = good["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    entries = [
        EmbeddedItem(Item(id_, stamp), key)
        for id_, stamp, key in zip(
            *(good[column].to_pylist() for column in ("id", "stamp", "content_key")), strict=True
        )
    ]
    vectors = np.asarray(flat, dtype=np.float32).reshape(len(entries), -1 if len(entries) else 0)
    unreadable = [
        (Item(id_, stamp), why)
        for id_, stamp, why in zip(*(bad[column].to_pylist() for column in ("id", "stamp", "reason")), strict=True)
    ]
    return Part(entries, good["group"].to_pylist(), vectors, unreadable)


def part_items(place: Place, name: str) -> list[Item]:
    """The items of a part, those that cannot be read too. Raises StoreError."""
    table = _table(place, name, ["id", "stamp"])
    return [Item(id_, stamp) for id_, stamp in zip(*(column.to_pylist() for column in table.columns), strict=True)]


def _table(place: Place, name: str, columns: list[str]):  # type: ignore[no-untyped-def]  # pyarrow has no types
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = place.read(name)
    if content is None:
        raise StoreError(f"{place.address}: {name} is not there any more.")
    try:
        return pq.read_table(pa.BufferReader(content), columns=columns).select(columns)
    except (pa.ArrowException, KeyError) as error:
        raise StoreError(
            f"{place.address}: {name} is no part of `fastlabel embed` ({str(error).splitlines()[0]}). Delete it."
        ) from error


def _vector_column(vectors: Embeddings, nulls: int):  # type: ignore[no-untyped-def]
    """One list of numbers a vector, and nulls behind them."""
    import pyarrow as pa

    count, dim = vectors.shape
    offsets = np.minimum(np.arange(count + nulls + 1), count) * dim
    is_null = np.arange(count + nulls) >= count
    values = pa.array(np.ascontiguousarray(vectors).ravel(), pa.float32())
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, mask=pa.array(is_null))


def _keys_of(items: Sequence[Item]) -> list[int]:
    return [int.from_bytes(blake2b(_bytes_of(item), digest_size=8).digest()) for item in items]


def _bytes_of(item: Item) -> bytes:
    return f"{item.id}\0{item.stamp}\0".encode("utf-8", "surrogateescape")
