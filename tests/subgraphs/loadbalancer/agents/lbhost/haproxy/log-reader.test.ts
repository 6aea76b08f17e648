// HAProxy's log is read over reloads and restarts. An unread log costs nothing.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LogReader } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/log-reader.ts';
import { waitFor } from '../../../../../support/machine/temporary-folder.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { ask, type TestMember, webMember } from '../../../support/members.ts';

let node: HaproxyNode;
let web: TestMember;
let port: number;

beforeEach(async () => {
  node = await HaproxyNode.make();
  web = await webMember('web');
  const pool = node.pool();
  node.monitor(pool, { path: '/health' });
  node.member(pool, web.port);
  ({ port } = await node.listener({ defaultPool: pool.id, accessLogPercent: 100 }));
});
afterEach(async () => {
  await node.stop();
  await web.stop();
});

function reader(paths: string[]): LogReader {
  return new LogReader({
    path: join(node.folder, 'run.sock'),
    transition: () => undefined,
    access: (line) => paths.push(JSON.parse(line).path),
  });
}

test('lines are read from before HAProxy starts and over a reload; the earlier worker still ends', async () => {
  const paths: string[] = [];
  const lines = reader(paths);
  lines.start();
  await node.start();
  await ask(port, { path: '/one' });
  await waitFor('the first line', async () => paths.length === 1);
  await node.listener({ protocol: 'TCP' });
  expect((await node.apply()).reloaded).toBe(true);
  await ask(port, { path: '/two' });
  await waitFor('the second line', async () => paths.includes('/two'));
  expect(paths).toEqual(['/one', '/two']);
  const master = await node.haproxy.pid();
  await waitFor('one worker', async () => (await children(master)).length === 1);
  await lines.stop();

  // Another process of the host does not read old lines again, and misses no new ones.
  const later: string[] = [];
  const next = reader(later);
  next.start();
  await waitFor('the next reader', async () => {
    await ask(port, { path: '/three' });
    return later.length > 0;
  });
  expect(new Set(later)).toEqual(new Set(['/three']));
  await next.stop();
}, 60_000);

test('found by its processor time: HAProxy does nothing while its lines are not read', async () => {
  await node.start();
  for (let n = 0; n < 20; n += 1) await ask(port);
  const master = await node.haproxy.pid();
  const [worker] = await children(master);
  const before = await ticks(worker);
  // Measures the processor time of two seconds.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  // HAProxy once tried to connect to its log 10,000 times a second: 45 ticks of 10 ms in two seconds. Checks cost one
  // or two.
  expect((await ticks(worker)) - before).toBeLessThan(15);
}, 30_000);

async function children(pid: number | undefined): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** User and system time (proc(5), fields 14 and 15). */
async function ticks(pid: number | undefined): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
