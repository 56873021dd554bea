"""Hosts: which Host headers lead to the app, and which are a foreign name that was made to."""

import socket

import pytest
from fastapi import HTTPException
from starlette.datastructures import Headers

from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.server.access import Hosts
from tests.cases import each


def answers(hosts: Hosts, *given: str, **others: str) -> int:
    """200, or the status that a request with these Host headers is refused with."""
    raw = [(b"host", host.encode("latin-1")) for host in given]
    raw += [(name.replace("_", "-").encode(), value.encode()) for name, value in others.items()]
    try:
        hosts.check(Headers(raw=raw))
    except HTTPException as error:
        return error.status_code
    return 200


@each(
    "host",
    ["127.0.0.1", "127.0.0.1:7860", "localhost", "localhost:1", "LocalHost:7860", "localhost.", "[::1]", "[::1]:7860"],
)
def test_this_machine_is_answered_on_any_port(host: str) -> None:
    assert answers(Hosts("127.0.0.1"), host) == 200


@each(
    "host",
    [
        *("a{b}.example", "a`b.example", 'a"b.example', "a'b.example", "a b.example", "a\\b", "a%2eb", "a|b", "a<b>"),
        *("evil.example", "evil.example:7860", "127.0.0.1.evil.example", "localhost.evil.example", "xlocalhost"),
        *("", ":7860", "127.0.0.1:7860:1", "127.0.0.1:x", "127.0.0.1:999999", "localhost..", "localhost,evil.example"),
        *("evil.example@127.0.0.1", "127.0.0.1@evil.example", "127.0.0.1/evil", "http://127.0.0.1", "[::1", "::1"),
        *("[::2]", "[]", "0.0.0.0", "2130706433", "127.1", "192.168.1.7", "løcalhost", "127.0.0.1\n", "\xff"),
    ],
)
def test_any_other_name_is_refused_where_only_this_machine_is_served(host: str) -> None:
    assert answers(Hosts("127.0.0.1"), host) == 403


def test_a_request_without_a_host_or_with_two_is_refused() -> None:
    assert answers(Hosts("127.0.0.1")) == 400
    assert answers(Hosts("127.0.0.1"), "127.0.0.1", "evil.example") == 400
    assert answers(Hosts("127.0.0.1"), "127.0.0.1", "127.0.0.1") == 400


@each("listens_on", ["0.0.0.0", "::", "192.168.1.7"])
def test_a_network_is_answered_by_every_address_and_the_machine_s_names(listens_on: str) -> None:
    hosts = Hosts(listens_on)
    machine = socket.gethostname()
    for host in ("192.168.1.7:7860", "[2001:db8::1]:7860", "localhost", machine, f"{machine.partition('.')[0]}.local"):
        assert answers(hosts, host) == 200
    for host in ("evil.example", "192.168.1.7.evil.example", "192.168.1", "[192.168.1.7", "999.1.1.1"):
        assert answers(hosts, host) == 403


def test_further_names_are_those_that_were_given_and_no_others() -> None:
    hosts = Hosts("127.0.0.1", ["Label.Example.org"])
    assert answers(hosts, "label.example.org") == answers(hosts, "LABEL.example.org.:443") == 200
    assert answers(hosts, "other.example.org") == answers(hosts, "x.label.example.org") == 403
    hosts.add("a1b2.gradio.live")
    assert answers(hosts, "a1b2.gradio.live") == 200
    assert answers(hosts, "c3d4.gradio.live") == 403


@each("name", ["https://label.example.org/", "label.example.org/x", "*.example.org", "a b", ""])
def test_a_name_that_can_be_none_is_refused_at_the_start(name: str) -> None:
    with pytest.raises(ConfigError, match="no host name"):
        Hosts("127.0.0.1", [name])


def test_a_forwarded_name_that_gradio_would_stumble_over_is_refused() -> None:
    assert answers(Hosts("127.0.0.1"), "127.0.0.1", x_forwarded_host="label.example.org, 10.0.0.1:80") == 200
    for name in ("http://[::1", "a{b}", "", "a,,b"):
        assert answers(Hosts("127.0.0.1"), "127.0.0.1", x_forwarded_host=name) == 400


def test_what_is_shown_of_a_long_name_is_cut() -> None:
    with pytest.raises(HTTPException) as refused:
        Hosts("127.0.0.1").check(Headers(raw=[(b"host", b"a" * 50_000)]))
    assert len(refused.value.detail) < 300
