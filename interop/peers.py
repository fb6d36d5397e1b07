"""The peers: which there are, how they are installed, and how they are talked to."""

import contextlib
import dataclasses
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import threading
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = ROOT / "interop"
WORK = ROOT / "target" / "interop"
# How long anything may take that should take no time: generous, because the machine may be busy.
PATIENCE = 30


@dataclasses.dataclass(frozen=True)
class Kind:
    """What can be expected of a library."""

    name: str
    cannot: frozenset = frozenset()  # what it has no call for, in the words of `Case.verbs`
    sees: frozenset = frozenset()  # what it reports beyond what all do
    repeats_reason: bool = True  # in the Close frame that answers
    wants_subprotocol: bool = False  # a client that takes no connection without one that it offered
    sees_refusals: bool = True  # with their status and body


@dataclasses.dataclass(frozen=True)
class Program:
    """A peer that can be started."""

    kind: Kind
    version: str
    command: list
    environment: dict = dataclasses.field(default_factory=dict)

    def start(self):
        return Peer(self)


def sansocket(executable):
    kind = Kind("sansocket", frozenset({"close without a code"}), repeats_reason=False)
    return Program(kind, "this repository", [executable])


def ws(environment):
    kind = Kind("ws", frozenset({"keepalive"}), frozenset({"controls", "compressed"}), wants_subprotocol=True)
    about = "`Node ${process.version} with ws ${require('ws/package.json').version}`"
    said = output(["node", "-p", about], environment)
    return Program(kind, said, ["node", HERE / "theirs" / "ws_peer.js"], environment)


def websockets(python_program):
    about = ("import platform, websockets; "
             "print('Python', platform.python_version(), 'with websockets', websockets.__version__)")
    said = output([python_program, "-c", about])
    kind = Kind("websockets", sees=frozenset({"controls", "fragments", "compressed"}))
    return Program(kind, said, [python_program, HERE / "theirs" / "websockets_peer.py"])


def output(command, environment=None):
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=PATIENCE)
    return done.stdout.strip()


class Hung(Exception):
    """A peer said nothing for too long, or ended."""


class Peer:
    """A process that plays one end after the other, as it is told."""

    def __init__(self, program):
        self.name = program.kind.name
        self.process = subprocess.Popen(
            program.command, env={**os.environ, **program.environment}, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = queue.Queue()
        threading.Thread(target=self.read_lines, daemon=True).start()

    def read_lines(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def tell(self, command):
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
        except OSError as error:
            raise Hung(f"{self.name} has ended") from error

    def answer(self):
        try:
            line = self.lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise Hung(f"{self.name} said nothing for {PATIENCE} s") from None
        if line is None:
            raise Hung(f"{self.name} has ended")
        return json.loads(line)

    def kill(self):
        self.process.kill()

    def end(self):
        self.kill()
        self.process.wait()


@contextlib.contextmanager
def started(programs):
    """A process for each, until they are not needed any more."""
    with contextlib.ExitStack() as stack:
        running = {}
        for end, program in programs.items():
            running[end] = program.start()
            stack.callback(running[end].end)
        yield running


@contextlib.contextmanager
def bounded(*peers):
    """Ends the peers when this takes too long, whatever waits for them then fails."""
    timer = threading.Timer(2 * PATIENCE, lambda: [peer.kill() for peer in peers])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


# ---- Installing. What can't be installed ends the run: not tested is not passed.

def python():
    """The Python of an environment with `websockets`, and with `trustme` for certificates."""
    WORK.mkdir(parents=True, exist_ok=True)
    program = WORK / "venv" / "bin" / "python"
    if not program.exists():
        venv.create(WORK / "venv", with_pip=True)
    install("Python's websockets", [program, "-m", "pip", "install", "--quiet", "websockets==17.*", "trustme==1.*"])
    return program


def node():
    """Where Node finds `ws`."""
    WORK.mkdir(parents=True, exist_ok=True)
    install("Node's ws", ["npm", "install", "--prefix", WORK, "--no-fund", "--no-audit", "--silent", "ws@8"])
    return {"NODE_PATH": str(WORK / "node_modules")}


def chromium():
    """The program; Debian's package of that name, where there is none."""
    names = ("chromium", "chromium-browser")
    if not any(map(shutil.which, names)):
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        install("Chromium", [*root, "apt-get", "update"])
        install("Chromium", [*root, "apt-get", "install", "--yes", "chromium"])
    return next(filter(None, map(shutil.which, names)), None) or sys.exit("error: there is no Chromium")


def install(what, command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=600)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        sys.exit(f"error: {what} can't be installed: {error}")
    if done.returncode != 0:
        print(done.stdout)
        sys.exit(f"error: {what} can't be installed: `{' '.join(map(str, command))}` failed")


def build():
    """The programs of this repository, by name."""
    built = subprocess.run(
        ["cargo", "build", "--quiet", "--release", "--features", "deflate,rustls",
         "--example", "interop_peer", "--example", "echo_server", "--example", "tls_echo_server",
         "--message-format=json-render-diagnostics"],
        cwd=ROOT, stdout=subprocess.PIPE)
    if built.returncode != 0:
        sys.exit("error: the programs of this repository don't build")
    found = map(json.loads, built.stdout.splitlines())
    return {message["target"]["name"]: message["executable"] for message in found if message.get("executable")}


def certificate(python_program):
    """With what a server speaks TLS, and whom its client has to trust: made anew for each run."""
    folder = WORK / "certificate"
    folder.mkdir(exist_ok=True)
    install("a certificate", [python_program, "-m", "trustme", "--quiet", "--dir", folder,
                              "--identities", "127.0.0.1", "localhost"])
    identity = {"certificate": str(folder / "server.pem"), "key": str(folder / "server.key")}
    return identity, str(folder / "client.pem")
