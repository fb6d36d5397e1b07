"""What the two ends of a connection are told to do, and what each has to see of the other.

A case holds the steps of both ends. What one end sees follows from the steps of the other, so nothing
is expected twice.
"""

import dataclasses
import hashlib
import itertools
import random

SHORT = 256  # what is longer is reported by its hash


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    client: list
    server: list
    offered: tuple = ()
    supported: tuple = ()
    refuse: dict | None = None  # the server's answer instead of a WebSocket
    limits: dict = dataclasses.field(default_factory=dict)  # end: its longest message
    deflate: dict | None = None  # end: its parameters

    def steps(self, end):
        return self.client if end == "client" else self.server

    def command(self, end, **details):
        """What a peer is told that plays this end."""
        if end == "server":
            details["refuse"] = self.refuse
        return {
            "end": {end: details},
            "steps": self.steps(end),
            "subprotocols": self.offered if end == "client" else self.supported,
            "limit": self.limits.get(end),
            "deflate": self.deflate and self.deflate[end],
        }

    def verbs(self, end):
        """What a peer has to be able to do that plays this end."""
        verbs = set()
        for step in self.steps(end):
            (verb, argument), = {step: None}.items() if isinstance(step, str) else step.items()
            verbs.add(verb)
            if verb == "close" and not argument:
                verbs.add("close without a code")
            elif verb == "close" and 1000 < argument[0] < 3000:
                verbs.add("close like the protocol")
        return verbs | {word for word, is_needed in (
            ("be the server", end == "server"), ("limit", end in self.limits),
            ("wish", self.deflate and self.deflate[end])) if is_needed}

    def expected(self, end, kinds):
        """What a peer of the kind `kinds[end]` reports when the other is of its kind."""
        other = OTHER[end]
        chosen = next((name for name in self.supported if name in self.offered), None)
        if self.refuse and not kinds[end].sees_refusals:
            return {"failed": ...}
        if self.refuse:
            return {"refused": self.refuse if end == "client" else {"status": self.refuse["status"]}}
        if end in self.limits:
            return {"failed": ...}
        if self.offered and not chosen and kinds["client"].wants_subprotocol:
            return {"failed": ...}
        received = sends(self.steps(other), sends(self.steps(end), []))
        ended = {
            "subprotocol": chosen,
            "messages": [described(whole(message)) for message in received],
            "close": self.close(end, kinds),
        }
        ended |= {name: value for name, value in (
            ("compressed", bool(self.deflate)),
            ("controls", controls(self.steps(end), self.steps(other))),
            ("fragments", self.fragments(received)),
        ) if name in kinds[end].sees}
        return {"ended": ended}

    def fragments(self, received):
        """The lengths of the fragments of each message; what inflates may cut them anew."""
        if self.deflate:
            return ...
        return [[len(data(piece)) for piece in message] for message in received]

    def close(self, end, kinds):
        """The code and reason that this end receives."""
        other = OTHER[end]
        if other in self.limits:
            return [1009, ...]
        if closes := close_steps(self.steps(other)):
            return (closes[0] or [1005, ""])
        code, reason = close_steps(self.steps(end))[0] or [1005, ""]
        # An answer has the same code; whether it repeats the reason is each library's choice.
        return [code, reason if kinds[other].repeats_reason else ""]


OTHER = {"client": "server", "server": "client"}


# ---- What follows from the steps

def sends(steps, incoming):
    """The messages that are sent, each a list of its fragments."""
    sent = []
    for step in steps:
        if step == "echo":
            sent += [[whole(message)] for message in incoming]
        elif "send" in step:
            sent.append([step["send"]])
        elif "fragments" in step:
            sent.append([piece for piece in step["fragments"] if "ping" not in piece])
        elif "exchange" in step:
            sent += [[content] for content in step["exchange"]]
    return sent


def pings(steps):
    for step in steps:
        if "ping" in step:
            yield step["ping"]
        elif "fragments" in step:
            yield from (piece["ping"] for piece in step["fragments"] if "ping" in piece)


def controls(own, others):
    """The other's Pings, and its Pongs for one's own."""
    if "keepalive" in own or "keepalive" in others:
        kind = "pong" if "keepalive" in own else "ping"
        return lambda seen: bool(seen) and all(list(control) == [kind] for control in seen)
    return [{"ping": payload} for payload in pings(others)] + [{"pong": payload} for payload in pings(own)]


def close_steps(steps):
    return [step["close"] for step in steps if "close" in step]


def whole(message):
    (kind, _), = message[0].items()
    return {kind: "".join(piece[kind] for piece in message)}


def data(content):
    return content["text"].encode() if "text" in content else bytes.fromhex(content["binary"])


def described(content):
    (kind, value), = content.items()
    octets = data(content)
    if len(octets) > SHORT:
        value = f"{len(octets)} bytes, sha1 {hashlib.sha1(octets).hexdigest()}"
    return {kind: value}


# ---- The table

def text(value):
    return {"text": value}


def binary(value):
    return {"binary": value.hex()}


def send(*contents):
    return [{"send": content} for content in contents]


def echoed(*contents):
    """Sends them all, then waits for all echoes."""
    return [*send(*contents), {"receive": len(contents)}]


def close(code=1000, reason=""):
    return {"close": [code, reason]}


