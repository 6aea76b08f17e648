// The targets of the held shards.
import { expect, test } from '@jest/globals';
import type { CheckTarget } from '../../../platform/checks/check-tenant.ts';
import { TargetList } from '../../../platform/checks/target-list.ts';

const target: CheckTarget = {
  ...{ id: 'one', probe: 'tcp', parameters: {}, intervalMs: 1_000, timeoutMs: 1_000, status: 'UP', revision: '' },
};

test('found by a node whose failure was not recorded: a shard that was lost and regained is listed again', async () => {
  const happened: string[] = [];
  let leases = new Map([[0, 'first lease']]);
  const list = new TargetList({
    source: {
      listTargets: async () => ({ targets: [target], cursor: '' }),
      changesAfter: async (cursor) => ({ targets: [], gone: [], cursor }),
    },
    ...{ shardCount: 1, heldShards: () => leases, relistMs: 60_000, now: () => 0 },
    keep: ({ id }) => void happened.push(`keep ${id}`),
    forget: (id) => void happened.push(`forget ${id}`),
  });
  await list.refresh();
  await list.refresh();
  expect(happened).toEqual(['keep one']);
  leases = new Map([[0, 'second lease']]);
  await list.refresh();
  expect(happened).toEqual(['keep one', 'forget one', 'keep one']);
});
