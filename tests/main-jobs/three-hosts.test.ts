// Three hosts: the primary is cut off from everybody while a CMP writes. These hosts are the file's own (`npm start -- --ha`).
// needs: keepalived, etcd-server, mariadb-backup, libfaketime, e2fsprogs, iproute2, iputils-ping, system, root
import { expect, test } from '@jest/globals';
import type { HostName } from '../../lab/ha/plan.ts';
import {
  countOperations,
  describeDemo,
  expectNothingLost,
  slowMs,
  startedLoad,
  statusNow,
  tidegate,
  whole,
} from '../bin/support/ha-demo.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';

describeDemo('three hosts', () => {
  test(
    'the primary is cut off: another host has its address, writes go on, and no acknowledged write is lost',
    async () => {
      const before = await whole();
      const lost = before.primary as HostName;
      const load = await startedLoad(300, 'the address');
      expect(await tidegate(['lab', 'unplug', lost])).toMatchObject({ exitCode: 0 });
      await waitFor('another primary', async () => {
        const seen = await statusNow();
        return seen !== undefined && seen.primary !== null && seen.primary !== lost;
      });
      const taken = await countOperations();
      await waitFor('writes to go on', async () => (await countOperations()) > taken + 10);

      expect(await tidegate(['lab', 'plug', lost])).toMatchObject({ exitCode: 0 });
      const after = await whole();
      expect(after.primary).not.toBe(lost);
      expect(after.epoch).toBeGreaterThan(before.epoch);
      const summary = await load.end();
      expectNothingLost(summary);
      expect(summary.acknowledged).toBeGreaterThan(10);
      // Its subscription was at the lost host, and went on after its cursor.
      expect(summary.eventsResumed).toBeGreaterThan(0);
    },
    slowMs,
  );
});
