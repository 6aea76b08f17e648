// docs/dns.md has each code with its advice.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { dnsErrors } from '../../dns/servers/dns-error.ts';

test('each failure is explained', async () => {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'dns.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| .+ \| (.+) \|$/gm)].map(([, code, advice]) => [code, advice]);
  expect(Object.fromEntries(rows)).toEqual(dnsErrors);
});
