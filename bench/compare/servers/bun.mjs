// Bun's own server, whose WebSockets are uWebSockets: published by topic, which is its fastest way. No compression.
// BATCH=1: what was read at once goes out as one message, a JSON array, as tickcast's frame=batch.
// SELF=N: no publisher; it makes bursts of N ticks itself, the next one in the next turn of its loop, once CLIENTS=C are
// there: the closed loop of tickcast's own simulator.
import { ingest, ready } from './ingest.mjs';

const BUFFERED_MAX = 1 << 20; // bytes that wait for a client before the next burst does; looked at in one client a burst
const clients = [];

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, self) {
    return self.upgrade(request) ? undefined : new Response('WebSocket alone', { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    sendPings: false,
    open(client) {
      client.subscribe('t');
      if (process.env.SELF && clients.push(client) === Number(process.env.CLIENTS)) setImmediate(burst);
    },
    message() {},
  },
});

let batch = [];
function publishBatch() {
  server.publish('t', `[${batch.join(',')}]`);
  batch = [];
}

function take(line) {
  if (!process.env.BATCH) {
    server.publish('t', line);
  } else if (batch.push(line) === 1) {
    queueMicrotask(publishBatch);
  }
}

let seq = 0;
function tick() {
  seq += 1;
  const price = `${100 + (seq % 400)}.${String(seq % 100).padStart(2, '0')}`;
  return `{"type":"trade","seq":${seq},"symbol":"S${seq % 500}","price":${price},"size":${1 + (seq % 900)},"ts":${Date.now()}000}`;
}

function burst() {
  setImmediate(burst);
  if (clients[seq % clients.length].getBufferedAmount() > BUFFERED_MAX) return;
  const ticks = Array.from({ length: Number(process.env.SELF) }, tick);
  if (process.env.BATCH) server.publish('t', `[${ticks.join(',')}]`);
  else for (const one of ticks) server.publish('t', one);
}

if (process.env.SELF) ready(server.port, null, Bun.version);
else ingest(take, (port) => ready(server.port, port, Bun.version));
