// The faults that the lab makes at the hosts of `npm start -- --ha`.
// needs: keepalived, etcd-server, mariadb-backup, libfaketime, e2fsprogs, iproute2, iputils-ping, system, root
import { readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import { mountsOf } from '../../lab/ha/places.ts';
import type { HostName } from '../../lab/ha/plan.ts';
import { processesIn } from '../../lab/processes.ts';
import { atMost } from '../../platform/work/within.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import {
  describeDemo,
  folder,
  hostRow,
  namespaceOf,
  slowMs,
  stateOf,
  statusNow,
  tidegate,
  whole,
} from './support/ha-demo.ts';

describeDemo('faults at hosts', () => {
  test(
    'each fault is real, is shown, and is undone',
    async () => {
      await whole();
      const disk = join(mountsOf(folder()), 'w');
      const fault = async (words: readonly string[], state: string) => {
        expect(await tidegate(['lab', ...words])).toMatchObject({ exitCode: 0, stderr: '' });
        expect(await stateOf('w')).toBe(state);
      };
      const healed = async () => {
        expect(await tidegate(['lab', 'plug', 'w'])).toMatchObject({ exitCode: 0, stderr: '' });
        expect(await stateOf('w')).toBe('UP');
      };
      const pids = async () => processesIn(await namespaceOf('w'));

      await fault(['freeze', 'w'], 'FROZEN');
      expect(new Set(await Promise.all((await pids()).map(runState)))).toEqual(new Set(['T']));
      await healed();
      expect((await Promise.all((await pids()).map(runState))).includes('T')).toBe(false);

      const { bavail: free } = await statfs(disk);
      await fault(['fill-disk', 'w'], 'DISK_FULL');
      // When etcd ends, it releases the file that it was preparing.
      expect((await statfs(disk)).bavail).toBeLessThan(free / 4);
      await healed();
      expect((await statfs(disk)).bavail).toBeGreaterThan(0);

      await fault(['freeze-disk', 'w'], 'DISK_FROZEN');
      const written = writeFile(join(disk, 'probe'), 'x').then(() => true);
      expect(await atMost(500, written)).toBeUndefined();
      await healed();
      expect(await written).toBe(true);
      await rm(join(disk, 'probe'));

      await fault(['cut', 'b', 'w'], 'CUT_FROM_B');
      expect(await reaches('b', 'w')).toBe(false);
      expect(await reaches('a', 'w')).toBe(true);
      await healed();
      expect(await reaches('b', 'w')).toBe(true);

      await fault(['kill', 'w'], 'KILLED');
      expect(await pids()).toEqual([]);
      await healed();
      expect((await pids()).length).toBeGreaterThan(0);

      await fault(['skew', 'w', '40'], 'SKEWED');
      await waitFor('a clock that is off', async () => Math.abs((await clockOf('w')) - 40_000) < 5_000);
      await healed();
      await waitFor('a clock that is right', async () => Math.abs(await clockOf('w')) < 5_000);
      await whole();
    },
    slowMs,
  );
});

async function clockOf(name: HostName): Promise<number> {
  return (await statusNow())?.hosts.find((each) => each.name === name)?.clockAheadMs ?? Number.NaN;
}

async function reaches(from: HostName, to: HostName): Promise<boolean> {
  const [there, target] = [await hostRow(from), await hostRow(to)];
  const words = ['netns', 'exec', there.namespace, 'ping', '-c', '1', '-W', '1', target.address];
  return (await runProgram('ip', words)).exitCode === 0;
}

/** The state in ps(1): T means stopped. */
async function runState(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[0] ?? '';
}
