// The gateway contacts no vendor, whatever the environment.
// needs: processes

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { patience } from '../support/machine/patience.ts';
import { answered } from './support/answered.ts';

test('a gateway connects only to its own subgraphs', () => {
  const script = join(import.meta.dirname, 'support', 'phone-home.ts');
  const { body, seen } = JSON.parse(
    execFileSync(process.execPath, [script], { encoding: 'utf8', timeout: 110_000 * patience }),
  );
  expect(body).toEqual({ ...answered, data: { thing: { price: null } } });
  expect(seen.sort()).toEqual(['connect 127.0.0.1', 'lookup 127.0.0.1']);
});
