// npm ws with permessage-deflate: the ticks of one read as one message, to every client. usage: ws_deflate.mjs MODE
//   default   as ws does it: zlib's level 6, each connection keeps its window (context takeover)
//   like      with tickcast's terms: level 1, no context takeover
//   off       nothing is packed
// The message is one Buffer for all clients; what it is packed to, ws makes for each of them.
import { createRequire } from 'node:module';
import { ingest, ready } from './ingest.mjs';

const MODES = {
  default: {},
  like: { zlibDeflateOptions: { level: 1 }, serverNoContextTakeover: true, clientNoContextTakeover: true },
  off: false,
};
const mode = process.argv[2] ?? 'default';
if (!(mode in MODES)) throw new Error(`no mode ${mode}; there are ${Object.keys(MODES).join(', ')}`);

// Of `make compare`, else the dashboard's: the same version.
function packages() {
  for (const place of [import.meta.url, new URL('../../../web/package.json', import.meta.url)]) {
    const require = createRequire(place);
    try {
      require.resolve('ws');
      return require;
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new Error('no package ws: npm ci in bench/compare');
}

const require = packages();
const { WebSocketServer } = require('ws');
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: MODES[mode], backlog: 4096 }, () => {
  let batch = [];
  const send = () => {
    const message = Buffer.from(`{"type":"ticks","ticks":[${batch.join(',')}]}`);
    batch = [];
    for (const client of server.clients) client.send(message, { binary: false });
  };
  ingest((line) => {
    if (batch.push(line) === 1) setImmediate(send); // behind the last line of this read
  }, (port) => ready(server.address().port, port, require('ws/package.json').version));
});
server.on('connection', (client) => client.on('error', () => {}));
