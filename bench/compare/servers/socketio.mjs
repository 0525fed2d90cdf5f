// npm socket.io, WebSocket transport alone: every tick as one event to everybody. No compression.
import http from 'node:http';
import { createRequire } from 'node:module';
import { Server } from 'socket.io';
import { ingest, ready } from './ingest.mjs';

const { version } = createRequire(import.meta.url)('socket.io/package.json');
const web = http.createServer();
const io = new Server(web, {
  transports: ['websocket'], perMessageDeflate: false, serveClient: false,
  pingInterval: 3600000, connectTimeout: 60000,
});
web.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  ingest((line) => io.emit('tick', JSON.parse(line)), (port) => ready(web.address().port, port, version));
});
