// The audit trail: access, detection of a changed entry, and the export.
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { audit } from '../../../platform/audit/audit.ts';
import { entryHash, type HashedEntry } from '../../../platform/audit/chain.ts';
import { AuditSealer } from '../../../platform/audit/sealer.ts';
import { exportAudit } from '../../../platform/audit/trail.ts';
import type { Identity } from '../../../platform/caller/identity.ts';
import { decodeId, encodeId } from '../../../platform/values/ids.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { makeUser, type SystemBench, systemBench, testAuditKeys } from './support/system-bench.ts';

let bench: SystemBench;
let admin: Identity;
let operator: Identity;
let viewer: Identity;
let other: Identity;
let alpha: string;
let beta: string;
let sealer: AuditSealer;

beforeAll(async () => {
  bench = await systemBench();
  const { firstStart } = bench.system;
  alpha = await firstStart.ensureProject('alpha');
  beta = await firstStart.ensureProject('beta');
  admin = await makeUser(bench, 'admin', { admin: true });
  operator = await makeUser(bench, 'operator', { projects: { [alpha]: 'OPERATOR' } });
  viewer = await makeUser(bench, 'viewer', { projects: { [alpha]: 'VIEWER' } });
  other = await makeUser(bench, 'other', { projects: { [beta]: 'OPERATOR' } });
  sealer = new AuditSealer({ ...bench, keys: testAuditKeys });
  const projectId = encodeId('Project', alpha);
  await create(operator, 'apiTokenCreate', { projectId, name: 'cmp', role: 'VIEWER' });
  await create(viewer, 'apiTokenCreate', { projectId, name: 'mine', role: 'VIEWER' });
  await create(admin, 'userCreate', { name: 'dora', password: 'a password that fits' });
});

afterAll(async () => {
  await sealer.stop();
  await bench.stop();
});

function create(caller: Identity, mutation: string, input: object) {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  return bench.ask(caller, `mutation ($input: ${type}!) { ${mutation}(input: $input) { userErrors { code } } }`, {
    input,
  });
}

const entry =
  'id position recordedAt actor { name kind } action project { name } subjectId subject { __typename } outcome code requestId details hash';

async function entries(caller: Identity, variables: object = {}) {
  const document = `query ($projectId: ID, $first: Int, $after: String) { auditEntries(projectId: $projectId, first: $first, after: $after) {
    nodes { ${entry} } pageInfo { hasNextPage endCursor } } }`;
  return bench.ask(caller, document, variables);
}

describe('entries', () => {
  test('record the caller, the request and the result', async () => {
    const { nodes } = (await entries(admin, { first: 3 })).data.auditEntries;
    const base = {
      recordedAt: expect.any(String),
      id: expect.any(String),
      requestId: 'test-request',
      position: null,
      hash: null,
    };
    expect(nodes).toEqual([
      {
        ...base,
        actor: { name: 'admin', kind: 'USER' },
        action: 'userCreate',
        project: null,
        subjectId: expect.any(String),
        subject: { __typename: 'User' },
        outcome: 'ACCEPTED',
        code: null,
        details: { name: 'dora', password: '•••', admin: false },
      },
      {
        ...base,
        actor: { name: 'viewer', kind: 'USER' },
        action: 'apiTokenCreate',
        project: { name: 'alpha' },
        subjectId: null,
        subject: null,
        outcome: 'REFUSED',
        code: 'FORBIDDEN',
        details: expect.objectContaining({ name: 'mine' }),
      },
      {
        ...base,
        actor: { name: 'operator', kind: 'USER' },
        action: 'apiTokenCreate',
        project: { name: 'alpha' },
        subjectId: expect.any(String),
        subject: { __typename: 'ApiToken' },
        outcome: 'ACCEPTED',
        code: null,
        details: expect.objectContaining({ name: 'cmp' }),
      },
    ]);
  });

  test('are visible to operators of the project and to administrators', async () => {
    const projectId = encodeId('Project', alpha);
    const own = (await entries(operator)).data.auditEntries.nodes;
    expect(own.length).toBeGreaterThan(0);
    expect(own.every((each) => each.project?.name === 'alpha')).toBe(true);
    expect((await entries(viewer)).data.auditEntries.nodes).toEqual([]);
    expect((await entries(viewer, { projectId })).codes).toEqual(['FORBIDDEN']);
  });

  test('are paged, newest first', async () => {
    const whole = (await entries(admin)).data.auditEntries.nodes;
    const first = (await entries(admin, { first: 2 })).data.auditEntries;
    const rest = (await entries(admin, { after: first.pageInfo.endCursor })).data.auditEntries;
    expect([...first.nodes, ...rest.nodes]).toEqual(whole);
    expect((await entries(admin, { after: Buffer.from('["x"]').toString('base64url') })).codes).toEqual([
      'INVALID_INPUT',
    ]);
  });
});

