"""Which names somebody sees: a reviewer and an owner all of them, everybody else only their own."""

from collections.abc import Iterable

from fastapi import HTTPException

from fastlabel_gradio.server.access.logins import Person
from fastlabel_gradio.server.access.roles import Role, roles_from

SEES_NAMES = Role.REVIEWER


def sees(person: Person, name: str) -> bool:
    """Whether somebody may know that it was this one who said something."""
    return name == person.name or person.role.covers(SEES_NAMES)


def check_names(person: Person, names: Iterable[str]) -> None:
    """Raises HTTPException 403 where a query asks for what others said, by their name."""
    if not all(sees(person, name) for name in names):
        raise HTTPException(
            403,
            f"What other people said is shown to a {roles_from(SEES_NAMES)}. Leave 'annotators' out, or ask for your own.",
        )
