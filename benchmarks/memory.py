"""Peak resident memory of this process, counted from a moment of one's choice. Linux counts it; elsewhere it is NaN."""

import math
from pathlib import Path

MB_OF_MIB = 2**20 / 1e6
_RESET_PEAK = "5"  # proc(5), /proc/pid/clear_refs
_CLEAR_REFS, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def forget_peak_memory() -> None:
    """Counts the peak from now on."""
    if _CLEAR_REFS.exists():
        _CLEAR_REFS.write_text(_RESET_PEAK, encoding="ascii")


def peak_memory_mib() -> float:
    """The most that was resident at once, pages of memory-mapped files included."""
    if not _STATUS.exists():
        return math.nan
    fields = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="ascii").splitlines())
    return int(fields["VmHWM"].split()[0]) / 1024


def resident_mib() -> tuple[float, float]:
    """What is resident now: in all, and of it the pages of memory-mapped files, which the system may take back."""
    if not _STATUS.exists():
        return math.nan, math.nan
    fields = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="ascii").splitlines())
    whole, files = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssFile"))
    return whole, files
