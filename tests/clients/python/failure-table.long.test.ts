// The client in Python passes every row of the table of failures, with and without an event loop, and mypy accepts its types.
// needs: mypy
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { allPassed, failuresOf } from '../support/checked-client.ts';
import { clientFolder, environment, python, pythonClient, run, tasksFile } from './python-program.ts';

test.each(['sync', 'async'] as const)('%s: every row of the table of failures', async (kind) => {
  expect(await failuresOf(pythonClient(kind))).toEqual(allPassed);
});

test('a stream ends when its client is closed, or its task is cancelled', async () => {
  const { stdout } = await run(python, [join(import.meta.dirname, 'closing.py')], { env: environment });
  expect(stdout).toBe('closed\n');
});

test('mypy --strict', async () => {
  const programs = [tasksFile, join(import.meta.dirname, 'closing.py')];
  const folder = await temporaryFolder();
  try {
    const options = ['--strict', '--cache-dir', folder.path, '--python-executable', python];
    const { stdout } = await run('/usr/bin/mypy', [...options, join(clientFolder, 'tidegate'), ...programs], {
      env: { ...environment, MYPYPATH: clientFolder },
    });
    expect(stdout).toContain('Success');
  } finally {
    await folder.remove();
  }
});
