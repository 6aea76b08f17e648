// How late the parts of a host were in the last ten seconds, and how people read it.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Delays, delaysText } from '../../../../ha/agent/state/delays.ts';

let nowMs: number;
let delays: Delays;

beforeEach(() => {
  nowMs = 1_000;
  delays = new Delays(() => nowMs);
});
afterEach(() => delays.close());

test('the longest of the last ten seconds counts, also after shorter ones', () => {
  delays.took('etcd', 1_900);
  nowMs += 4_000;
  delays.took('etcd', 300);
  delays.took('commit', 40);
  expect(delays.current).toMatchObject({ agentMs: 0, etcdMs: 1_900, commitMs: 40 });
  nowMs += 6_000;
  expect(delays.current).toMatchObject({ etcdMs: 300, commitMs: 40 });
  nowMs += 4_000;
  expect(delays.current).toMatchObject({ etcdMs: 0, commitMs: 0 });
});

test('a call that fails was slow too', async () => {
  const call = Promise.withResolvers<void>();
  const timed = delays.timed('etcd', call.promise);
  nowMs += 900;
  call.reject(new Error('no answer'));
  await expect(timed).rejects.toThrow('no answer');
  expect(delays.current.etcdMs).toBe(900);
});

test('the timer measures how late the agent itself is', async () => {
  nowMs += 5_000;
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(delays.current.agentMs).toBeGreaterThanOrEqual(4_000);
});

test('people read what was slow, and nothing else', () => {
  const pressure = { cpu: 96.9, io: 3, memory: 0 };
  expect(delaysText({ agentMs: 1_200, etcdMs: 1_900, commitMs: 20, pressure })).toBe(
    'etcd took 1,900 ms, the agent was 1,200 ms late, work waited for a processor 97 % of the time',
  );
  expect(delaysText({ agentMs: 5, etcdMs: 12, commitMs: 20 })).toBeUndefined();
});
