"""Grounds: the vectors that the heads of one pool stand on, those of the encoder in use and of the one before it."""

from dataclasses import replace
from pathlib import Path

from fastlabel_gradio.config import LoopSettings
from fastlabel_gradio.encoders import Encoder
from fastlabel_gradio.head import Head, HeadMaker
from fastlabel_gradio.loop.head_makers import head_maker
from fastlabel_gradio.pool.candidates import Shortlist
from fastlabel_gradio.pool.cluster_rows import ClusterRows
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.pool.ground import Ground
from fastlabel_gradio.pool.out_of_fold import OutOfFold
from fastlabel_gradio.pool.scan import Scan
from fastlabel_gradio.pool.space import EmbeddingSpace
from fastlabel_gradio.types import LabelSchema


class Grounds:
    """Of one learner, which says when they change.

    Attributes:
        now: of the encoder in use; without a maker until that is there.
        former: of the one before.

    Args:
        folder: where is kept what heads say of the vectors in use.
    """

    def __init__(self, desk: Desk, folder: Path, settings: LoopSettings, device: str) -> None:
        self._store, self._ledger = desk.store, desk.ledger
        self._settings = settings
        self._device = device
        self._scan_file = folder / "scan.safetensors"
        self._out_of_fold_file = folder / "out_of_fold.safetensors"
        self.now = self.former = Ground()

    def of(self, head: Head | None) -> Ground:
        """The vectors that a head is asked about; those of the encoder in use where there is none."""
        former = self.former.maker
        if head is not None and former and head.info.encoder_fingerprint == former.encoder_fingerprint:
            return self.former
        return self.now if self.now.maker else Ground(self._store.space)

    def maker_for(self, encoder: Encoder, schema: LabelSchema, space: EmbeddingSpace) -> tuple[HeadMaker, str]:
        """What makes heads of some vectors, and why class names give no suggestions; "" otherwise."""
        return head_maker(encoder, schema, space, self._settings, self._ledger.audit_mark, self._device)

    def begin(self, space: EmbeddingSpace, maker: HeadMaker) -> None:
        """Those of the encoder in use from now on: what its heads say of the pool is what is kept on disk."""
        shortlist = Shortlist(Scan(self._scan_file, space.on_device, self._on_cluster(space)))
        out_of_fold = OutOfFold(self._out_of_fold_file, space.name)
        self.now = Ground(space, maker, shortlist=shortlist, out_of_fold=out_of_fold)

    def take_over(self, space: EmbeddingSpace, maker: HeadMaker) -> None:
        """As `begin`, after another encoder, whose head answers until there is one of these vectors."""
        self.former = self.now
        self.begin(space, maker)

    def use_maker(self, maker: HeadMaker) -> None:
        """Heads are of other classes from now on, on the same vectors."""
        self.now = replace(self.now, maker=maker)

    def _on_cluster(self, space: EmbeddingSpace) -> ClusterRows | None:
        """The same vectors as a cluster sees them, where the settings name one."""
        address = self._settings.scan_on_ray
        return ClusterRows(address, space.file.absolute(), self._settings.scan_on_ray_above) if address else None
