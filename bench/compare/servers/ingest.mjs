// Lines from one TCP connection, for the Node servers: take(line) for each tick. Prints the ports once it listens.
import net from 'node:net';

export function ingest(take, announce) {
  const server = net.createServer((socket) => {
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) take(line);
    });
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1', () => announce(server.address().port));
}

// A line of JSON on standard output is how run.py learns that the server is ready, and where.
export function ready(port, ingestPort, version) {
  console.log(JSON.stringify({ port, ingest: ingestPort, version }));
}
