"""PlacedCampaign: the campaign that goes on, with its items where they lie in the pool now.

A frozen file names items by id and by the row of that time. A project that was restored from a backup, or whose encoder was
changed, has embedded its items anew, in other rows.
"""

import numpy as np

from fastlabel_gradio.finish.campaign import Campaign
from fastlabel_gradio.finish.campaign_files import CampaignFiles
from fastlabel_gradio.pool.pipeline import EmbeddingPipeline
from fastlabel_gradio.pool.store import EmbeddingStore

SETTLED = ("done", "failed")


class PlacedCampaign:
    """One at a time; several threads may look it up, and find the same."""

    def __init__(self, files: CampaignFiles, store: EmbeddingStore, pipeline: EmbeddingPipeline) -> None:
        self._files = files
        self._store = store
        self._pipeline = pipeline
        self._found: tuple[Campaign, tuple[str, int]] | None = None

    def of(self, number: int) -> Campaign:
        """The campaign of that number. Raises StoreError where its file is gone or damaged."""
        now, known = self._place(), self._found
        if known is not None and known[0].terms.number == number and self._holds(*known, now):
            return known[0]
        frozen = known[0] if known is not None and known[0].terms.number == number else self._files.load(number)
        self._found = self._placed(frozen), now
        return self._found[0]

    def is_complete(self, number: int) -> bool:
        """Whether no item is missing that may still be embedded."""
        return self._is_settled or not (self.of(number).rows < 0).any()

    @property
    def _is_settled(self) -> bool:
        return self._pipeline.progress.state in SETTLED

    def _place(self) -> tuple[str, int]:
        """What rows depend on: the encoder, and how much it has embedded, which while it goes on is not looked at."""
        encoder = self._pipeline.encoder
        return encoder.fingerprint if encoder else "", len(self._store) if self._is_settled else -1

    def _holds(self, campaign: Campaign, then: tuple[str, int], now: tuple[str, int]) -> bool:
        """Whether nothing can have moved, or been found, since then."""
        return now == then or (now[0] == then[0] and not (campaign.rows < 0).any())

    def _placed(self, campaign: Campaign) -> Campaign:
        item_ids = self._files.item_ids(campaign.terms.number)
        row_of = self._store.rows_of(item_ids)
        return campaign.at(np.fromiter((row_of.get(one, -1) for one in item_ids), np.int64, len(item_ids)))
