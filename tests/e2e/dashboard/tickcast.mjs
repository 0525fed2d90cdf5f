// Starts the built program and waits for the line that says where it listens.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { skip } from './browser.mjs';

const PORT_WAIT_MS = 20_000;
const LEAST_PORT = 10_240; // below are ports of services, and those that browsers refuse to speak to

/**
 * For a server that is ended and started again where it was. Its port is one that the kernel gives to nobody: with
 * one of the ephemeral range, an outgoing connection of any program may sit on it in between.
 */
export async function lastingAddress() {
  const [low, high] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number);
  const ports = [];
  for (let port = LEAST_PORT; port < 65_536; port++) if (port < low || port > high) ports.push(port);
  for (let tries = 0; tries < 100 && ports.length > 0; tries++) {
    const port = ports[Math.floor(Math.random() * ports.length)];
    if (await isFree(port)) return `127.0.0.1:${port}`;
  }
  throw new Error(`no free port outside ${low} to ${high}`);
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer().on('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

export class Tickcast {
  /** listen: with a port of its own choice (lastingAddress), a start waits while another program holds it. */
  static async start(binary, feed, listen = '127.0.0.1:0', more = []) {
    if (!existsSync(binary)) skip(`no program at ${binary}: build the target tickcast first`);
    const end = performance.now() + PORT_WAIT_MS;
    for (;;) {
      const t = new Tickcast(binary, ['serve', '--listen', listen, '--feed', feed, ...more]);
      try {
        t.address = await t.listening();
        return t;
      } catch (error) {
        if (!/ is in use;/.test(t.log) || performance.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  constructor(binary, words) {
    this.log = '';
    this.child = spawn(binary, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child.stderr.on('data', (bytes) => { this.log = (this.log + bytes).slice(-20_000); });
    // 'close', not 'exit': by then its log is whole.
    this.ended = new Promise((resolve) => this.child.on('close', (code, signal) => resolve(code ?? signal)));
  }

  async listening() {
    let over;
    this.ended.then((status) => { over = `ended (${status}) before it listened`; });
    const timer = setTimeout(() => { over = 'no address within 20 s'; this.child.kill('SIGKILL'); }, 20_000);
    try {
      for (;;) {
        const found = /event=listening\b.*?address=(\S+:\d+)/.exec(this.log);
        if (found !== null) return found[1];
        if (over !== undefined) throw new Error(`${over}:\n${this.log}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  get url() { return `http://${this.address}/`; }

  /** SIGTERM drains; its exit status, or the signal that ended it. */
  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
    const status = await this.ended;
    clearTimeout(timer);
    return status;
  }
}
