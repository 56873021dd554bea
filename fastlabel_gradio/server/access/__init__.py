"""Access: who may come in, by which name of this machine, from which page, and with how much.

`guard` puts the checks around the whole app; the other files are one check each.
"""

from fastlabel_gradio.server.access.guard import guarded
from fastlabel_gradio.server.access.hosts import Hosts, host_name
from fastlabel_gradio.server.access.hub_users import HUB_USERS_VARIABLE, hub_users
from fastlabel_gradio.server.access.invite_command import SECRET_FILE, invites_of
from fastlabel_gradio.server.access.invites import LOCAL_ANNOTATOR, Invite, Invites
from fastlabel_gradio.server.access.login_entries import Login, check_name, parse_login, roles_of
from fastlabel_gradio.server.access.logins import GUEST_COOKIE, Access, Person, access_of, annotator_of, person_of
from fastlabel_gradio.server.access.names_seen import check_names, sees
from fastlabel_gradio.server.access.owner_only import close_to_others, make_files_private
from fastlabel_gradio.server.access.roles import Role, role_named
from fastlabel_gradio.server.access.route_roles import RouteRole, RouteTable
from fastlabel_gradio.server.access.secret_files import load_secret, write_tokens
from fastlabel_gradio.server.access.served import forget_served, write_served

__all__ = [
    "GUEST_COOKIE",
    "HUB_USERS_VARIABLE",
    "LOCAL_ANNOTATOR",
    "SECRET_FILE",
    "Access",
    "Hosts",
    "Invite",
    "Invites",
    "Login",
    "Person",
    "Role",
    "RouteRole",
    "RouteTable",
    "access_of",
    "annotator_of",
    "check_name",
    "check_names",
    "close_to_others",
    "forget_served",
    "guarded",
    "host_name",
    "hub_users",
    "invites_of",
    "load_secret",
    "make_files_private",
    "parse_login",
    "person_of",
    "role_named",
    "roles_of",
    "sees",
    "write_served",
    "write_tokens",
]