MIB = 1 << 20
NOISE = random.Random(6455).randbytes(MIB)
WORDS = "Grüße, 世界 🦀. " * (MIB // 22)
LENGTHS = (1, 125, 126, 127, 128, 65535, 65536, 65537)
SMALL = [text(f"small message {number}") for number in range(10_000)]
PAGES = [binary(NOISE[number:number + 1024]) for number in range(2000)]
QUARTERS = [NOISE[at:at + MIB // 4] for at in range(0, MIB, MIB // 4)]
REASON = "世" * 41  # 123 bytes, the most that fit
HELLO = [*echoed(text("Hello")), close()]

# Name: the steps of the end that acts, and of the one that reacts. Each end is once the client.
CONVERSATIONS = {
    "text": ([*echoed(text("Hello"), text("Grüße, 世界 🦀"), text("\0\n\"")), close()], ["echo"]),
    "binary": ([*echoed(binary(bytes(range(256))), binary(b"\xff")), close()], ["echo"]),
    "empty": ([*echoed(text(""), binary(b""), text("")), close()], ["echo"]),
    "lengths": ([*echoed(*(binary(NOISE[:length]) for length in LENGTHS),
                         *(text("x" * length) for length in LENGTHS)), close()], ["echo"]),
    "mebibyte-binary": ([*echoed(binary(NOISE)), close()], ["echo"]),
    "mebibyte-text": ([*echoed(text(WORDS)), close()], ["echo"]),
    "fragments": ([
        {"fragments": [text("in "), text(""), text("fragments, "), text("世界")]},
        {"fragments": [binary(b"\0\1"), binary(b"\2"), binary(b"")]},
        {"fragments": [binary(quarter) for quarter in QUARTERS]},
        {"receive": 3}, close()], ["echo"]),
    "ping": ([{"ping": "are you there?"}, {"ping": ""}, {"ping": "p" * 125}, *HELLO], ["echo"]),
    "ping-inside-a-message": ([
        {"fragments": [text("one"), {"ping": "between"}, text("two"), {"ping": "again"}, text("three")]},
        {"receive": 1}, close()], ["echo"]),
    "keepalive": (["keepalive", close()], []),
    "pipelined": ([*echoed(*SMALL), close()], ["echo"]),
    "both-at-once": ([{"exchange": PAGES}, close()], [{"exchange": PAGES}]),
    "close-without-a-code": ([{"close": []}], []),
    "close-behind-messages": ([*send(text("last"), text("words")), close(4000, "no answer wanted")], []),
    **{f"close-{code}": ([*echoed(text("Hello")), close(code, reason)], ["echo"]) for code, reason in (
        (1000, ""), (1000, "done"), (1001, "going away"), (1002, "as if it were so"), (1003, ""),
        (1008, "policy"), (1011, "internal"), (1012, ""), (1013, "later"), (3000, "registered"),
        (4000, ""), (4999, "the last, 世界"), (4123, REASON))},
}


def conversations():
    for name, (acting, reacting) in CONVERSATIONS.items():
        yield Case(f"{name}-by-client", client=acting, server=reacting)
        yield Case(f"{name}-by-server", client=reacting, server=acting)


def too_long():
    long = send(binary(NOISE[:70_000]))
    yield Case("too-long-by-client", client=long, server=[], limits={"server": 65_536})
    yield Case("too-long-by-server", client=[], server=long, limits={"client": 65_536})


def handshakes():
    for name, offered, supported in (
            ("chosen", ("chat.v1", "chat.v2"), ("chat.v2", "chat.v1")),
            ("the-only-common", ("superchat", "chat"), ("chat", "mqtt")),
            ("none-offered", (), ("chat",)),
            ("none-supported", ("chat",), ()),
            ("none-in-common", ("chat",), ("mqtt",))):
        yield Case(f"subprotocol-{name}", HELLO, ["echo"], offered=offered, supported=supported)
    for status, body in ((403, "not you\n"), (401, "who?\n"), (404, "a long page\n" * 2000), (503, "später")):
        yield Case(f"refused-{status}", [], [], refuse={"status": status, "body": body})


def all_cases():
    return [*conversations(), *too_long(), *handshakes()]


# ---- Compression

# None is to say nothing. 8 is left out here: neither zlib nor these libraries compress with it.
BITS = (None, 9, 12, 15)
PARAMETERS = ("server_no_context_takeover", "client_no_context_takeover",
              "server_max_window_bits", "client_max_window_bits")
JSON = "".join(f'{{"id":{number},"name":"Grüße"}},' for number in range(2000))
MESSAGES = 2 * send(
    text(""), text("Hello"), text("long enough to be compressed, compressed, compressed"), text(JSON),
    binary(NOISE[:5000]), binary(bytes(200_000)), text("κόσμε " * 100))
FRAGMENTS = 2 * [{"fragments": [text("in "), text("fragments "), text(""), text("of a message, of a message")]}]


def compressed_cases():
    """Every combination of parameters: wished by either end alone, and by both."""
    for values in itertools.product((None, True), (None, True), BITS, BITS):
        wishes = {name: value for name, value in zip(PARAMETERS, values) if value is not None}
        words = ",".join(name if value is True else f"{name}={value}" for name, value in wishes.items())
        for who, client, server, messages in (
                # The only one for a browser, which knows neither wishes nor fragments.
                ("server", {}, wishes, MESSAGES),
                ("client", wishes, {}, MESSAGES + FRAGMENTS),
                ("both", wishes, wishes, MESSAGES + FRAGMENTS)):
            steps = [*messages, {"receive": len(messages)}, close()]
            yield Case(f"{who}({words})", steps, ["echo"], deflate={"client": client, "server": server})
