// The client in Python passes every row of the table of failures, with and without an event loop, and mypy finds its types whole.
// needs: mypy
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { allPassed, verdictsOn } from '../support/checked-client.ts';
import { clientFolder, environment, python, pythonClient, run, tasksFile } from './python-program.ts';

test.each(['sync', 'async'] as const)('%s: every row of the table of failures', async (kind) => {
  expect(await verdictsOn(pythonClient(kind))).toEqual(allPassed);
});

test('mypy --strict', async () => {
  const folder = await temporaryFolder();
  try {
    const options = ['--strict', '--cache-dir', folder.path, '--python-executable', python];
    const { stdout } = await run('/usr/bin/mypy', [...options, join(clientFolder, 'tidegate'), tasksFile], {
      env: { ...environment, MYPYPATH: clientFolder },
    });
    expect(stdout).toContain('Success');
  } finally {
    await folder.remove();
  }
});
