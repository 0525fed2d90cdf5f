import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nsToMs, parseExact } from '../src/exact.ts';

/** The slow way: JSON.parse of a text in which a walk over its characters has put numbers in quotes. */
function reference(text: string): unknown {
  let out = '';
  for (let i = 0; i < text.length;) {
    const c = text[i] as string;
    if (c === '"') {
      let end = i + 1;
      while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      out += text.slice(i, end + 1);
      i = end + 1;
    } else if (/[-\d]/.test(c)) {
      let end = i + 1;
      while (end < text.length && /[\d.eE+-]/.test(text[end] as string)) end++;
      out += `"${text.slice(i, end)}"`;
      i = end;
    } else {
      out += c;
      i++;
    }
  }
  return JSON.parse(out);
}

/** A small generator with a seed (mulberry32). */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function anyValue(r: () => number, depth: number): unknown {
  const pieces = ['"', '\\', '1', '-2.5', ',', '}', ':', 'a', ' ', '9007199254740993', '\u00e9', '['];
  const kind = Math.floor(r() * (depth > 3 ? 4 : 6));
  if (kind === 0) return Math.floor(r() * 1e9) / 100 - 1e6;
  if (kind === 1) return [true, false, null][Math.floor(r() * 3)];
  if (kind <= 3) return Array.from({ length: Math.floor(r() * 6) }, () => pieces[Math.floor(r() * pieces.length)]).join('');
  const length = Math.floor(r() * 4);
  if (kind === 4) return Array.from({ length }, () => anyValue(r, depth + 1));
  return Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}${anyValue(r, 9)}`, anyValue(r, depth + 1)]));
}

test('numbers keep every digit', () => {
  assert.deepEqual(
    parseExact('{"type":"trade","seq":18446744073709551615,"price":189.230,"size":-0.5,"ts":1700000000000000001,"e":1e-5}'),
    { type: 'trade', seq: '18446744073709551615', price: '189.230', size: '-0.5', ts: '1700000000000000001', e: '1e-5' });
});

test('what stands in strings is left alone, at the end too', () => {
  const text = '{"a":1,"symbol":"A1,9007199254740993}","q":"\\"7\\\\","b":true,"c":null,"last":"B-2"}';
  assert.deepEqual(parseExact(text), reference(text));
  assert.deepEqual(parseExact('["x1"]'), ['x1']);
  assert.deepEqual(parseExact('{}'), {});
});

test('the same as a walk over the characters, 20 000 random values', () => {
  const seed = Number(process.env['SEED'] ?? 1);
  const r = random(seed);
  for (let i = 0; i < 20_000; i++) {
    const text = JSON.stringify(anyValue(r, 0));
    assert.deepEqual(parseExact(text), reference(text), `SEED=${seed}: ${text}`);
  }
});

test('what is no JSON is an error', () => {
  for (const text of ['', '{', '{"a":}', '[1,]', '"x']) assert.throws(() => parseExact(text), SyntaxError);
});

test('nanoseconds become milliseconds with their fraction', () => {
  assert.equal(nsToMs('1700000000123456789'), 1700000000123.4568);
  assert.equal(nsToMs('1500'), 0.0015);
  assert.equal(nsToMs('0'), 0);
});
