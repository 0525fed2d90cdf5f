// The lock file fixes versions and hashes but names no host that packages come from.
import { readFileSync } from 'node:fs';

const lock = readFileSync(process.argv[2], 'utf8');
const packages = Object.entries(JSON.parse(lock).packages).filter(([path]) => path !== '');
const bad = packages.filter(([, p]) => p.resolved !== undefined || typeof p.integrity !== 'string');
if (packages.length === 0 || bad.length > 0 || lock.includes('"resolved"')) {
  console.error(`package-lock.json: ${bad.map(([path]) => path).join(', ') || 'no package'}: wants no "resolved" and a hash; run npm install --package-lock-only in web/`);
  process.exit(1);
}
console.log(`${packages.length} packages, each with a hash, none with a host`);
