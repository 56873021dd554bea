"""Any source with a random part of it held out as a test part."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from fastlabel_gradio.errors import ConfigError, SourceError
from fastlabel_gradio.sources.base import SOURCES, Source, SourceOptions, open_source
from fastlabel_gradio.sources.groups import KEYS, draw_groups, group_key
from fastlabel_gradio.types import Item, LeftOut, Media


class SplitOptions(SourceOptions):
    """Which source, and how much of it to hold out.

    Attributes:
        of: the `source:` block of the whole, with its `kind`.
        test_share: the part of its items that is held out, 0 to 1; of its groups, where it knows groups.
        seed: another one holds out others.
    """

    of: dict[str, Any]
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    seed: int = 0


@SOURCES.register("split")
class Split(Source):
    """The items of another source but for a random share, which is held out.

    An item's part depends on its id alone. Where the source knows groups, whole groups are held out: it is listed once to
    know them.
    """

    Options = SplitOptions

    def __init__(self, options: SplitOptions, base_dir: Path, cache_dir: Path) -> None:
        inner = dict(options.of)
        if "kind" not in inner:
            raise ConfigError("source 'split': `of` needs a `kind`, as every source has.")
        self._whole = open_source(inner.pop("kind"), inner, base_dir, cache_dir)
        self._options = options
        self.medium = self._whole.medium
        self.grouping = self._whole.grouping
        self._held_out_count = 0
        self.sound_view = self._whole.sound_view
        self.window = self._whole.window
        self.left_out_nouns = self._whole.left_out_nouns

    def scan(self) -> Iterator[Item]:
        held_out = 0
        for item in self._whole.scan():
            if self._is_in_share(item.id):
                held_out += 1
            else:
                yield item
        self._held_out_count = held_out

    def left_out(self) -> Sequence[LeftOut]:
        """The held-out share, once a scan has come to its end, and what the whole source leaves out itself."""
        why = f"kept out as a random test part (test_share {self._options.test_share})"
        own = [LeftOut("test share", why, self._held_out_count)] if self._held_out_count else []
        return [*own, *self._whole.left_out()]

    def held_out(self) -> Iterator[Item]:
        """The held-out share, then what the whole source holds out itself."""
        yield from (item for item in self._whole.scan() if self._is_in_share(item.id))
        yield from self._whole.held_out()

    def is_held_out(self, item_id: str) -> bool:
        return self._is_in_share(item_id) or self._whole.is_held_out(item_id)

    def read(self, item: Item, resolution: int | None = None) -> Media:
        return self._whole.read(item, resolution)

    def content_key(self, item: Item) -> str:
        return self._whole.content_key(item)

    def file(self, item: Item) -> Path | None:
        return self._whole.file(item)

    def recording(self, item: Item) -> Path | None:
        return self._whole.recording(item)

    def exported_path(self, item: Item) -> str:
        return self._whole.exported_path(item)

    @property
    def notice(self) -> str:
        return self._whole.notice

    def classes(self) -> tuple[str, ...]:
        return self._whole.classes()

    def why_no_classes(self) -> str:
        return self._whole.why_no_classes()

    def reference_label(self, item: Item) -> str | None:
        return self._whole.reference_label(item)

    def group_of(self, item: Item) -> str | None:
        return self._whole.group_of(item)

    def _is_in_share(self, item_id: str) -> bool:
        group = self._whole.group_of(Item(item_id, "")) if self.grouping else None
        if group is not None:
            key, share = group_key(group, f"{self._options.seed}"), self._options.test_share
            return self._held_out_groups.get(key, key < share * KEYS)
        digest = blake2b(f"{self._options.seed}\n{item_id}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
        return int.from_bytes(digest) < self._options.test_share * 2**64

    @cached_property
    def _held_out_groups(self) -> dict[int, bool]:
        """For each group by its key whether it is held out. Raises SourceError where that would be none."""
        groups = (self._whole.group_of(item) for item in self._whole.scan())
        sizes = Counter(group_key(group, f"{self._options.seed}") for group in groups if group is not None)
        share = self._options.test_share
        drawn = draw_groups(sizes, share, least=max(1, round(share * len(sizes))))
        if not any(drawn.values()):
            noun = self.grouping.noun if self.grouping else "groups"
            raise SourceError(
                f"source 'split': no test part can be held out of {len(sizes)} {noun}, none of which has less than half of "
                "the items. Add others, or group more finely."
            )
        return drawn
