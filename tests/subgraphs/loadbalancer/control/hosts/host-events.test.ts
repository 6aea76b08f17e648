// The status events of a host's connections. Each change that readers can see makes one event, and no other change
// does.
import { expect, test } from '@jest/globals';
import { newUuid } from '../../../../../platform/values/ids.ts';
import {
  beginEpoch,
  confirmEpoch,
  endEpoch,
  type HostRow,
} from '../../../../../subgraphs/loadbalancer/control/stores/host-store.ts';
import type { HostClaim } from '../../../../../subgraphs/loadbalancer/rules/host-grant.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';

const place = forFile(() => BalancerPlace.open());

const machine = { id: newUuid(), name: 'host-1' };
const offer: HostClaim = {
  ...{ provider: 'LOOPBACK', site: null, publicRange: '127.80.2.0/24', managementRange: '127.80.2.0/24' },
  ...{ tunnelAddress: null, maxNodes: 5, healthPort: 9_000, confinementFault: null },
};

function connect(change: Partial<HostClaim> = {}): Promise<HostRow> {
  const { db, wake } = place.ground;
  return db.transaction((tx) => beginEpoch(tx, wake, machine, { ...offer, ...change }));
}

/** The events as `from to version reason`. */
async function events(): Promise<readonly string[]> {
  const rows = await place.ground.db.query<{ told: string }>(
    `SELECT CONCAT_WS(' ', COALESCE(from_status, '-'), to_status, subject_version, reason) AS told FROM status_change
    WHERE subject_id = ? ORDER BY id`,
    [machine.id],
  );
  return rows.map(({ told }) => told);
}

test("a replaced connection makes no event, unless the host's offer changed", async () => {
  const { db, wake } = place.ground;
  const first = await connect();
  const second = await connect();
  expect([second.epoch - first.epoch, second.presence, second.version]).toEqual([1, 'PRESENT', first.version]);
  const told = ['- PRESENT 1 host-1'];
  expect(await events()).toEqual(told);
  // The end of a connection that another one replaced.
  await db.transaction((tx) => endEpoch(tx, wake, first));
  expect(await events()).toEqual(told);
  const changed = await connect({ maxNodes: 6 });
  expect([changed.claim.maxNodes, changed.version]).toEqual([6, 2]);
  expect(await events()).toEqual([...told, 'PRESENT PRESENT 2 it connected with other settings']);
});

test('its status is reported only when it changes', async () => {
  const { db, wake } = place.ground;
  const before = await events();
  const row = await connect({ maxNodes: 6 });
  for (let time = 0; time < 2; time += 1) await db.transaction((tx) => endEpoch(tx, wake, row));
  for (let time = 0; time < 2; time += 1) await confirmEpoch(db, wake, row);
  await db.transaction((tx) => endEpoch(tx, wake, row));
  expect((await connect({ maxNodes: 6 })).version).toBe(row.version + 4);
  const changes = ['PRESENT ABSENT', 'ABSENT PRESENT', 'PRESENT ABSENT', 'ABSENT PRESENT'];
  expect((await events()).slice(before.length)).toEqual(
    changes.map((change, index) => {
      const why = change.endsWith('ABSENT') ? ': no report since \\d\\d:\\d\\d UTC' : '';
      return expect.stringMatching(new RegExp(`^${change} ${row.version + index + 1} host-1${why}$`));
    }),
  );
});
