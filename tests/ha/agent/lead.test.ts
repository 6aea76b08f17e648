// The lead of a host: how long the host may rely on its lease, whatever answers etcd gives.
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLog } from '../../../embedded/setup-log.ts';
import { monotonicMs } from '../../../ha/agent/clock.ts';
import { LeadHolder, type LeadOptions } from '../../../ha/agent/lead.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';

const leaseMs = 60_000;
const fenceAfterMs = 40_000;
let place: TemporaryFolder;
let holder: LeadHolder | undefined;
let fences: number[];
let ends: number[];
/** One entry for each renewal that has no answer yet. */
let renewals: { readonly askedMs: number; readonly answer: (isRenewed: boolean) => void }[];

beforeEach(async () => {
  place = await temporaryFolder();
  [fences, ends, renewals] = [[], [], []];
});
afterEach(async () => {
  holder?.close();
  await place.remove();
});

async function open(mayRenew = () => true, looksEveryMs = 5): Promise<LeadHolder> {
  const etcd: LeadOptions['etcd'] = {
    grant: async () => ({ id: '1', ttlSeconds: leaseMs / 1_000 }),
    keepAlive: () =>
      new Promise<boolean>((resolve) => renewals.push({ askedMs: monotonicMs(), answer: (is) => resolve(is) })),
    revoke: async () => undefined,
  };
  holder = await LeadHolder.open({
    ...{ etcd, log: silentLog, leaseMs, mayRenew, looksEveryMs, renewAfterMs: 20 },
    file: join(place.path, 'lead.json'),
    onFence: async (fenceAtMs, endsAtMs) => {
      fences.push(fenceAtMs);
      ends.push(endsAtMs);
    },
  });
  return holder;
}

test('the lease counts from before its request, and each renewal counts from before it was sent', async () => {
  const lead = await open();
  const beforeMs = monotonicMs();
  const first = await lead.prepare();
  expect(first.fenceAtMs).toBeLessThanOrEqual(monotonicMs() + fenceAfterMs);
  expect(first.fenceAtMs).toBeGreaterThanOrEqual(beforeMs + fenceAfterMs);
  const renewal = await waitFor('a renewal', () => renewals[0]);
  // The answer is late.
  await waitFor('time', () => monotonicMs() > renewal.askedMs + 50);
  expect(lead.current?.fenceAtMs).toBe(first.fenceAtMs);
  renewal.answer(true);
  await waitFor('the renewal', () => lead.current !== undefined && lead.current.fenceAtMs > first.fenceAtMs);
  expect(lead.current?.fenceAtMs).toBeLessThanOrEqual(renewal.askedMs + fenceAfterMs);
  // The watchdog got the fence before the agent relied on it.
  expect(fences.at(-1)).toBe(lead.current?.fenceAtMs);
  // No other host may take the lead earlier, and the end that readers see is not later.
  expect(ends.at(-1)).toBeGreaterThan(lead.current?.fenceAtMs ?? Number.POSITIVE_INFINITY);
  expect(ends.at(-1)).toBeLessThan(renewal.askedMs + leaseMs);
});

test('a lease that has ended, or whose server is dead, is not renewed', async () => {
  let isAlive = true;
  const lead = await open(() => isAlive);
  const { fenceAtMs } = await lead.prepare();
  (await waitFor('a renewal', () => renewals[0])).answer(false);
  (await waitFor('another one', () => renewals[1])).answer(false);
  expect(lead.current?.fenceAtMs).toBe(fenceAtMs);
  isAlive = false;
  const asked = renewals.length;
  const untilMs = monotonicMs() + 50;
  await waitFor('time', () => monotonicMs() > untilMs);
  expect(renewals.length).toBeLessThanOrEqual(asked + 1);
});

test('an answer that arrives after the lead was given up does not restore it', async () => {
  const lead = await open();
  await lead.prepare();
  const renewal = await waitFor('a renewal', () => renewals[0]);
  await lead.giveUp();
  renewal.answer(true);
  const untilMs = monotonicMs() + 50;
  await waitFor('time', () => monotonicMs() > untilMs);
  expect(lead.current).toBeUndefined();
});

test('a restarted agent keeps the lead until the same time', async () => {
  const lead = await open();
  const { id, fenceAtMs } = await lead.prepare();
  lead.close();
  const again = await open();
  expect(again.current).toMatchObject({ id, fenceAtMs });
  expect(fences.at(-1)).toBe(fenceAtMs);
});

test('a lead may last longer than usual, also for a restarted agent', async () => {
  const lead = await open();
  const askedMs = monotonicMs();
  const { fenceAtMs } = await lead.prepare(2 * leaseMs);
  expect(fenceAtMs - askedMs).toBeGreaterThanOrEqual(2 * fenceAfterMs);
  lead.close();
  const again = await open();
  renewals = [];
  const renewal = await waitFor('a renewal', () => renewals[0]);
  renewal.answer(true);
  await waitFor('the renewal', () => (again.current?.fenceAtMs ?? 0) > fenceAtMs);
  expect((again.current?.fenceAtMs ?? 0) - renewal.askedMs).toBeGreaterThan(fenceAfterMs);
});

test('a restarted agent renews at once, if its server lives', async () => {
  const lead = await open();
  await lead.prepare();
  const untilMs = monotonicMs() + 30;
  await waitFor('time', () => monotonicMs() > untilMs);
  lead.close();
  let isAlive = false;
  const again = await open(() => isAlive, 60_000);
  const before = renewals.length;
  again.renewIfDue();
  expect(renewals.length).toBe(before);
  isAlive = true;
  again.renewIfDue();
  expect(renewals.length).toBe(before + 1);
});
