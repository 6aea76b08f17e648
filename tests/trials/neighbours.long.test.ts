// A small run of `npm run trials -- neighbours`. Other users get answers while one user sends as much as the limits
// allow.
import { expect, test } from '@jest/globals';
import { runNeighbours } from '../../trials/neighbours.ts';

test('a user with many concurrent reads does not keep others from reading', async () => {
  const { signal } = new AbortController();
  const found = await runNeighbours({ users: 3, rows: 4_000, parallel: [8, 40], seconds: 3, signal });
  expect(found).toMatchObject({ users: 3, failed: 0 });
  for (const { flooded, reads } of found.phases) {
    expect(flooded).toBeGreaterThan(0);
    expect(reads).toBeGreaterThanOrEqual(3);
  }
}, 240_000);
