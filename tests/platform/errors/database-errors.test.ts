// Which errors mean that the database is lost.
// needs: processes
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { isConnectionLost, isUnavailable } from '../../../platform/errors/database-errors.ts';

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

test('a missing socket does', async () => {
  const error = await failureOf(once(connect('/nonexistent/socket'), 'connect'));
  expect(error).toMatchObject({ code: 'ENOENT' });
  expect([isConnectionLost(error), isUnavailable(error)]).toEqual([true, true]);
});

test.each([
  ['file', () => readFile('/nonexistent/file')],
  ['folder', () => mkdir('/nonexistent/folder/in-it')],
  ['program', () => promisify(execFile)('/nonexistent/program')],
])('a missing %s does not', async (_what, work) => {
  const error = await failureOf(work());
  expect(error).toMatchObject({ code: 'ENOENT' });
  expect([isConnectionLost(error), isUnavailable(error)]).toEqual([false, false]);
});
