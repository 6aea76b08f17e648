// A member's cursors reveal nothing about other projects.
import { beforeAll, expect, test } from '@jest/globals';
import type { Identity } from '../../../platform/caller/identity.ts';
import { forFile } from '../../support/jest/shared.ts';
import { makeUser, systemBench } from './support/system-bench.ts';

const bench = forFile(() => systemBench());
let operator: Identity;
let project: string;

beforeAll(async () => {
  project = await bench.system.firstStart.ensureProject('alpha');
  operator = await makeUser(bench, 'operator', { projects: { [project]: 'OPERATOR' } });
});

async function happen(projectId: string | null, count = 1): Promise<void> {
  const wish = { projectId, kind: 'relayOperation.state', subjectType: 'RelayOperation', to: 'SENT' };
  await bench.append(...Array.from({ length: count }, () => wish));
  await bench.sequence();
  const [row] = await bench.db.query<{ seq: number }>('SELECT next_seq - 1 AS seq FROM status_sequencer');
  while (bench.feed.figures().seq < (row?.seq ?? 0)) await bench.feed.waitFor(() => true, { timeoutMs: 20 });
}

const document = `{ statusCursor
  statusHistory(first: 1) { pageInfo { endCursor } }
  auditEntries(first: 1) { pageInfo { endCursor } }
  projects(first: 1) { pageInfo { endCursor } } }`;

async function cursors(): Promise<readonly string[]> {
  const { data, errors } = await bench.ask(operator, document);
  expect(errors).toBeUndefined();
  const pages = [data.statusHistory, data.auditEntries, data.projects].map(({ pageInfo }) => pageInfo.endCursor ?? '');
  const stream = await bench.subscribe(operator, 'subscription { statusChanges { cursor } }');
  if (!(Symbol.asyncIterator in stream)) throw new Error('refused');
  const { value } = await stream.next();
  await stream.return(undefined);
  const item = value?.data?.statusChanges as { cursor: string };
  return [data.statusCursor, item.cursor, ...pages];
}

test('no cursor has a readable position, event or key, nor a length that depends on it', async () => {
  await bench.ask(
    operator,
    `mutation { apiTokenCreate(input: { name: "t", projectId: "none", role: VIEWER, idempotencyKey: "k" }) { userErrors { code } } }`,
  );
  await happen(project);
  const [row] = await bench.db.query<{ id: string }>(
    'SELECT event_id AS id FROM status_change ORDER BY seq DESC LIMIT 1',
  );
  for (const cursor of await cursors()) {
    expect(cursor).toMatch(/^[\w-]{80,200}$/);
    const text = Buffer.from(cursor, 'base64url').toString('latin1');
    expect(text).not.toContain(row?.id);
    // Long enough that random bytes do not match by chance (1 in a million runs).
    expect(text).not.toMatch(/[\w"[\]{},.: -]{16}/);
  }
});

test('cursors of the same position differ, so they do not show whether something has happened', async () => {
  const first = await cursors();
  const again = await cursors();
  await happen(null, 50);
  const later = await cursors();
  first.forEach((cursor, index) => {
    const all = [cursor, again[index], later[index]];
    expect(new Set(all).size).toBe(3);
    expect(new Set(all.map((text) => text?.length)).size).toBe(1);
  });
});

test('a cursor of another installation is refused, as is one of another connection', async () => {
  const stream = async (after: string) => {
    const answer = await bench.subscribe(
      operator,
      'subscription ($after: String) { statusChanges(after: $after) { cursor } }',
      { after },
    );
    if (!(Symbol.asyncIterator in answer)) return answer.errors?.map(({ extensions }) => extensions?.code);
    const { value } = await answer.next();
    await answer.return(undefined);
    return value?.errors?.map(({ extensions }) => extensions?.code);
  };
  expect(await stream(Buffer.from('1.1.0.').toString('base64url'))).toEqual(['INVALID_CURSOR']);
  const [, , ofHistory = '', ofAudit = ''] = await cursors();
  expect(await stream(ofHistory)).toEqual(['INVALID_CURSOR']);
  const page = (after: string) =>
    bench.ask(operator, 'query ($after: String) { statusHistory(after: $after) { nodes { id } } }', { after });
  for (const after of [ofAudit, Buffer.from('["1"]').toString('base64url'), 'x'])
    expect((await page(after)).codes).toEqual(['INVALID_INPUT']);
  expect((await page(ofHistory)).codes).toEqual([]);
});

test('CURSOR_EXPIRED does not reveal how many events there are', async () => {
  const { data } = await bench.ask(operator, '{ statusCursor }');
  await happen(null, 3);
  await bench.db.execute('UPDATE status_sequencer SET oldest_seq = next_seq - 1');
  const stream = await bench.subscribe(
    operator,
    'subscription ($after: String) { statusChanges(after: $after) { cursor } }',
    {
      after: data.statusCursor,
    },
  );
  if (!(Symbol.asyncIterator in stream)) throw new Error('refused');
  const { value } = await stream.next();
  expect(value?.errors).toMatchObject([{ extensions: { code: 'CURSOR_EXPIRED' } }]);
  expect(value?.errors?.[0]?.message).not.toMatch(/\d/);
  await bench.db.execute('UPDATE status_sequencer SET oldest_seq = 1');
});
