// The client in Python passes every row of the table of failures, with and without an event loop, and mypy finds its types whole.
// needs: python3, python3-httpx, mypy
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { allPassed, verdictsOn } from '../support/checked-client.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const run = promisify(execFile);
const client = join(import.meta.dirname, '../../../clients/python');
const tasks = join(import.meta.dirname, 'check_tasks.py');
// Debian's packages are those of Debian's own Python.
const python = '/usr/bin/python3';
const env = { PATH: '/usr/bin:/bin', PYTHONPATH: client, PYTHONDONTWRITEBYTECODE: '1' };

test.each(['sync', 'async'])('%s: every row of the table of failures', async (kind) => {
  expect(
    await verdictsOn(async (origin) => {
      await run(python, [tasks, kind, origin], { env });
    }),
  ).toEqual(allPassed);
});

test('mypy --strict', async () => {
  const folder = await temporaryFolder();
  try {
    const options = ['--strict', '--cache-dir', folder.path, '--python-executable', python];
    const { stdout } = await run('/usr/bin/mypy', [...options, join(client, 'tidegate'), tasks], {
      env: { ...env, MYPYPATH: client },
    });
    expect(stdout).toContain('Success');
  } finally {
    await folder.remove();
  }
});
