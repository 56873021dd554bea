"""EmbeddingProgress: how far a pool's embedding is, for the screen."""

from dataclasses import dataclass
from typing import Literal

from fastlabel_gradio.pool.encoder_change import ChangeProgress

State = Literal["starting", "loading", "fitting", "embedding", "done", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class EmbeddingProgress:
    """How far the pipeline is.

    Attributes:
        done: items embedded. total: items of the pool that can be read, as far as scanned.
        scanning: the source is still being listed for the first time, so total grows.
        rescanning: it is being listed again. scans: how often it was listed since the start, failures counted.
        scan_changes: what the newest rescan found, "" for nothing. scan_notice: why it failed; nothing left the pool then.
        rate_per_s: items a second over the last 20 s. eta_s: seconds left at that rate, None while unknown.
        encoder: its name, "" until loaded. licence: of its weights, "" where none is named.
        notice: what to know of it, in a line; notice_why: more of that, the reason. error: why it failed.
        shortage: what it waits for, "" while it does not: room on the disk, memory, free file descriptors.
        change: of the encoder; None where none was asked for.
    """

    state: State = "starting"
    done: int = 0
    total: int = 0
    scanning: bool = True
    rate_per_s: float = 0.0
    eta_s: float | None = None
    encoder: str = ""
    licence: str = ""
    notice: str = ""
    notice_why: str = ""
    error: str = ""
    shortage: str = ""
    rescanning: bool = False
    scans: int = 0
    scan_changes: str = ""
    scan_notice: str = ""
    change: ChangeProgress | None = None
