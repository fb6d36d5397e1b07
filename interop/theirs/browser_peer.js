// A browser's WebSocket as a peer: plays the client's end of a connection as it is told to, and returns
// what it saw. What it is told is described in README.md, one folder up.
"use strict";

async function play({ end: { client: { url } }, steps, subprotocols }) {
  const socket = new WebSocket(url, subprotocols);
  socket.binaryType = "arraybuffer";
  const messages = [];
  let taken = 0;
  let isOver = false;
  let wake = () => {};
  const event = (name) => new Promise((resolve) => socket.addEventListener(name, resolve));
  socket.onmessage = ({ data }) => {
    messages.push(data);
    wake();
  };
  const closed = event("close").then((close) => {
    isOver = true;
    wake();
    return close;
  });
  const opened = await Promise.race([event("open"), event("error")]);
  if (opened.type === "error") return { failed: "no connection" };

  const take = async () => {
    while (taken === messages.length && !isOver) await new Promise((resolve) => { wake = resolve; });
    return messages[taken++];
  };
  const receive = async (count) => {
    for (; count > 0; count -= 1) await take();
  };
  const verbs = {
    send: (content) => socket.send(content.text ?? bytes(content.binary)),
    receive,
    exchange: (contents) => {
      contents.forEach(verbs.send);
      return receive(contents.length);
    },
    echo: async () => {
      for (let data; (data = await take()) !== undefined;) socket.send(data);
    },
    close: (code) => socket.close(...code),
  };
  for (const step of steps) {
    const [[verb, argument]] = typeof step === "string" ? [[step]] : Object.entries(step);
    await verbs[verb](argument);
  }
  const { code, reason } = await closed;
  return { ended: {
    subprotocol: socket.protocol || null,
    compressed: socket.extensions !== "",
    messages: messages.map((data) => typeof data === "string" ? { text: data } : { binary: digits(data) }),
    close: [code, reason],
  } };
}

function bytes(hexadecimal) {
  return Uint8Array.from(hexadecimal.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function digits(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