describe('a filter', () => {
  const found = async (filter: string, caller = admin): Promise<readonly string[]> => {
    const { data, errors } = await bench.ask(caller, `{ auditEntries(${filter}) { nodes { action outcome } } }`);
    expect(errors).toBeUndefined();
    return data.auditEntries.nodes.map(({ action, outcome }: { action: string; outcome: string }) =>
      outcome === 'ACCEPTED' ? action : `${action} ${outcome}`,
    );
  };

  test('selects by caller, action, object, result and request', async () => {
    expect(await found('actorName: "VIEW"')).toEqual(['apiTokenCreate REFUSED']);
    expect(await found('actorName: "%"')).toEqual([]);
    expect(await found('action: "usercreate"')).toEqual(['userCreate']);
    expect(await found('exceptActions: ["apiTokenCreate", "ensureProject", "none"]')).toEqual(['userCreate']);
    const many = JSON.stringify(Array.from({ length: 21 }, (_, at) => `a${at}`));
    const { errors } = await bench.ask(admin, `{ auditEntries(exceptActions: ${many}) { nodes { action } } }`);
    expect(errors?.[0]?.extensions?.code).toBe('INVALID_INPUT');
    expect(await found('outcomes: [REFUSED]')).toEqual(['apiTokenCreate REFUSED']);
    expect(await found('outcomes: []')).toEqual([]);
    expect(await found('actorName: "operator", action: "token", outcomes: [ACCEPTED]')).toEqual(['apiTokenCreate']);
    const { nodes } = (await entries(admin, { first: 1 })).data.auditEntries;
    expect(await found(`subjectId: ${JSON.stringify(nodes[0]?.subjectId)}`)).toEqual(['userCreate']);
    expect(await found('subjectId: "no id"')).toEqual([]);
    expect(await found('requestId: "test-request"')).toEqual([
      'userCreate',
      'apiTokenCreate REFUSED',
      'apiTokenCreate',
    ]);
    expect(await found('requestId: "another"')).toEqual([]);
  });

  test('by object shows an operator only the entries of their projects', async () => {
    const { nodes } = (await entries(operator)).data.auditEntries;
    const subjectId = nodes.find(
      ({ action, outcome }) => action === 'apiTokenCreate' && outcome === 'ACCEPTED',
    )?.subjectId;
    const filter = `subjectId: ${JSON.stringify(subjectId)}`;
    expect(await found(filter, operator)).toEqual(['apiTokenCreate']);
    expect(await found(`${filter}, projectId: ${JSON.stringify(encodeId('Project', alpha))}`)).toEqual([
      'apiTokenCreate',
    ]);
    expect(await found(`${filter}, projectId: ${JSON.stringify(encodeId('Project', beta))}`)).toEqual([]);
    expect(await found(filter, other)).toEqual([]);
  });

  test('selects by time', async () => {
    const { nodes } = (await entries(admin, { first: 100 })).data.auditEntries;
    const newest = nodes[0]?.recordedAt;
    const all = await found('first: 100');
    expect(await found(`recordedFrom: ${JSON.stringify(newest)}`)).toContain('userCreate');
    expect(await found(`recordedBefore: ${JSON.stringify(newest)}`)).not.toContain('userCreate');
    expect(await found('recordedFrom: "2020-01-01T00:00:00.000Z", first: 100')).toEqual(all);
    expect(await found('recordedBefore: "2020-01-01T00:00:00.000Z"')).toEqual([]);
  });

  test('is counted, bounded, and shows operators nothing of other projects', async () => {
    const text = '{ auditEntries(action: "apitoken") { totalCount } }';
    expect((await bench.ask(admin, text)).data.auditEntries.totalCount).toBe(2);
    expect(await found('action: "userCreate"', operator)).toEqual([]);
    const tooLong = `{ auditEntries(requestId: "${'x'.repeat(65)}") { totalCount } }`;
    expect((await bench.ask(admin, tooLong)).codes).toEqual(['INVALID_INPUT']);
  });
});

