"""Roles: how much somebody may. Each may do what the ones below may, and more."""

from enum import StrEnum

from fastlabel_gradio.errors import ConfigError, shown


class Role(StrEnum):
    VIEWER = "viewer"
    ANNOTATOR = "annotator"
    REVIEWER = "reviewer"
    OWNER = "owner"

    def covers(self, least: "Role") -> bool:
        """Whether this role may do what is for `least` and those above."""
        return _RISING.index(self) >= _RISING.index(least)


_RISING = tuple(Role)


def role_named(text: str) -> Role:
    """The role of that name. Raises ConfigError."""
    try:
        return Role(text)
    except ValueError:
        raise ConfigError(f"{shown(text)} is no role. Roles: {', '.join(reversed(_RISING))}.") from None


def roles_from(least: Role) -> str:
    """Who may, in words: "reviewer or owner"."""
    return " or ".join(role for role in _RISING if role.covers(least))
