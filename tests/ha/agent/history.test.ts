// What is recorded about the end of a lead: the cause, with what was slow, and how many leads were lost to slowness in the last minutes.
import { beforeEach, expect, test } from '@jest/globals';
import { silentLog } from '../../../embedded/setup-log.ts';
import { HaHistory } from '../../../ha/agent/history.ts';
import { endedValue, haKeys } from '../../../ha/agent/keys.ts';
import type { HaServer } from '../../../ha/agent/server.ts';
import type { DelaysValue } from '../../../ha/agent/state/delays.ts';
import type { EtcdClient } from '../../../ha/etcd.ts';

const keys = haKeys('test');
const minuteMs = 60_000;
let stored: Map<string, string>;
let current: DelaysValue;

beforeEach(() => {
  stored = new Map();
  current = { agentMs: 1_200, etcdMs: 1_900, commitMs: 0 };
});

function historyOf(me: string): HaHistory {
  const etcd = {
    put: async (key: string, value: string) => void stored.set(key, value),
    get: async (key: string) => ({
      entries: [stored.get(key)].flatMap((value) => (value === undefined ? [] : { value })),
    }),
  };
  return new HaHistory({
    ...{ keys, me, hosts: { a: {}, b: {} }, log: silentLog },
    ...{ server: {} as HaServer, etcd: etcd as unknown as EtcdClient },
    delays: {
      get current() {
        return current;
      },
    },
  });
}

const ended = () => endedValue.parse(JSON.parse(stored.get(keys.ended) ?? ''));

test('a lead that its host was too slow to keep says what was slow, and counts', async () => {
  await historyOf('a').ended('r1', 'the lease was not renewed in time', true);
  expect(ended().why).toBe('the lease was not renewed in time: etcd took 1,900 ms, the agent was 1,200 ms late');
  const next = historyOf('b');
  expect(await next.lateLeads()).toBe(1);
  await next.ended('r2', 'the lease was not renewed in time', true);
  expect(await historyOf('a').lateLeads()).toBe(2);
});

test('a lead that ended for another reason counts for nothing', async () => {
  await historyOf('a').ended('r1', 'a switchover to b was requested');
  expect(ended()).toEqual({ reign: 'r1', why: 'a switchover to b was requested', lateAt: [] });
});

test('a host that gives up its lead before it is the primary changes neither the cause nor the count', async () => {
  await historyOf('a').ended('r1', 'the lease was not renewed in time', true);
  const before = ended();
  const next = historyOf('b');
  await next.lateLeads();
  await next.ended('r2', 'a is back');
  expect(ended()).toEqual(before);
});

test('lost leads are forgotten after ten minutes, and an earlier version counts none', async () => {
  const lateAt = [Date.now() - 11 * minuteMs, Date.now() - 9 * minuteMs];
  stored.set(keys.ended, JSON.stringify({ reign: 'r1', why: 'late', lateAt }));
  expect(await historyOf('b').lateLeads()).toBe(1);
  stored.set(keys.ended, JSON.stringify({ reign: 'r1', why: 'late' }));
  expect(await historyOf('b').lateLeads()).toBe(0);
});
