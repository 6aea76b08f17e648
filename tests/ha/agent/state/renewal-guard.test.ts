// When a lease may be renewed. A dead primary gives up the lead, but only if a member can take it.
import { beforeEach, expect, test } from '@jest/globals';
import { RenewalGuard } from '../../../../ha/agent/state/renewal-guard.ts';
import type { Duty, SyncSet } from '../../../../ha/agent/view.ts';

const heartbeatMs = 1_000;
const nowMs = 10_000;
const sync = (members: SyncSet['members']) => ({
  sync: { primary: 'a', epoch: 1, reign: 'r', members, revision: 7 },
});
const inSync = sync([{ host: 'b', incarnation: 'of-b' }]);
const up = { state: 'up' as const };

let server: { duty: Duty | undefined; aliveAtMs: number };
let guard: RenewalGuard;

beforeEach(() => {
  server = { duty: 'primary', aliveAtMs: nowMs - heartbeatMs };
  guard = new RenewalGuard({ server, heartbeatMs, nowMs: () => nowMs });
});

test('the lease of a dead primary is not renewed while it has a member', () => {
  guard.saw(up, inSync);
  expect(guard.mayRenew).toBe(false);
  server.aliveAtMs += 1;
  expect(guard.mayRenew).toBe(true);
});

test('a lease is renewed if there is no member, as no other host could do better', () => {
  guard.saw(up, sync([]));
  expect(guard.mayRenew).toBe(true);
});

test('a server that is starting has no heartbeat yet', () => {
  guard.saw({ state: 'starting' }, inSync);
  expect(guard.mayRenew).toBe(true);
  guard.saw(up, inSync);
  expect(guard.mayRenew).toBe(false);
});

test.each([['standby' as const], [undefined]])('a server whose duty is %s does not keep the lease', (duty) => {
  guard.saw(up, inSync);
  server.duty = duty;
  expect(guard.mayRenew).toBe(true);
});

test('a member is assumed before the first answer of etcd, and known members stay while etcd does not answer', () => {
  expect(guard.mayRenew).toBe(false);
  guard.saw(up, undefined);
  expect(guard.mayRenew).toBe(false);
  guard.saw(up, sync([]));
  guard.saw(up, undefined);
  expect(guard.mayRenew).toBe(true);
});
