"""The page of a project of sounds as a test drives it, and what its player does."""

from typing import TYPE_CHECKING, Any

from tests.browser.label_page import LabelPage, expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


class SoundPage(LabelPage):
    """One project of sounds. Remembers which sounds the page asked for."""

    def __init__(self, page: "Page", address: str, project: str = "audio") -> None:
        super().__init__(page, address, project)
        self.asked: list[str] = []
        page.on("request", lambda request: "/item/" in request.url and self.asked.append(request.url))

    def media(self, name: str) -> Any:
        """A property of the media element."""
        return self.page.evaluate("(name) => window.fastlabel.player.media[name]", name)

    def wait_for_media(self, condition: str) -> None:
        """Waits until an expression holds, where `media` is the media element."""
        self.page.wait_for_function(f"(() => {{ const {{ media }} = window.fastlabel.player; return {condition}; }})()")

    def wait_until_heard(self, beyond_s: float = 0.0) -> None:
        """Waits until the sound has been playing, and its time is beyond that."""
        self.wait_for_media(f"!media.paused && media.currentTime > {beyond_s}")

    def play_button(self, index: int) -> "Locator":
        return self.cards.nth(index).locator(".fl-play")

    def expect_state(self, index: int, state: str) -> None:
        """`stopped`, `loading` or `playing`; the others are stopped."""
        expect(self.play_button(index)).to_have_attribute("data-state", state)
        expect(self.grid.locator(".fl-card .fl-play:not([data-state=stopped])")).to_have_count(int(state != "stopped"))

    def place(self, picture: "Locator", fraction: float) -> dict[str, float]:
        """Where to click for that moment of a spectrogram, away from its buttons."""
        box = picture.bounding_box() or {"width": 0.0, "height": 0.0}
        return {"x": box["width"] * fraction, "y": box["height"] / 2}

    def click_at(self, index: int, fraction: float) -> None:
        picture = self.cards.nth(index).locator(".fl-picture")
        picture.click(position=self.place(picture, fraction))  # type: ignore[arg-type]

    def duration(self, index: int) -> float:
        seconds: float = self.rest.get("next_batch")["items"][index]["duration_s"]
        return seconds

    def cursor(self, index: int) -> float:
        """The place of the cursor on the spectrogram, 0 to 1."""
        shift: float = self.cards.nth(index).evaluate(
            """(card) => {
              const [cursor, picture] = [".fl-cursor", ".fl-picture"].map((part) => card.querySelector(part));
              return new DOMMatrix(getComputedStyle(cursor).transform).e / picture.clientWidth;
            }"""
        )
        return shift

    def ruler(self, index: int) -> list[str]:
        """The times below a spectrogram that can be seen."""
        return self.cards.nth(index).locator(".fl-tick-text:visible").all_text_contents()