describe('verification', () => {
  const document =
    'query ($from: BigInt, $limit: Int) { auditVerification(fromPosition: $from, limit: $limit) { intact checked unsealed firstBrokenPosition reason } }';
  const verify = async (variables: object = {}) => bench.ask(admin, document, variables);

  test('accepts an intact trail, and finds a changed entry', async () => {
    while ((await sealer.runOnce()) > 0);
    const whole = (await verify()).data.auditVerification;
    expect(whole).toMatchObject({ intact: true, unsealed: 0, firstBrokenPosition: null });
    expect(whole.checked).toBeGreaterThan(3);
    const [row] = await bench.db.query<{ details: string }>('SELECT details FROM audit_entry WHERE position = 2');
    await bench.db.execute("UPDATE audit_entry SET details = '{}' WHERE position = 2");
    expect((await verify()).data.auditVerification).toMatchObject({
      intact: false,
      firstBrokenPosition: '2',
      reason: expect.any(String),
    });
    await bench.db.execute('UPDATE audit_entry SET details = ? WHERE position = 2', [row?.details ?? '']);
    expect((await verify()).data.auditVerification.intact).toBe(true);
  });

  test('an operator does not see how many entries other projects have', async () => {
    const seen = (await entries(operator)).data.auditEntries.nodes;
    const whole = (await entries(admin)).data.auditEntries.nodes;
    expect(seen.map(({ position }) => position)).toEqual(seen.map(() => null));
    expect(whole.map(({ position }) => position)).toContain('1');
    expect(whole.map(({ id }) => id)).toEqual(expect.arrayContaining(seen.map(({ id }) => id)));
    expect(new Set(whole.map(({ id }) => id)).size).toBe(whole.length);
    for (const { id } of whole) expect(decodeId(id)?.key).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each([{ limit: 0 }, { limit: 100_001 }, { from: 'x' }, { from: '-1' }])('refuses %j', async (variables) => {
    expect((await verify(variables)).codes).toEqual(['INVALID_INPUT']);
  });
});

describe('export', () => {
  async function exported(
    range: { from?: Date; to?: Date } = {},
  ): Promise<readonly (HashedEntry & { position: number; previousHash: string; hash: string; details: unknown })[]> {
    const chunks: string[] = [];
    // A reader that takes one line at a time, so that the writer must wait for it.
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk, _encoding, done) {
        chunks.push(String(chunk));
        setImmediate(done);
      },
    });
    const count = await exportAudit(bench.db, slow, range);
    const lines = chunks.join('').split('\n').filter(Boolean);
    expect(lines).toHaveLength(count);
    return lines.map((line) => JSON.parse(line));
  }

  test('has every entry, oldest first, and can be verified elsewhere', async () => {
    while ((await sealer.runOnce()) > 0);
    const rows = await exported();
    const [total] = await bench.db.query<{ count: number }>('SELECT COUNT(*) AS count FROM audit_entry');
    expect(rows).toHaveLength(total?.count ?? -1);
    let previousHash = '0'.repeat(64);
    for (const row of [...rows].sort((one, other) => one.position - other.position)) {
      const original = { ...row, at: new Date(row.at), details: JSON.stringify(row.details) };
      expect(row.previousHash).toBe(previousHash);
      expect(entryHash(original, row.position, previousHash)).toBe(row.hash);
      previousHash = row.hash;
    }
  });

  test('has only the entries in the range', async () => {
    await bench.db.execute(
      "INSERT INTO audit_entry (at, actor_kind, actor_name, action, outcome, details) VALUES ('2001-02-03 04:05:06.007', 'user', 'x', 'old', 'ACCEPTED', '{}')",
    );
    const old = new Date('2001-02-03T04:05:06.007Z');
    const after = new Date(old.getTime() + 1);
    expect((await exported({ to: after })).map((row) => row.action)).toEqual(['old']);
    expect(await exported({ from: old, to: old })).toEqual([]);
    expect((await exported({ from: after })).map((row) => row.action)).not.toContain('old');
  });

  test('waits for uncommitted entries: two exports in a row have each entry once', async () => {
    let commit = () => {};
    const committing = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let written = () => {};
    const open = new Promise<void>((resolve) => {
      written = resolve;
    });
    const writer = bench.db.transaction(async (tx) => {
      const record = { identity: null, projectId: null, outcome: 'ACCEPTED', requestId: 'late', details: {} } as const;
      await audit(tx, { ...record, action: 'late' });
      written();
      await committing;
    });
    await open;
    const [now] = await bench.db.query<{ at: Date }>('SELECT NOW(3) + INTERVAL 1 SECOND AS at');
    const at = now?.at ?? new Date();
    const first = exported({ to: at });
    // The export holds the only connection that the pool gives to one user.
    await using stack = new AsyncDisposableStack();
    const watcher = await createConnection({
      ...bench.place.rootConnection,
      database: bench.place.connection.database,
    });
    stack.defer(() => watcher.end());
    await waitFor('the export to wait', async () => {
      const waits = `SELECT 1 FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()
        AND info LIKE '%FROM audit_entry%'`;
      return (await watcher.query(waits)).length > 0 ? true : undefined;
    });
    commit();
    await writer;
    const actions = [...(await first), ...(await exported({ from: at }))].map((row) => row.action);
    expect(actions.filter((action) => action === 'late')).toHaveLength(1);
  });

  test('stops on request', async () => {
    const aborted = AbortSignal.abort(new Error('enough'));
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    await expect(exportAudit(bench.db, nowhere, { signal: aborted })).rejects.toThrow('enough');
  });
});
