// A test in a file of the unit tier fails if it starts a program, so that the tier stays quick. A test in the landing suite fails if it
// proves nothing.
// needs: processes
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { proofs } from '../../support/jest/proofs.ts';
import WorkerEnvironment from '../../support/jest/test-environment.ts';

const rootDir = dirname(dirname(dirname(import.meta.dirname)));
const before = { ...process.env };
beforeEach(() => {
  process.env.TEST_UNIT_FILES = 'tests/a.test.ts\ntests/b.test.ts';
  // The test environment adds its own time.
  delete process.env.TEST_TIMES;
});
afterEach(() => {
  process.env = before;
});

async function errorsOf(path: string, command?: readonly string[], proof?: string): Promise<readonly string[]> {
  const given = { projectConfig: { rootDir } } as ConstructorParameters<typeof WorkerEnvironment>[0];
  const environment = new WorkerEnvironment(given, { testPath: join(rootDir, path) });
  try {
    if (proof !== undefined) proofs.publish(proof);
    if (command !== undefined) await once(spawn(command[0] ?? '', command.slice(1)), 'exit');
    const done = { name: 'does something', errors: [] as unknown[] };
    environment.handleTestEvent({ name: 'test_fn_success', test: done }, { testTimeout: 1_000 });
    return done.errors.map((error) => (error as Error).message);
  } finally {
    await environment.teardown();
  }
}

test('only a file of the unit tier fails, and only if it starts a program', async () => {
  const fault = 'it starts true: it needs a line "// needs: processes"';
  expect(await errorsOf('tests/a.test.ts', ['true'], 'a wait')).toEqual([fault]);
  expect(await errorsOf('tests/b.test.ts')).toEqual([]);
  expect(await errorsOf('tests/c.test.ts', ['true'])).toEqual([]);
});

test('a test without an expect and without a completed wait fails, but not in a long file', async () => {
  const nothing = await errorsOf('tests/c.test.ts');
  const afterWait = await errorsOf('tests/c.test.ts', undefined, 'a wait');
  const long = await errorsOf('tests/c.long.test.ts');
  expect({ nothing, afterWait, long }).toEqual({
    nothing: ['it proves nothing: it has no expect, and no wait of tests/support'],
    afterWait: [],
    long: [],
  });
  expect(await errorsOf('tests/c.test.ts')).toEqual([]);
});
