// The items that need attention in a part: their order, the items that a login may not see, unreadable parts, and the hours of the database.
import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { AttentionPart, type AttentionSort, measureAttention } from '../../../platform/attention/attention.ts';
import type { Identity, RequestContext } from '../../../platform/caller/identity.ts';
import type { HaCluster } from '../../../platform/process/ha-cluster.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { databaseAttention } from '../../../subgraphs/system/control/attention.ts';
import { forFile } from '../../support/jest/shared.ts';
import { TestContext } from '../../support/product/test-context.ts';

const ground = forFile(() => TestContext.open());

function context(admin: boolean): RequestContext {
  const identity: Identity = { kind: 'user', id: 'u', name: 'u', admin, projects: {}, credentialId: 'c' };
  return { identity, requestId: 'r', loaders: new Map() };
}

const ids = [newUuid(), newUuid(), newUuid()] as const;
const found = (nodes: Awaited<ReturnType<AttentionSort['read']>>['nodes']) => ({
  nodes,
  count: async () => nodes.length,
});
const sorts: readonly AttentionSort[] = [
  {
    ...{ kind: 'MAPPING_DRIFTED', subjectType: 'Mapping' },
    read: async () =>
      found([{ id: ids[0], name: 'rule-9', severity: 'WARNING', status: 'MISSING', reason: null, since: new Date(1) }]),
  },
  {
    ...{ kind: 'BACKEND_NOT_AVAILABLE', subjectType: 'T', eventKind: 'k' },
    read: async () => found([{ id: ids[1], name: 'fw', severity: 'CRITICAL', status: 'OFFLINE', reason: 'refused' }]),
  },
  {
    ...{ kind: 'CHECKER_ABSENT', subjectType: 'GslbChecker', ofInstallation: true },
    read: async () =>
      found([{ id: ids[2], name: 'ap', severity: 'CRITICAL', status: 'ABSENT', reason: null, since: null }]),
  },
];

test('critical items come first, the newest event gives the start time, and logins without access get only a count', async () => {
  await ground.append({ subjectId: ids[1], kind: 'k', to: 'OFFLINE' }, { subjectId: ids[1], kind: 'other' });
  await ground.sequence();
  const part = new AttentionPart({ db: ground.db, name: 'relay', sorts });
  const needs = await part.needs(context(true));
  expect(needs.map(({ subjectName }) => subjectName)).toEqual(['fw', 'ap', 'rule-9']);
  expect(Date.now() - (needs[0]?.since?.getTime() ?? 0)).toBeLessThan(60_000);
  expect([await part.totalCount(context(true)), await part.notShown(context(true))]).toEqual([3, []]);
  expect(await part.totalCount(context(false))).toBe(2);
  expect((await part.needs(context(false))).map(({ subjectName }) => subjectName)).toEqual(['fw', 'rule-9']);
  expect(await part.notShown(context(false))).toEqual([{ kind: 'CHECKER_ABSENT', count: 1 }]);
});

test('each kind is read and counted once for a request, whatever the request selects', async () => {
  const done: string[] = [];
  const counted: AttentionSort = {
    ...{ kind: 'NAME_NOT_UP', subjectType: 'Gslb' },
    async read() {
      done.push('read');
      const count = async () => {
        done.push('count');
        return 0;
      };
      return { nodes: [], count };
    },
  };
  const part = new AttentionPart({ db: ground.db, name: 'gslb', sorts: [counted] });
  const request = context(true);
  await Promise.all([part.needs(request), part.counts(request), part.totalCount(request)]);
  expect(done).toEqual(['read', 'count']);
  await part.needs(context(true));
  expect(done).toEqual(['read', 'count', 'read']);
});

test('a part that cannot be read is missing from the metrics, and the others are present', async () => {
  const registry = new Registry();
  const lost: AttentionSort = {
    kind: 'NAME_NOT_UP',
    subjectType: 'Gslb',
    read: () => Promise.reject(new Error('lost')),
  };
  measureAttention(registry, new AttentionPart({ db: ground.db, name: 'gslb', sorts: [lost] }));
  measureAttention(registry, new AttentionPart({ db: ground.db, name: 'relay', sorts }));
  const text = await registry.metrics();
  expect(text).toContain('tidegate_attention{part="relay",kind="CHECKER_ABSENT"} 1');
  expect(text).not.toContain('gslb"');
});

test('the hours of the database begin with the first process that ran', async () => {
  const status = { primary: 'a', epoch: 1, copies: 1, paused: false, hosts: [] };
  const part = databaseAttention(ground.db, { status: async () => status } as unknown as HaCluster);
  expect(await part.needs(context(true))).toMatchObject([{ kind: 'DATABASE_ONE_COPY', status: 'ONE_COPY' }]);
  const states = async () => (await part.hours(context(true)))?.map(({ state }) => state);
  expect(await states()).toEqual(Array(24).fill('UNKNOWN'));
  await ground.db.execute("INSERT INTO running_time VALUES ('system', NOW(3) - INTERVAL 1 MINUTE, NOW(3))");
  await ground.db.execute('UPDATE ha_told SET copies = 1 WHERE id = 1');
  expect((await states())?.at(-1)).toBe('DOWN');
  expect((await states())?.slice(0, 22)).toEqual(Array(22).fill('UNKNOWN'));
  expect(await part.hours(context(false))).toBeNull();
});
