// The lab's routers: their state after a stop and after a power cut, faults of their cables, and the leftovers of a killed owner.
// needs: iputils-ping
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { inNamespace } from '../../lab/exec.ts';
import { endLeftRouters, type RunningRouters, startRouters } from '../../lab/routers/routers.ts';
import { labFolder } from '../support/machine/lab-folders.ts';
import { routersUnavailable } from '../support/machine/routers.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';

const obstacle = routersUnavailable();
const describeHere = obstacle === undefined ? describe : describe.skip;

describeHere(`routers of the lab${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`, () => {
  let folder: string;
  let running: RunningRouters | undefined;

  beforeEach(async () => {
    folder = await labFolder();
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
    await endLeftRouters(folder);
    await rm(folder, { recursive: true, force: true });
  });

  async function start(): Promise<RunningRouters> {
    const started = await startRouters({ folder, log: silentLog, signal: new AbortController().signal });
    if (!started.available) throw new Error(started.unavailable);
    running = started;
    return started;
  }
  const namespaces = async () => (await runProgram('ip', ['netns', 'list'])).stdout;
  const has = async (text: string) => (await running?.routers[0].vtysh('show running-config'))?.includes(text) === true;
  const isThere = (pid: string) =>
    access(`/proc/${pid}`).then(
      () => true,
      () => false,
    );

  test('after a stop the routers have the same configuration, address and proof of identity; after a power cut, the saved ones', async () => {
    const first = await start();
    await first.routers[0].vtysh('configure terminal', 'ip route 10.66.0.0/16 blackhole');
    const before = first.routers.map(({ host, hostKeySha256 }) => ({ host, hostKeySha256 }));
    await first.stop();
    expect(await namespaces()).not.toContain(first.routers[0].namespace);
    const second = await start();
    expect(second.routers.map(({ host, hostKeySha256 }) => ({ host, hostKeySha256 }))).toEqual(before);
    await waitFor('the kept route', () => has('ip route 10.66.0.0/16 blackhole'));
    // This route is not in the log, so nothing saves it.
    await second.routers[0].vtysh('configure terminal', 'ip route 10.67.0.0/16 blackhole');
    await second.act('kill', 'router1');
    await expect(second.routers[0].vtysh('show version')).rejects.toThrow('not running');
    await second.act('plug', 'router1');
    await waitFor('the kept route', () => has('ip route 10.66.0.0/16 blackhole'));
    expect(await has('10.67.0.0/16')).toBe(false);
  });

  test('an unplugged host is unreachable until it is plugged in again', async () => {
    const { namespaceOf, act } = await start();
    const reached = async () =>
      (await inNamespace(namespaceOf('left'), 'ping', ['-c', '1', '-W', '1', '192.0.2.1'])).exitCode === 0;
    expect(await reached()).toBe(true);
    for (const host of ['left', 'router1']) {
      await act('unplug', host);
      expect(await reached()).toBe(false);
      await act('plug', host);
      expect(await reached()).toBe(true);
    }
    await expect(act('unplug', 'nobody')).rejects.toThrow('no host nobody');
    await expect(act('kill', 'left')).rejects.toThrow('nothing runs on left');
  });

  test('routers end with their killed owner, and the next start removes their network', async () => {
    const owner = spawn(process.execPath, [join(import.meta.dirname, 'routers-owner-process.ts'), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = (await once(owner.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(String(printed)) as string[];
    for (const pid of pids) expect(await isThere(pid)).toBe(true);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    for (const pid of pids) await waitFor('a router to end', async () => !(await isThere(pid)));
    const { routers } = await start();
    const names = (await namespaces()).split('\n').map((line) => line.split(' ')[0]);
    expect(names.filter((name) => name === routers[0].namespace)).toHaveLength(1);
  });
});
