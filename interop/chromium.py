"""Headless Chromium, driven by the DevTools protocol over a pipe: when the pipe ends, so does Chromium."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time

from peers import PATIENCE, Hung


class Chromium:
    """The browser. Calls are made and answered on the descriptors 3 and 4, each ended by a NUL byte."""

    def __init__(self, executable, log):
        self.profile = tempfile.TemporaryDirectory(prefix="interop-", ignore_cleanup_errors=True)
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        # What a browser thinks of our certificate is not the question, and what it opens is only ours.
        command = [executable, "--headless", "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}",
                   "--window-size=800,600", "--ignore-certificate-errors", "--no-sandbox", "--disable-gpu",
                   "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run",
                   "--no-proxy-server", "about:blank"]
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(
                ["bash", "-c", f'exec 3<&{theirs_in} 4>&{theirs_out} "$@"', "chromium", *command],
                pass_fds=[theirs_in, theirs_out], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                start_new_session=True)
        os.close(theirs_in)
        os.close(theirs_out)
        self.calls, self.output, self.input = 0, os.fdopen(ours_out, "wb"), os.fdopen(ours_in, "rb")
        self.replies = {}  # call: its reply
        self.events = []
        self.incoming = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        gathered = b""
        while piece := self.input.read1(1 << 16):
            *whole, gathered = (gathered + piece).split(b"\0") if b"\0" in piece else (gathered + piece,)
            for message in whole:
                self.incoming.put(json.loads(message))
        self.incoming.put(None)

    def begin(self, method, session=None, **parameters):
        """Calls, and doesn't wait. What it returns is for `reply`."""
        self.calls += 1
        call = {"id": self.calls, "method": method, "params": parameters}
        if session:
            call["sessionId"] = session
        try:
            self.output.write(json.dumps(call).encode() + b"\0")
            self.output.flush()
        except OSError as error:
            raise Hung("Chromium has ended") from error
        return self.calls

    def reply(self, call):
        self.receive_until(lambda: call in self.replies)
        message = self.replies.pop(call)
        if "error" in message:
            raise RuntimeError(f"Chromium: {message['error']}")
        return message["result"]

    def receive_until(self, holds):
        deadline = time.monotonic() + PATIENCE
        while not holds():
            try:
                message = self.incoming.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise Hung(f"Chromium said nothing for {PATIENCE} s") from None
            if message is None:
                raise Hung("Chromium has ended")
            if "id" in message:
                self.replies[message["id"]] = message
            else:
                self.events.append(message)

    def call(self, method, session=None, **parameters):
        return self.reply(self.begin(method, session, **parameters))

    def kill(self):
        # Its own session, so these are its processes and nobody else's.
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def end(self):
        with contextlib.suppress(OSError):
            self.output.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.wait()
        self.profile.cleanup()


class Page:
    """A tab."""

    def __init__(self, browser):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def load(self, method, **parameters):
        """Makes a call that loads a page, and waits for it."""
        loaded = len(self.events("Page.loadEventFired"))
        self.call(method, **parameters)
        self.browser.receive_until(lambda: len(self.events("Page.loadEventFired")) > loaded)

    def begin(self, script):
        """Runs a script, which may be asynchronous. What it returns is for `result`."""
        return self.browser.begin("Runtime.evaluate", self.session, expression=script,
                                  awaitPromise=True, returnByValue=True)

    def result(self, call):
        reply = self.browser.reply(call)
        if "exceptionDetails" in reply:
            raise RuntimeError(f"in the page: {reply['exceptionDetails']}")
        return reply["result"].get("value")

    def evaluate(self, script):
        return self.result(self.begin(script))

    def until(self, script, holds):
        """What the script says, as soon as it is what was waited for."""
        deadline = time.monotonic() + PATIENCE
        while not holds(value := self.evaluate(script)):
            if time.monotonic() > deadline:
                raise AssertionError(f"`{script}` is still {value!r}")
            time.sleep(0.05)
        return value

    def events(self, method):
        return [event["params"] for event in self.browser.events
                if event["method"] == method and event.get("sessionId") == self.session]
