// The state of a cluster, derived from the reports of its hosts.
import { describe, expect, it } from '@jest/globals';
import { noTags } from '../../ha/agent/tags.ts';
import { type ClusterHost, statusOf } from '../../ha/cluster-status.ts';

type Known = Parameters<typeof statusOf>[1];

const hosts: readonly ClusterHost[] = [
  { name: 'one', address: '192.0.2.1', kind: 'data' },
  { name: 'two', address: '192.0.2.2', kind: 'data' },
  { name: 'far', address: '192.0.2.3', kind: 'data', asynchronous: true, vote: false },
  { name: 'judge', address: '192.0.2.4', kind: 'witness' },
];
const sync = { primary: 'one', reign: 'r1', epoch: 3, members: [{ host: 'two' }] };

function known(changes: Partial<Known> = {}): Known {
  return {
    ...{
      leader: { host: 'one', reign: 'r1' },
      sync,
      reports: {},
      away: () => undefined,
      ...{ paused: false, pausedUntil: null },
      ...{ tags: () => noTags, isToReinit: () => false, certificatesEndAt: () => undefined },
      ...{ switchoverTo: null, scheduled: null },
    },
    ...{ members: [], silent: new Set<string>(), aheadMs: new Map<string, number>(), ...changes },
  };
}

function report(values: object): Known['reports'][string] {
  return { received: 10, receiving: true, ...values } as Known['reports'][string];
}

function statesOf(status: ReturnType<typeof statusOf>): Record<string, string> {
  return Object.fromEntries(status.hosts.map(({ name, state }) => [name, state]));
}

describe('the state of a cluster', () => {
  it('names the state of each host while there is a primary', () => {
    const status = statusOf(hosts, known({ reports: { far: report({}) } }));
    expect(status).toMatchObject({
      primary: 'one',
      promoting: null,
      epoch: 3,
      copies: 2,
      paused: false,
      switchoverTo: null,
    });
    expect(statesOf(status)).toEqual({ one: 'PRIMARY', two: 'IN_SYNC', far: 'FOLLOWS', judge: 'WITNESS' });
  });

  it('has no primary and no copies while the leader belongs to another reign', () => {
    const status = statusOf(hosts, known({ leader: { host: 'two', reign: 'r2' } }));
    expect(status).toMatchObject({ primary: null, promoting: 'two', copies: 0 });
    expect(statesOf(status)).toEqual({ one: 'RETURNING', two: 'RETURNING', far: 'RETURNING', judge: 'WITNESS' });
  });

  it('calls a host silent if it is in sync but does not report, and shows nothing of its last report', () => {
    const reports = { one: report({}), two: report({ unfit: 'its disk is full', redis: true, received: 7 }) };
    const [, two] = statusOf(hosts, known({ reports, silent: new Set(['two']) })).hosts;
    expect(two).toMatchObject({ state: 'SILENT', behind: null, redis: null, unfit: null });
  });

  it('counts the missing writes of a host, and is never negative', () => {
    const reports = { one: report({}), two: report({ received: 7 }), far: report({ received: 12 }) };
    const { hosts: found } = statusOf(hosts, known({ reports }));
    expect(found.map(({ behind }) => behind)).toEqual([0, 3, 0, null]);
  });

  it("compares key files with the primary's, or with the first host's if there is no primary", () => {
    const reports = { one: report({ keys: { audit: 'a' } }), two: report({ keys: { audit: 'b' } }), far: report({}) };
    const keysOf = (changes: Partial<Known>) =>
      statusOf(hosts, known({ reports, ...changes })).hosts.map(({ keys }) => keys);
    expect(keysOf({})).toEqual(['SAME', 'DIFFERENT', null, null]);
    expect(keysOf({ sync: { ...sync, primary: 'two', members: [] } })).toEqual(['DIFFERENT', 'SAME', null, null]);
    expect(keysOf({ leader: undefined })).toEqual(['SAME', 'DIFFERENT', null, null]);
  });

  it('shows why a host is not a copy yet, only while it is not a copy', () => {
    const away = () => ({ why: 'it copies: 40 %' });
    const { hosts: found } = statusOf(hosts, known({ away, sync: { ...sync, members: [] } }));
    expect(found.map(({ returning }) => returning)).toEqual([null, 'it copies: 40 %', 'it copies: 40 %', null]);
  });

  it('distinguishes the etcd leader, members that answer, members that join, and hosts without a member', () => {
    const member = (host: number, changes: object = {}) =>
      ({ url: `https://192.0.2.${host}:2379`, memberId: `${host}`, leaderId: '1', ...changes }) as never;
    const members = [member(1), member(2, { isLearner: true })];
    const { hosts: found } = statusOf(hosts, known({ members }));
    expect(found.map(({ etcd }) => etcd)).toEqual(['LEADS', 'JOINS', 'NONE', 'SILENT']);
  });

  it('shows how slow the parts of a host are, and nothing of a host that is silent or does not report it', () => {
    const delays = { agentMs: 1_200, etcdMs: 1_900, commitMs: 20 };
    const reports = { one: report({ delays }), two: report({ delays }), far: report({}) };
    const { hosts: found } = statusOf(hosts, known({ reports, silent: new Set(['two']) }));
    expect(found.map((each) => each.delays)).toEqual([delays, null, null, null]);
  });

  it('rounds how far a clock is ahead, and shows nothing for clocks that were not reported', () => {
    const { hosts: found } = statusOf(hosts, known({ aheadMs: new Map([['two', -2.6]]) }));
    expect(found.map(({ clockAheadMs }) => clockAheadMs)).toEqual([null, -3, null, null]);
  });
});
