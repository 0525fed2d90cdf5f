// One message of every form, kept by the server's own encoder beside the JSON that it sends instead
// (tests/unit/cmd/bin_vectors_test.c).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BinaryReader } from '../src/binary.ts';
import { parseExact } from '../src/exact.ts';
import type { Message } from '../src/messages.ts';

interface Vector { what: string; bin: string; json: Message | null }

test('each binary message is the object that its JSON twin is', () => {
  const lines = readFileSync(process.env['TICKCAST_VECTORS'] as string, 'utf8').trimEnd().split('\n');
  const reader = new BinaryReader(); // one for all: later ones use what earlier ones define
  for (const line of lines) {
    const { what, bin, json } = parseExact(line) as Vector;
    const bytes = new Uint8Array(Buffer.from(bin, 'hex'));
    assert.deepEqual(reader.read(bytes.buffer), json, what);
  }
  assert.ok(lines.length > 50);
});
