"""PlacedCampaign: the campaign that goes on, with its items where they lie in the pool now.

A frozen file names items by id and by the row of that time. A project that was restored from a backup embeds its items anew,
in other rows.
"""

from dataclasses import replace

from fastlabel_gradio.finish.campaign import Campaign
from fastlabel_gradio.finish.campaign_files import CampaignFiles
from fastlabel_gradio.pool.known_rows import KnownRows
from fastlabel_gradio.pool.pipeline import EmbeddingPipeline
from fastlabel_gradio.pool.store import EmbeddingStore

SETTLED = ("done", "failed")


class PlacedCampaign:
    """One at a time; several threads may look it up, and find the same."""

    def __init__(self, files: CampaignFiles, store: EmbeddingStore, pipeline: EmbeddingPipeline) -> None:
        self._files = files
        self._store = store
        self._pipeline = pipeline
        self._found: tuple[Campaign, int] | None = None

    def begin(self, frozen: Campaign) -> None:
        """Goes on with a campaign that was frozen just now: its items lie where they did."""
        self._found = frozen, self._embedded

    def of(self, number: int) -> Campaign:
        """The campaign of that number. Raises StoreError where its file is gone or damaged."""
        now, known = self._embedded, self._found
        if known is None or known[0].terms.number != number:
            return self._placed(self._files.load(number), now)
        campaign, then = known
        return self._placed(campaign, now) if now != then and (campaign.rows < 0).any() else campaign

    def is_complete(self, number: int) -> bool:
        """Whether no item is missing that may still be embedded."""
        return self._is_settled or not (self.of(number).rows < 0).any()

    @property
    def _is_settled(self) -> bool:
        return self._pipeline.progress.state in SETTLED

    @property
    def _embedded(self) -> int:
        """Rows of the pool; -1 while it is embedded: what is still missing is looked for once, at the end."""
        return len(self._store) if self._is_settled else -1

    def _placed(self, campaign: Campaign, now: int) -> Campaign:
        item_ids = self._files.item_ids(campaign.terms.number)
        found = replace(campaign, rows=KnownRows(self._store).find(item_ids, len(self._store)))
        self._found = found, now
        return found
