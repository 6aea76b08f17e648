// Clients are directed to this host while its writes are open under a lease, and never after the lead was given up.
import { beforeEach, expect, test } from '@jest/globals';
import { Announcing } from '../../../../ha/agent/state/announcing.ts';
import type { ServerView, View } from '../../../../ha/agent/view.ts';

const server = {
  ...{ state: 'up' as const, duty: 'primary' as const, incarnation: 'of-a', writable: true, semiSync: true },
  ...{ aliveAtMs: 0, waitingSinceMs: undefined, position: 1, received: 1, replica: undefined, admissions: [] },
};
const shared = (epoch: number): View['shared'] => ({
  ...{ leader: { host: 'a', reign: 'r' }, reports: {}, clocksAheadMs: {} },
  sync: { primary: 'a', epoch, reign: 'r', members: [], revision: 7 },
  wishes: { paused: false, switchoverTo: undefined },
});
const open = { server, reign: { id: 'r', fenceAtMs: 5_000 }, shared: shared(3) };

let told: string[];
let announcing: Announcing;

beforeEach(() => {
  told = [];
  announcing = new Announcing({
    held: (fenceAtMs, epoch) => told.push(`held ${fenceAtMs} ${epoch}`),
    lost: () => told.push('lost'),
  });
});

test('a primary whose writes are open is announced at each poll and each renewal, up to its fence', () => {
  announcing.saw(open);
  announcing.renewed(6_000);
  announcing.saw({ ...open, reign: { id: 'r', fenceAtMs: 6_000 } });
  expect(told).toEqual(['held 5000 3', 'held 6000 3', 'held 6000 3']);
});

test.each<[string, Partial<View>]>([
  ['without a lead', { reign: undefined }],
  ['whose writes are closed', { server: { ...server, writable: false } }],
  ['that is a standby', { server: { ...server, duty: 'standby' } }],
  ['that is down', { server: { state: 'down' } }],
])('a host %s is not announced, not even by a renewal', (_what, changed) => {
  announcing.saw(open);
  announcing.saw({ ...open, ...changed });
  announcing.renewed(6_000);
  expect(told).toEqual(['held 5000 3', 'lost']);
});

test('an announcement by an earlier agent stays while the adopted server has not answered', () => {
  const starting: ServerView = { state: 'starting', duty: 'primary', sinceMs: 0 };
  announcing.saw({ ...open, server: starting });
  announcing.renewed(6_000);
  expect(told).toEqual([]);
});

test('once the lead was given up, a renewal under way announces nothing', () => {
  announcing.saw(open);
  announcing.lost();
  announcing.renewed(6_000);
  expect(told).toEqual(['held 5000 3', 'lost']);
});

test('the epoch stays while etcd does not answer', () => {
  announcing.saw(open);
  announcing.saw({ ...open, shared: undefined });
  announcing.saw({ ...open, shared: shared(4) });
  expect(told).toEqual(['held 5000 3', 'held 5000 3', 'held 5000 4']);
});
