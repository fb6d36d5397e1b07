"""Python's `websockets` as a peer: plays the one end of a connection that it is told to play, and says
what it saw. What it reads and prints is described in README.md, one folder up.
"""

import asyncio
import hashlib
import json
import ssl
import sys

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory)
from websockets.frames import DATA_OPCODES, Opcode

SHORT = 256


def main():
    for line in sys.stdin:
        command = json.loads(line)
        (role, end), = command.pop("end").items()
        try:
            report = asyncio.run(client(end, command) if role == "client" else server(end, command))
        except Exception as error:  # whatever it is, the driver is to hear of it
            report = {"failed": repr(error)}
        put(report)


def put(line):
    print(json.dumps(line), flush=True)


class Watched:
    """Keeps what the library does not hand out: control frames, and how messages were cut."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.controls, self.fragments = [], []
        self.is_inside = False

    def process_event(self, event):
        opcode = getattr(event, "opcode", None)  # none: a request or a response
        if opcode in DATA_OPCODES:
            if not self.is_inside:
                self.fragments.append([])
            self.fragments[-1].append(len(event.data))
            self.is_inside = not event.fin
        elif opcode in (Opcode.PING, Opcode.PONG):
            self.controls.append({opcode.name.lower(): bytes(event.data).decode(errors="replace")})
        super().process_event(event)


class WatchedClient(Watched, ClientConnection):
    pass


class WatchedServer(Watched, ServerConnection):
    pass


async def client(end, terms):
    context = end["authority"] and ssl.create_default_context(cafile=end["authority"])
    # Without the parameter it would not tell the server that it may choose a window.
    factories = [ClientPerMessageDeflateFactory(**{"client_max_window_bits": True, **terms["deflate"]})
                 ] if terms["deflate"] is not None else None
    opening = connect(
        end["url"], ssl=context, proxy=None, subprotocols=terms["subprotocols"] or None,
        extensions=factories, create_connection=WatchedClient, **options(terms))
    try:
        socket = await opening
    except InvalidStatus as error:
        response = error.response
        return {"refused": {"status": response.status_code, "body": response.body.decode()}}
    return await play(socket, terms["steps"])


async def server(end, terms):
    """Serves one connection, on a port of its own."""
    report = asyncio.get_running_loop().create_future()
    identity, refuse = end["identity"], end["refuse"]
    context = None
    if identity:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity["certificate"], identity["key"])

    async def handle(socket):
        try:
            report.set_result(await play(socket, terms["steps"]))
        except Exception as error:  # likewise
            report.set_exception(error)

    def decide(socket, _):
        if refuse:
            report.set_result({"refused": {"status": refuse["status"]}})
            return socket.respond(refuse["status"], refuse["body"])
        return None

    def choose(_, offered):
        return next((name for name in terms["subprotocols"] if name in offered), None)

    factories = [ServerPerMessageDeflateFactory(**terms["deflate"])] if terms["deflate"] is not None else None
    async with serve(
            handle, "127.0.0.1", 0, ssl=context, select_subprotocol=choose, process_request=decide,
            extensions=factories, create_connection=WatchedServer, **options(terms)) as listening:
        put({"port": listening.sockets[0].getsockname()[1]})
        return await report


def options(terms):
    keepalive = {"ping_interval": 0.02} if "keepalive" in terms["steps"] else {"ping_interval": None}
    return {"compression": None, "max_size": terms["limit"] or 16 << 20, **keepalive}


async def play(socket, steps):
    """Plays the steps, and then receives until the end."""
    messages = []

    async def receive(count):
        for _ in range(count):
            messages.append(await socket.recv())

    async def send_all(contents):
        for content in contents:
            await socket.send(payload(content))

    async def pieces(argument):
        for piece in argument:
            if "ping" in piece:
                await socket.ping(piece["ping"])
            else:
                yield payload(piece)

    try:
        for step in steps:
            verb, argument = (step, None) if isinstance(step, str) else next(iter(step.items()))
            match verb:
                case "send":
                    await socket.send(payload(argument))
                case "fragments":
                    await socket.send(pieces(argument))
                case "ping":
                    await socket.ping(argument)
                case "receive":
                    await receive(argument)
                case "exchange":
                    await asyncio.gather(send_all(argument), receive(len(argument)))
                case "echo":
                    async for message in socket:
                        messages.append(message)
                        await socket.send(message)
                case "keepalive":
                    while not socket.latency:
                        await asyncio.sleep(0.01)
                case "close" if argument:
                    await socket.close(*argument)
                case "close":
                    # `close` would send 1000.
                    async with socket.send_context():
                        socket.protocol.send_close()
        async for message in socket:
            messages.append(message)
    except ConnectionClosed:
        pass
    await socket.wait_closed()
    if socket.protocol.parser_exc:
        return {"failed": repr(socket.protocol.parser_exc)}
    return {"ended": {
        "subprotocol": socket.subprotocol, "compressed": bool(socket.protocol.extensions),
        "messages": [described(message) for message in messages],
        "fragments": socket.fragments, "controls": socket.controls,
        "close": [socket.close_code, socket.close_reason],
    }}


def payload(content):
    return content["text"] if "text" in content else bytes.fromhex(content["binary"])


def described(message):
    text = isinstance(message, str)
    data = message.encode() if text else message
    if len(data) > SHORT:
        shown = f"{len(data)} bytes, sha1 {hashlib.sha1(data).hexdigest()}"
    else:
        shown = message if text else data.hex()
    return {"text" if text else "binary": shown}


main()
