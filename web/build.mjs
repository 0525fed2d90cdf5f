// build.mjs --out DIR: the dashboard as a folder of files ready to embed: index.html, favicon.svg and assets/ with
// hashed names; beside each its .gz where that is smaller. The same sources give the same bytes.
import { build } from 'esbuild';
import { gzipSync } from 'node:zlib';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[process.argv.indexOf('--out') + 1];
if (!process.argv.includes('--out') || !out) {
  console.error('usage: node build.mjs --out DIR');
  process.exit(2);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { app: 'src/main.ts', style: 'src/style/style.css' },
  outdir: join(out, 'assets'),
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2021',
  legalComments: 'eof',
  metafile: true,
  logLevel: 'warning',
});

const made = Object.keys(metafile.outputs).map((path) => basename(path));
const named = (start, end) => `/assets/${made.find((name) => name.startsWith(start) && name.endsWith(end))}`;
const page = readFileSync(join(here, 'src/index.html'), 'utf8')
  .replace('/assets/app.js', named('app-', '.js'))
  .replace('/assets/style.css', named('style-', '.css'));
writeFileSync(join(out, 'index.html'), page);
cpSync(join(here, 'src/favicon.svg'), join(out, 'favicon.svg'));

for (const name of readdirSync(out, { recursive: true })) {
  const path = join(out, name);
  if (!statSync(path).isFile()) continue;
  const bytes = readFileSync(path);
  const small = gzipSync(bytes, { level: 9 });
  if (small.length < bytes.length) writeFileSync(`${path}.gz`, small);
}
