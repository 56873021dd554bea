"""Ground: the vectors of one encoder, with what was copied and found of them, and what makes heads of them.

Another encoder that takes over has another ground, with the same rows: what heads say of the vectors of one never mixes with
what others say of those of another.
"""

from dataclasses import dataclass, field

from fastlabel_gradio.head import Head, HeadMaker
from fastlabel_gradio.pool.candidates import Shortlist
from fastlabel_gradio.pool.copied_rows import CopiedRows
from fastlabel_gradio.pool.out_of_fold import OutOfFold
from fastlabel_gradio.pool.scan import Scan
from fastlabel_gradio.pool.space import NO_EMBEDDINGS, EmbeddingSpace
from fastlabel_gradio.types import Embeddings, Probabilities, Rows


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What heads of one encoder stand on. A head is asked on its own: `Learner.ground_of`.

    Attributes:
        maker: None until the encoder is there.
        copied: embeddings of labeled rows, in memory.
        shortlist: what the newest heads were least sure of in a large pool.
        out_of_fold: what heads said of labeled rows that they were trained without.
    """

    space: EmbeddingSpace | None = None
    maker: HeadMaker | None = None
    copied: CopiedRows = field(default_factory=CopiedRows)
    shortlist: Shortlist = field(default_factory=Shortlist)
    out_of_fold: OutOfFold = field(default_factory=OutOfFold)

    @property
    def scan(self) -> Scan:
        """What the newest heads said of every row."""
        return self.shortlist.scan

    @property
    def embeddings(self) -> Embeddings:
        """float32[rows, dim]: all that there are, as a snapshot."""
        return NO_EMBEDDINGS if self.space is None else self.space.embeddings

    def says(self, head: Head, rows: Rows) -> Probabilities:
        """float32[n, classes], what a head of this ground says of some rows."""
        return head.predict_proba_rows(self.embeddings, rows)
