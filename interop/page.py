"""The echo page in a browser, used as a person would: opened, typed into, read."""

import base64
import contextlib
import signal
import subprocess

import png
from chromium import Chromium, Page
from peers import PATIENCE, ROOT, WORK, bounded

LINE = "Grüße from a browser"
SIZE = (800, 600)
STATE = "document.getElementById('state').textContent"
ECHOES = "[...document.querySelectorAll('#echoes li')].map(line => line.textContent)"
# What the server says of a connection on which nothing was asked, and of one that it ended while it waited for that.
UNUSED = (
    ": the client did not complete the handshake in time",
    ": the client ended the connection before its request was complete",
)
PLACE = """(({x, y, width, height}) => [x, y, width, height].map(Math.floor))
    (document.querySelector('#echoes').getBoundingClientRect())"""


def check(browser, server, scheme):
    """Runs the server, and uses its page; returns where the screenshot is. Fails where something is otherwise."""
    with serving(server) as (process, url), opened(browser) as page:
        assert url.startswith(f"{scheme}://"), url
        page.load("Page.navigate", url=url.replace("ws", "http", 1))
        page.until(STATE, lambda state: state.startswith(f"Connected to {url}"))
        before = screenshot(page)

        for character in LINE:
            page.call("Input.dispatchKeyEvent", type="char", text=character)
        assert page.evaluate("document.getElementById('text').value") == LINE
        for event in ("keyDown", "keyUp"):
            page.call("Input.dispatchKeyEvent", type=event, key="Enter", code="Enter", text="\r",
                      windowsVirtualKeyCode=13)
        page.until(ECHOES, lambda echoes: echoes == [LINE])
        after = screenshot(page)
        check_screenshots(before, after, page.evaluate(PLACE))
        kept = WORK / f"page-{scheme}.png"
        kept.write_bytes(after)

        # What crossed the wire, as the browser tells it.
        handshake, = page.events("Network.webSocketHandshakeResponseReceived")
        assert handshake["response"]["status"] == 101, handshake
        for event in ("Network.webSocketFrameSent", "Network.webSocketFrameReceived"):
            frames = [frame["response"]["payloadData"] for frame in page.events(event)]
            assert frames == [LINE], (event, frames)

        # Either end closes, and the other gets to see why.
        page.evaluate("socket.close(4000, 'enough')")
        page.until(STATE, lambda state: state.startswith("Closed with code 4000."))
        page.load("Page.reload")
        page.until(STATE, lambda state: state.startswith(f"Connected to {url}"))
        process.send_signal(signal.SIGINT)
        page.until(STATE, lambda state: state.startswith("Closed with code 1001"))
        _, said = process.communicate(timeout=PATIENCE)
        # A browser opens connections ahead that it then doesn't use.
        complaints = [line for line in said.splitlines() if not line.endswith(UNUSED)]
        assert (process.returncode, complaints) == (0, []), (process.returncode, complaints)
    return kept.relative_to(ROOT)


def check_screenshots(before, after, place):
    """Both show the page, and only the second one the echo, where the page says that it is."""
    before, after = png.pixels(before), png.pixels(after)
    for image in before, after:
        assert (len(image[0]), len(image)) == SIZE, "not as large as the window"
    assert len(colours(before, [0, 0, *SIZE])) > 1, "an empty page"
    assert len(colours(before, place)) == 1, "something is where the echo is to come"
    assert len(colours(after, place)) > 1, "nothing is where the echo is"


def colours(image, place):
    x, y, width, height = place
    assert width > 0 and height > 0, place
    return {pixel for row in image[y:y + height] for pixel in row[x:x + width]}


def screenshot(page):
    return base64.b64decode(page.call("Page.captureScreenshot", format="png")["data"])


@contextlib.contextmanager
def opened(browser):
    chromium = Chromium(browser.executable, WORK / "chromium.log")
    try:
        with bounded(chromium):
            page = Page(chromium)
            width, height = SIZE
            page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=False)
            yield page
    finally:
        chromium.end()


@contextlib.contextmanager
def serving(server):
    process = subprocess.Popen([server, "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        with bounded(process):
            said = process.stdout.readline()
            assert "listening on " in said, f"the server said {said!r}"
            yield process, said.split("listening on ")[1].strip()
    finally:
        process.kill()
        process.wait()
