"""The browser's own WebSocket as one of the peers: a client, in an empty page."""

import json

import cases
from chromium import Chromium, Page
from peers import HERE, WORK, Kind, output


class Browser:
    # What a page has no call for, and what it doesn't get to see.
    kind = Kind("chromium", frozenset({
        "be the server", "fragments", "ping", "keepalive", "limit", "wish", "close like the protocol"}),
        frozenset({"compressed"}), wants_subprotocol=True, sees_refusals=False)

    def __init__(self, executable):
        self.executable, self.version = executable, output([executable, "--version"])

    def start(self):
        return Tab(self)


class Tab:
    """Is told and answers as `peers.Peer` does."""

    def __init__(self, browser):
        self.chromium = Chromium(browser.executable, WORK / "chromium.log")
        self.page = Page(self.chromium)
        self.page.evaluate((HERE / "theirs" / "browser_peer.js").read_text(encoding="utf-8"))

    def tell(self, command):
        self.playing = self.page.begin(f"play({json.dumps(command)})")

    def answer(self):
        try:
            report = self.page.result(self.playing)
        except RuntimeError as error:
            return {"failed": str(error)}
        if "ended" in report:
            report["ended"]["messages"] = [cases.described(message) for message in report["ended"]["messages"]]
        return report

    def kill(self):
        self.chromium.kill()

    def end(self):
        self.chromium.end()
