// Losses that a CMP's load must not notice at `npm start -- --ha`. Each loss is a test in its own file, because its start takes long.
// needs: keepalived, etcd-server, mariadb-backup, libfaketime, e2fsprogs, iproute2, iputils-ping, system, root
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { longestSilenceMs } from '../../../cli/status-stream.ts';
import type { HostName } from '../../../lab/ha/plan.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import {
  expectNothingLost,
  ledByFirst,
  servePid,
  slowMs,
  startedLoad,
  statusNow,
  tidegate,
  type Way,
  whole,
} from './ha-demo.ts';

/** A CMP with a list of hosts. In tests/main-jobs/three-hosts, a host is cut off from a CMP that uses the address. */
export function testLostPrimary(fault: 'kill' | 'freeze'): void {
  test(
    `under load by ${fault} a whole primary is lost, with its gateway, and returns with every write`,
    async () => {
      const before = await ledByFirst();
      const lost = before.primary as HostName;
      const load = await startedLoad(30, 'the list of hosts');
      expect(await tidegate(['lab', fault, lost])).toMatchObject({ exitCode: 0 });
      await waitFor('another primary', async () => {
        const seen = await statusNow();
        return seen !== undefined && seen.primary !== null && seen.primary !== lost;
      });
      expect(await tidegate(['lab', 'plug', lost])).toMatchObject({ exitCode: 0 });
      const summary = await load.summary();
      expectNothingLost(summary);
      // Followers were connected to the lost gateway and resumed after their cursors. A gateway that stood still for only a few seconds
      // still has its reader.
      if (fault !== 'freeze') expect(summary.eventsResumed).toBeGreaterThan(0);
      const after = await whole();
      expect(after.epoch).toBeGreaterThan(before.epoch);
    },
    slowMs,
  );
}

export function testLostGateway(signal: 'SIGKILL' | 'SIGSTOP'): void {
  test(
    `under load the gateway of the primary gets ${signal}, and nothing is lost, neither by the list of hosts nor by the address`,
    async () => {
      const { primary } = await ledByFirst();
      // SIGKILL ends a gateway together with its connections, and the address stays, so a client of the address notices nothing.
      const ways: readonly Way[] = signal === 'SIGKILL' ? ['the list of hosts'] : ['the list of hosts', 'the address'];
      const loads = await Promise.all(ways.map((way) => startedLoad(35, way)));
      const pid = await servePid(primary as HostName);
      process.kill(pid, signal);
      if (signal === 'SIGSTOP') {
        // Longer than its leases and a client's patience: others have taken its work, and it must not continue with it.
        await sleep(longestSilenceMs + 5_000);
        process.kill(pid, 'SIGCONT');
      }
      for (const load of loads) {
        const summary = await load.summary();
        expectNothingLost(summary);
        expect(summary.acknowledged).toBeGreaterThan(10);
        expect(summary.eventsResumed).toBeGreaterThan(0);
      }
      await whole();
    },
    slowMs,
  );
}
