"""check_origin: what a page of another site may send."""

from fastapi import HTTPException
from starlette.datastructures import Headers

from fastlabel_gradio.server.access.origins import check_origin
from tests.cases import each

HOST = {"host": "127.0.0.1:7860"}


def is_let_in(headers: dict[str, str], *, may_be_entered: bool = False) -> bool:
    try:
        check_origin(Headers({**HOST, **headers}), may_be_entered=may_be_entered)
    except HTTPException as error:
        assert error.status_code == 403
        return False
    return True


@each(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:7860"},
        {"origin": "HTTP://127.0.0.1:7860", "host": "127.0.0.1:7860"},
        {"origin": "https://label.example.org", "host": "Label.example.org"},
        {"sec-fetch-site": "same-origin", "origin": "https://label.example.org"},
        {"sec-fetch-site": "none"},
        {"referer": "http://[::1"},
    ],
)
def test_a_script_and_the_own_page_are_let_in(headers: dict[str, str]) -> None:
    assert is_let_in(headers)


@each(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:7861"},
        {"origin": "http://127.0.0.1:7860.evil.example"},
        {"origin": "http://127.0.0.1:7860@evil.example"},
        {"origin": "http://evil.example/127.0.0.1:7860"},
        {"origin": "chrome-extension://abcdef"},
        {"origin": "file://127.0.0.1:7860"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "nonsense"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:7860"},
    ],
)
def test_another_site_is_refused(headers: dict[str, str]) -> None:
    assert not is_let_in(headers)


@each("origin", ["http://[::1", "http://[", "http://a:b", "http://a:99999", "://", "http://", "[", "\x00"])
@each("site", [{}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "cross-site"}])
def test_an_origin_that_is_none_is_refused(origin: str, site: dict[str, str]) -> None:
    assert not is_let_in({"origin": origin, **site})
    assert not is_let_in({"origin": origin, **site}, may_be_entered=True)


def test_a_link_on_another_site_opens_the_page_and_nothing_else_does() -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert is_let_in(link, may_be_entered=True)
    assert not is_let_in(link)
    assert not is_let_in({**link, "sec-fetch-mode": "no-cors"}, may_be_entered=True)
    assert not is_let_in({**link, "origin": "https://evil.example"}, may_be_entered=True)
