// A test run that is killed at a random moment leaves nothing but its folder, and the next run removes the folder. The killed run has
// resources of every kind: processes of root and of accounts, namespaces, interfaces with routes, and mounted disks.
// needs: system, root, e2fsprogs, mount
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../../..');
const withRights = process.getuid?.() === 0 ? test : test.skip;

withRights(
  'ten runs of the demo of high availability are killed, and nothing of them is left',
  async () => {
    const seed = Math.floor(Math.random() * 1e9);
    const words = [
      join(root, 'tests/tools/contain/killed-runs.ts'),
      seed,
      10,
      12_000,
      'tests/bin/ha-demo.long.test.ts',
    ];
    const contained = [join(root, 'tools/contain/main.ts'), process.execPath, ...words.map(String)];
    const { stdout } = await promisify(execFile)(process.execPath, contained, { maxBuffer: 10 * 1024 * 1024 });
    const { kills, mostProcesses, code, left } = JSON.parse(stdout);
    for (const kill of kills) expect({ seed, ...kill }).toEqual({ seed, ...kill, left: [] });
    expect(kills).toHaveLength(10);
    expect(mostProcesses).toBeGreaterThan(15);
    expect(code).toBe(0);
    expect({ seed, left }).toEqual({ seed, left: [] });
  },
  900_000,
);
