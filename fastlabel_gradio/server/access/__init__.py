"""Access: who may come in, by which name of this machine, from which page, and with how much.

`guard` puts the checks around the whole app; the other files are one check each.
"""

from fastlabel_gradio.server.access.guard import guarded
from fastlabel_gradio.server.access.hosts import Hosts, host_name
from fastlabel_gradio.server.access.kept_secrets import load_secret, write_tokens
from fastlabel_gradio.server.access.login_entries import Login, check_name, parse_login, roles_of
from fastlabel_gradio.server.access.logins import GUEST_COOKIE, LOCAL_ANNOTATOR, Access, Person, annotator_of, person_of
from fastlabel_gradio.server.access.owner_only import close_to_others, make_files_private
from fastlabel_gradio.server.access.roles import Role, role_named
from fastlabel_gradio.server.access.route_roles import RouteRole, RouteTable

__all__ = [
    "GUEST_COOKIE",
    "LOCAL_ANNOTATOR",
    "Access",
    "Hosts",
    "Login",
    "Person",
    "Role",
    "RouteRole",
    "RouteTable",
    "annotator_of",
    "check_name",
    "close_to_others",
    "guarded",
    "host_name",
    "load_secret",
    "make_files_private",
    "parse_login",
    "person_of",
    "role_named",
    "roles_of",
    "write_tokens",
]
