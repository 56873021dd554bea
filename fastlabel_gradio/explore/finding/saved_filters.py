"""Saved filters: queries under a name, for everybody who works on the pool. A small file beside its labels."""

import json
import threading
from pathlib import Path

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.errors import InvalidQueryError, StoreError, shown
from fastlabel_gradio.pool.query import Query

FILE = "saved_filters.json"
MAX_FILTERS = 200


class SavedFilters:
    """The filters of one folder. May be used from any thread; one program at a time writes there."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()

    def all(self) -> dict[str, Query]:
        """By name, in the order of the names."""
        with self._lock:
            return self._read()

    def put(self, name: str, query: Query | None) -> dict[str, Query]:
        """Keeps a query under a name, in place of the one that it had; None drops it. Returns all of them.

        Raises:
            InvalidQueryError: there are MAX_FILTERS already, or none of that name to drop. StoreError: the disk refuses.
        """
        with self._lock:
            filters = self._read()
            if query is not None:
                filters[name] = query
            elif filters.pop(name, None) is None:
                raise InvalidQueryError(
                    f"there is no filter {shown(name)} to drop. Known: {', '.join(filters) or 'none'}."
                )
            if len(filters) > MAX_FILTERS:
                raise InvalidQueryError(f"there are {MAX_FILTERS} saved filters already. Drop one first.")
            self._write(filters)
            return dict(sorted(filters.items()))

    def _read(self) -> dict[str, Query]:
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: Query.model_validate(query) for name, query in sorted(known.items())}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            raise StoreError(f"{self._path} cannot be read: {error}. Repair it, or delete it.") from error

    def _write(self, filters: dict[str, Query]) -> None:
        known = {name: query.model_dump(mode="json", exclude_defaults=True) for name, query in filters.items()}
        try:
            write_atomically(self._path, json.dumps(known, ensure_ascii=False, indent=1).encode())
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error}. Make room on its disk.") from error
