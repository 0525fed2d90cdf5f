// npm ws: every tick to every client, one message each. No compression; what a slow client does not take is kept
// by the socket, as ws does when nobody looks at bufferedAmount.
import { createRequire } from 'node:module';
import { WebSocketServer } from 'ws';
import { ingest, ready } from './ingest.mjs';

const { version } = createRequire(import.meta.url)('ws/package.json');
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 4096 }, () => {
  ingest((line) => {
    for (const client of server.clients) client.send(line);
  }, (port) => ready(server.address().port, port, version));
});
server.on('connection', (client) => client.on('error', () => {}));
