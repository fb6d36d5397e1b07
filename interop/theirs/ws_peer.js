// Node's `ws` as a peer: plays the one end of a connection that it is told to play, and says what it saw.
// What it reads and prints is described in README.md, one folder up.
"use strict";
const { createHash } = require("node:crypto");
const { once } = require("node:events");
const { readFileSync } = require("node:fs");
const { createServer: createTlsServer } = require("node:https");
const { createServer } = require("node:http");
const { createInterface } = require("node:readline");
const { WebSocket, WebSocketServer } = require("ws");

const SHORT = 256;

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    const { end, ...terms } = JSON.parse(line);
    const report = end.client ? client(end.client, terms) : server(end.server, terms);
    print(await report.catch((error) => ({ failed: String(error) })));
  }
}

function print(line) {
  console.log(JSON.stringify(line));
}

function client({ url, authority }, terms) {
  const socket = new WebSocket(url, terms.subprotocols, {
    ...options(terms), ca: authority && readFileSync(authority),
  });
  return new Promise((resolve) => {
    socket.on("unexpected-response", async (_, response) => {
      const body = Buffer.concat(await response.toArray()).toString();
      resolve({ refused: { status: response.statusCode, body } });
    });
    play(socket, terms.steps).then(resolve);
  });
}

/** Serves one connection, on a port of its own. */
async function server({ identity, refuse }, terms) {
  const http = identity
    ? createTlsServer({ cert: readFileSync(identity.certificate), key: readFileSync(identity.key) })
    : createServer();
  const report = new Promise((resolve) => {
    const websockets = new WebSocketServer({
      ...options(terms),
      server: http,
      handleProtocols: (offered) => terms.subprotocols.find((name) => offered.has(name)) ?? false,
      verifyClient: refuse && (({ req }, answer) => {
        req.socket.on("close", () => resolve({ refused: { status: refuse.status } }));
        answer(false, refuse.status, refuse.body);
      }),
    });
    websockets.on("connection", (socket) => resolve(play(socket, terms.steps)));
    websockets.on("wsClientError", (error) => resolve({ failed: String(error) }));
    http.on("tlsClientError", (error) => resolve({ failed: String(error) }));
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  print({ port: http.address().port });
  const said = await report;
  http.close();
  return said;
}

function options({ limit, deflate }) {
  const named = ([name, value]) => [name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()), value];
  const parameters = deflate && Object.fromEntries(Object.entries(deflate).map(named));
  return {
    maxPayload: limit ?? 16 << 20,
    // Short messages are compressed too.
    perMessageDeflate: parameters ? { threshold: 16, ...parameters } : false,
  };
}

/** Plays the steps, and then receives until the end. */
async function play(socket, steps) {
  const seen = { messages: [], controls: [] };
  const queue = new Queue();
  socket.on("message", (data, binary) => {
    seen.messages.push(described(data, binary));
    queue.put({ data, binary });
  });
  socket.on("ping", (data) => seen.controls.push({ ping: data.toString() }));
  socket.on("pong", (data) => seen.controls.push({ pong: data.toString() }));
  let failed;
  socket.on("error", (error) => { failed = String(error); });
  const closed = new Promise((resolve) => socket.on("close", (code, reason) => {
    queue.end();
    resolve([code, reason.toString()]);
  }));
  if (socket.readyState === WebSocket.CONNECTING) {
    await Promise.race([new Promise((resolve) => socket.on("open", resolve)), closed]);
  }
  for (const step of failed ? [] : steps) {
    await take(socket, step, queue);
  }
  const close = await closed;
  if (failed) return { failed };
  const compressed = Boolean(socket.extensions);
  return { ended: { subprotocol: socket.protocol || null, compressed, close, ...seen } };
}

async function take(socket, step, queue) {
  const [[verb, argument]] = typeof step === "string" ? [[step]] : Object.entries(step);
  switch (verb) {
    case "send": return send(socket, argument);
    case "fragments":
      return argument.forEach((piece, at) => piece.ping === undefined
        ? send(socket, piece, { fin: at === argument.length - 1 }) : socket.ping(piece.ping));
    case "ping": return socket.ping(argument);
    case "receive":
      for (let count = 0; count < argument; count += 1) await queue.take();
      return undefined;
    case "exchange":
      argument.forEach((content) => send(socket, content));
      return take(socket, { receive: argument.length }, queue);
    case "echo":
      for (let message; (message = await queue.take());) {
        socket.send(message.data, { binary: message.binary });
      }
      return undefined;
    case "close": return socket.close(...argument);
    default: throw new Error(`ws knows no ${verb}`);
  }
}

function send(socket, { text, binary }, more) {
  socket.send(text ?? Buffer.from(binary, "hex"), { binary: text === undefined, ...more });
}

/** What arrives before it is asked for; `undefined` behind the end. */
class Queue {
  #items = [];
  #isOver = false;
  #wake = () => {};

  put(item) { this.#items.push(item); this.#wake(); }

  end() { this.#isOver = true; this.#wake(); }

  async take() {
    while (!this.#items.length && !this.#isOver) {
      await new Promise((resolve) => { this.#wake = resolve; });
    }
    return this.#items.shift();
  }
}

function described(data, binary) {
  const sha1 = () => createHash("sha1").update(data).digest("hex");
  const long = data.length > SHORT && `${data.length} bytes, sha1 ${sha1()}`;
  return binary ? { binary: long || data.toString("hex") } : { text: long || data.toString() };
}

main();
