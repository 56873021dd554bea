"""Batch ids that say what a batch is for, so that its answers are taken in rightly after any stop."""

import secrets

CHECK, VERIFY = "check", "verify"  # as strategies, too: such batches are nobody's next one
ACCEPT = "accept-"  # how ids of submissions begin that accept a campaign's labels
TEACH = "teach"  # in ids, of screens to verify whose labels are trained on


def check_id(campaign: int) -> str:
    """For checks of a campaign."""
    return f"{CHECK}-{campaign}-{secrets.token_hex(8)}"


def verify_id(label_id: int, *, teach: bool) -> str:
    """For items that are all proposed to be of one class.

    Args:
        teach: those that stay as proposed are trained on, too.
    """
    return f"{TEACH if teach else VERIFY}-{label_id}-{secrets.token_hex(8)}"


def accept_id(campaign: int) -> str:
    """Of the submission that accepts a campaign's labels."""
    return f"{ACCEPT}{campaign}"


def campaign_of(batch_id: str) -> int | None:
    """The campaign that a batch checks; None for others."""
    return _number(batch_id, CHECK)


def label_verified_in(batch_id: str) -> int | None:
    """The id of the class that a batch proposes for all of its items and does not teach; None for others."""
    return _number(batch_id, VERIFY)


def label_shown_in(batch_id: str) -> int | None:
    """The id of the class that a batch proposes for all of its items; None for others."""
    label_id = label_verified_in(batch_id)
    return _number(batch_id, TEACH) if label_id is None else label_id


def _number(batch_id: str, kind: str) -> int | None:
    parts = batch_id.split("-")
    is_one = len(parts) == 3 and parts[0] == kind and parts[1].isdecimal()
    return int(parts[1]) if is_one else None
