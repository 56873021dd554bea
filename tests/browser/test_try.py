"""The view Try: a picture is dropped or a sound chosen, and what the head says of it is seen."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect

from tests.browser.label_page import BROWSER_ARGUMENTS, CHROMIUM
from tests.pools import write_pictures
from tests.served import served_here


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("try")
    write_pictures(folder / "pictures", per_class=8)
    return folder


@pytest.fixture(scope="module")
def address(place: Path) -> Iterator[str]:
    """A project of pictures without labels."""
    with served_here([str(place / "pictures"), "--encoder", "pixels"], place / "work") as address:
        yield address


def label_all(page: Page, address: str, ends: str = "/") -> None:
    """Every item, by REST; its class stands in front of these characters."""
    page.evaluate(
        """async ([root, ends]) => {
          const post = (path, body) => fetch(root + path, {method: "POST", body: JSON.stringify(body),
            headers: {"Content-Type": "application/json"}}).then((answer) => answer.json());
          const batch = await (await fetch(root + "/api/next_batch?size=24&fresh=true")).json();
          const labels = batch.items.map(({id}) => ({id, label: id.split(ends)[0]}));
          await post("/api/submit_labels", {batch_id: batch.batch_id, labels});
          await post("/api/train", {});
          while (!(await (await fetch(root + "/api/status")).json()).head.version)
            await new Promise((done) => setTimeout(done, 50));
        }""",
        [address, ends],
    )


def test_a_picture_is_chosen_and_its_class_and_its_like_are_shown(page: Page, address: str, place: Path) -> None:
    page.goto(f"{address}/#view=try")
    chooser = page.get_by_label("Choose a picture")
    picture = place / "pictures" / "red" / "0003.png"
    chooser.set_input_files(picture)
    expect(page.locator(".fl-try-note").filter(has_text="no trained head yet")).to_be_visible()
    label_all(page, address)
    chooser.set_input_files(picture)
    first = page.locator(".fl-try-classes li").first
    expect(first).to_contain_text("red")
    expect(first).to_contain_text("%")
    expect(page.locator(".fl-try-neighbour").first).to_contain_text("red")
    expect(page.locator(".fl-try-shown img")).to_be_visible()
    expect(page.get_by_role("button", name="Add it to the pool")).to_be_disabled()
    expect(page.get_by_text("sub-folders are the classes")).to_be_visible()
    (place / "broken.png").write_bytes(b"no picture")
    chooser.set_input_files(place / "broken.png")
    expect(page.locator(".fl-try-note[data-tone=error]")).to_be_visible()
    expect(page.locator(".fl-try-result")).to_be_hidden()


TONES_HZ = {"low": 300.0, "high": 2500.0}


def _tone(hz: float, seconds: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 0.02, int(seconds * 16_000))
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(len(noise)) / 16_000) + noise).astype(np.float32)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight low and eight high tones in one folder, so that more can be added to it."""
    folder = tmp_path_factory.mktemp("try-sounds")
    (folder / "pool").mkdir()
    for name, hz in TONES_HZ.items():
        for number in range(8):
            soundfile.write(folder / "pool" / f"{name}-{number}.wav", _tone(hz, 1.0, number), 16_000)
        soundfile.write(folder / f"{name}.wav", _tone(hz, 5.0, 99), 16_000)
    return folder


@pytest.fixture(scope="module")
def sound_address(sounds: Path) -> Iterator[str]:
    with served_here(
        [str(sounds / "pool"), "--classes", "low,high", "--encoder", "offline"], sounds / "work"
    ) as address:
        yield address


@contextmanager
def _listening(browser: Browser, address: str, *arguments: str, may_record: bool = True) -> Iterator[Page]:
    """The view Try in a browser of its own, with or without a microphone and the leave to use it."""
    another = browser.browser_type.launch(executable_path=CHROMIUM, args=[*BROWSER_ARGUMENTS, *arguments])
    try:
        page = another.new_context(permissions=["microphone"] if may_record else []).new_page()
        page.goto(f"{address}/#view=try")
        yield page
    finally:
        another.close()


def test_a_sound_is_recorded_seen_and_added_to_the_pool(browser: Browser, sound_address: str, sounds: Path) -> None:
    microphone = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    with _listening(
        browser, sound_address, *microphone, f"--use-file-for-fake-audio-capture={sounds / 'high.wav'}"
    ) as page:
        label_all(page, sound_address, "-")
        page.get_by_role("button", name="Record").dblclick()  # the second click is no second recording, nor its end
        stop = page.get_by_role("button", name="Stop")
        expect(stop).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".fl-try-note")).to_contain_text("Recording, 60 seconds at most.")
        page.wait_for_timeout(1500)  # what is recorded takes its time
        stop.click()
        expect(page.locator(".fl-try-classes li").first).to_contain_text("high")
        expect(page.locator(".fl-try-neighbour").first).to_contain_text("high")
        expect(page.locator(".fl-try-neighbour img").first).to_be_visible()
        expect(page.locator(".fl-try-shown audio")).to_be_visible()
        expect(page.locator(".fl-try-note")).to_have_text("")
        page.get_by_role("button", name="Add it to the pool").click()
        expect(page.locator(".fl-try-note")).to_contain_text("Added as added/recording.wav")
    [added] = (sounds / "pool").rglob("recording*.wav")
    samples, rate_hz = soundfile.read(added)
    assert len(samples) / rate_hz > 1
    spectrum = np.abs(np.fft.rfft(samples - samples.mean()))
    assert np.fft.rfftfreq(len(samples), 1 / rate_hz)[spectrum.argmax()] == pytest.approx(2500, abs=20)


def test_without_a_microphone_or_the_leave_to_use_it_it_is_said_what_to_do(
    browser: Browser, sound_address: str
) -> None:
    device = "--use-fake-device-for-media-stream"
    for arguments, may_record, told in (
        ((), True, "No microphone was found"),
        ((device,), False, "allow it for this page"),
    ):
        with _listening(browser, sound_address, *arguments, may_record=may_record) as page:
            page.get_by_role("button", name="Record").click()
            expect(page.locator(".fl-try-note[data-tone=error]")).to_contain_text(told)
            expect(page.get_by_role("button", name="Record")).to_have_attribute("aria-pressed", "false")


def test_a_recording_that_is_no_sound_and_one_that_is_asked_for_too_late(browser: Browser, sound_address: str) -> None:
    microphone = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    with _listening(browser, sound_address, *microphone) as page:
        record = page.get_by_role("button", name="Record")
        expect(record).to_be_visible()
        page.evaluate("() => { AudioContext.prototype.decodeAudioData = () => Promise.reject(new Error('no sound')); }")
        record.click()
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".fl-try-note[data-tone=error]")).to_contain_text("Nothing was recorded")
        page.evaluate("""() => {
            const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            window.given = [];
            navigator.mediaDevices.getUserMedia = async (wanted) => {
                await new Promise((answer) => { window.answer = answer; });
                window.given.push(await ask(wanted));
                return window.given[0];
            };
        }""")
        record.click()
        page.evaluate("() => { location.hash = 'view=explore'; }")
        expect(record).to_be_hidden()
        page.evaluate("window.answer()")
        page.wait_for_function("window.given[0]?.getTracks().every((track) => track.readyState === 'ended')")
