// Starts the built program and waits for the line that says where it listens.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { skip } from './browser.mjs';

export class Tickcast {
  static async start(binary, feed, listen = '127.0.0.1:0', more = []) {
    if (!existsSync(binary)) skip(`no program at ${binary}: build the target tickcast first`);
    const t = new Tickcast();
    t.log = '';
    t.child = spawn(binary, ['serve', '--listen', listen, '--feed', feed, ...more], { stdio: ['ignore', 'ignore', 'pipe'] });
    t.ended = new Promise((resolve) => t.child.on('exit', (code, signal) => resolve(code ?? signal)));
    t.address = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no address within 20 s; its log:\n${t.log}`)), 20_000);
      t.child.stderr.on('data', (bytes) => {
        t.log = (t.log + bytes).slice(-20_000);
        const found = /event=listening\b.*?address=(\S+:\d+)/.exec(t.log);
        if (found !== null) { clearTimeout(timer); resolve(found[1]); }
      });
      t.child.on('exit', (code, signal) => { clearTimeout(timer); reject(new Error(`ended (${code ?? signal}) before it listened:\n${t.log}`)); });
    });
    return t;
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
