// Three hosts. The primary is isolated from all others while a CMP writes. This file has its own hosts (`npm start -- --ha`).
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
    'the primary is cut off: another host gets its address, writes continue, and no acknowledged write is lost',
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
      // The subscription was at the lost host, and resumed after its cursor.
      expect(summary.eventsResumed).toBeGreaterThan(0);
    },
    slowMs,
  );
});
