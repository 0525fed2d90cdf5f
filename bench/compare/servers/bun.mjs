// Bun's own server, whose WebSockets are uWebSockets: published by topic, which is its fastest way. No compression.
// BATCH=1: what was read at once goes out as one message, a JSON array, as tickcast's frame=batch.
import { ingest, ready } from './ingest.mjs';

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
ingest(take, (port) => ready(server.port, port, Bun.version));
