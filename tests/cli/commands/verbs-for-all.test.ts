// Verbs for all kinds of objects that read standard input, replace files, or wait for events. All others are rows of nouns.test.ts.
import { lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { runTidegate } from '../../../cli/program.ts';
import { shortId } from '../../../cli/short-id.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { CommandTable, list } from './command-table.ts';
import { goodToken } from './graph-server.ts';
import { emptyBeside } from './rows/finding.ts';
import { runCommand } from './run-command.ts';

const table = new CommandTable();
const operationId = encodeId('RelayOperation', newUuid());
const change = (to: string) => ({
  ...{ changedAt: '2026-01-31T12:00:00.000Z', kind: 'relayOperation.state', subjectType: 'RelayOperation' },
  ...{ subjectId: operationId, subjectVersion: 2, from: 'SENT', to, reason: null, requestId: null },
});
beforeEach(() => {
  table.server.requests.length = 0;
  table.server.answers = emptyBeside({});
});
const env = { TIDEGATE_TOKEN: goodToken };
const run = (...words: string[]) => runCommand([...words, '--url', table.server.url], { env });

test('gql also reads a file from standard input', async () => {
  const written: string[] = [];
  const stdout = { write: (part: string) => written.push(part) > 0 } as never;
  const exitCode = await runTidegate({
    ...{ args: ['gql', '-', '--url', table.server.url], env, stdout, stderr: stdout },
    signal: new AbortController().signal,
    stdin: () => Readable.from([Buffer.from('{ projects { nodes '), Buffer.from('{ name } } }')]),
  });
  expect([exitCode, JSON.parse(written.join(''))]).toEqual([0, { data: { projects: { nodes: [] } } }]);
});

describe('export', () => {
  test('replaces a file behind a link, and keeps its permissions', async () => {
    const [kept, link] = [join(table.folder.path, 'kept.yaml'), join(table.folder.path, 'link.yaml')];
    await writeFile(kept, 'kind: Gslb\n', { mode: 0o640 });
    await symlink('kept.yaml', link);
    const done = await run('export', '--kind', 'Project', '-f', link);
    expect([done.exitCode, done.stderr]).toEqual([0, '']);
    expect(await readFile(kept, 'utf8')).toBe('');
    expect([(await lstat(link)).isSymbolicLink(), (await stat(kept)).mode & 0o777]).toEqual([true, 0o640]);
    expect((await readdir(table.folder.path)).filter((name) => name.includes('partial'))).toEqual([]);
    expect(done.stdout).toBe(`0 objects are in ${link}\n`);
    const at = '2026-01-01T00:00:00.000Z';
    const project = { id: 'P1', name: 'one', description: '', version: 1, createdAt: at, updatedAt: at };
    table.server.answers = emptyBeside({ projects: list(project) });
    const one = await run('export', '--kind', 'Project', '-f', link);
    expect([one.stdout, one.stderr]).toEqual([`1 object is in ${link}\n`, '']);
    const full = await run('export', '--kind', 'Project', '-f', table.folder.path);
    expect(full).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("can't be written: EISDIR") });
  });

  test('writes no file if one of the names is refused', async () => {
    const path = join(table.folder.path, 'none.yaml');
    const { exitCode } = await run('export', '--kind', 'GslbPool', '--name', 'web', '--name', 'sparr', '-f', path);
    expect(exitCode).toBe(1);
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('events wait', () => {
  const began = { statusCursor: () => '1', node: () => null };
  /** After that it is silent until its reader leaves. */
  const stream = (...changes: object[]) => {
    const left = Promise.withResolvers<void>();
    const rest = changes.map((each) => ({ statusChanges: { cursor: '2', kind: 'CREATED', change: each } }));
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      async next() {
        const value = rest.shift();
        if (value === undefined) await left.promise;
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      async return() {
        left.resolve();
        return { done: true, value: undefined };
      },
    };
  };
  const wait = (...more: string[]) =>
    run('events', 'wait', '--subject', shortId(operationId) ?? '', '--to', 'succeeded', ...more);
  test('ends at once if that is the last state', async () => {
    table.server.answers = emptyBeside({
      ...began,
      statusHistory: list(change('SUCCEEDED'), change('SENT')),
    });
    expect(await wait()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('SUCCEEDED') });
    expect(table.server.requests).toContainEqual(expect.objectContaining({ subjectId: operationId }));
  });

  test('an earlier state does not count; the next change does', async () => {
    table.server.answers = emptyBeside({
      ...began,
      statusHistory: list(change('SENT'), change('SUCCEEDED')),
      statusChanges: () => stream(change('UNKNOWN'), { ...change('SUCCEEDED'), reason: 'the new one' }),
    });
    expect(await wait()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('the new one') });
    // From the moment when it began to read.
    expect(table.server.requests).toContainEqual(expect.objectContaining({ after: '1' }));
  });

  test('--only-new reads no earlier change; exit code 4 at the timeout', async () => {
    table.server.answers = emptyBeside({
      ...began,
      statusHistory: list(change('SUCCEEDED')),
      statusChanges: () => stream(change('UNKNOWN')),
    });
    expect(await wait('--only-new', '--timeout', '1')).toMatchObject({
      ...{ exitCode: 4, stderr: 'tidegate: not within 1 s: no change to SUCCEEDED\n' },
    });
  });
});
