// The checker's tools besides sockets: one shared fping, external programs, and name resolution.
// needs: fping
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pino from 'pino';
import type { ResolvedAddress } from '../../../../../../platform/net/resolve-name.ts';
import { execPlugin } from '../../../../../../subgraphs/gslb/agents/checker/plugins/exec.ts';
import { icmpPlugin } from '../../../../../../subgraphs/gslb/agents/checker/plugins/icmp.ts';
import { loadPlugins } from '../../../../../../subgraphs/gslb/agents/checker/plugins/own-plugins.ts';
import { Pinger } from '../../../../../../subgraphs/gslb/agents/checker/tools/pinger.ts';
import { Programs } from '../../../../../../subgraphs/gslb/agents/checker/tools/programs.ts';
import { keepMs, TargetNames } from '../../../../../../subgraphs/gslb/agents/checker/tools/target-names.ts';
import { waitFor } from '../../../../../support/machine/temporary-folder.ts';
import { checkOnce } from '../support/check-once.ts';

const log = pino({ level: 'silent' });
let folder: string;
const ends: (() => unknown)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gslb-checker-'));
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(folder, { recursive: true });
});

async function program(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o700);
  return path;
}

test('ICMP: one fping process checks all addresses of both families', async () => {
  const pinger = new Pinger({ fping: '/usr/bin/fping', log });
  ends.push(() => pinger.stop());
  const hosts = ['127.0.0.1', '127.0.0.9', '::1'];
  const readings = await Promise.all(
    hosts.map((host) => checkOnce(icmpPlugin, { hosts: [host] }, { tools: { pinger }, timeoutMs: 10_000 })),
  );
  for (const reading of readings)
    expect(reading).toMatchObject({ up: true, detail: { latencyMs: expect.any(Number) } });
  // One new address, and one that is already being pinged.
  const more = ['127.0.0.77', '127.0.0.1'].map((host) =>
    checkOnce(icmpPlugin, { hosts: [host] }, { tools: { pinger }, timeoutMs: 10_000 }),
  );
  expect(await Promise.all(more)).toMatchObject([{ up: true }, { up: true }]);
});

test('ICMP: an address without an answer is down; without fping there is no result', async () => {
  // This fping answers for one address only.
  const fping = await program(
    'fping',
    'cat >/dev/null; while sleep 0.05; do echo "127.0.0.1 : [0], 64 bytes, 0.5 ms (0.5 avg, 0% loss)"; done',
  );
  const pinger = new Pinger({ fping, log });
  ends.push(() => pinger.stop());
  const ask = (host: string) => checkOnce(icmpPlugin, { hosts: [host] }, { tools: { pinger }, timeoutMs: 1_000 });
  expect(await Promise.all([ask('127.0.0.1'), ask('127.0.0.2')])).toMatchObject([
    { up: true, detail: { latencyMs: 0.5 } },
    { up: false },
  ]);
  const missing = new Pinger({ fping: join(folder, 'none'), log });
  ends.push(() => missing.stop());
  await checkOnce(icmpPlugin, {}, { tools: { pinger: missing }, timeoutMs: 300 });
  await expect(checkOnce(icmpPlugin, {}, { tools: { pinger: missing }, timeoutMs: 300 })).rejects.toThrow('fping');
});

test('EXEC: the exit code decides; 3 is no result; nothing outlives its check', async () => {
  const programs = new Programs(
    new Map([
      [
        'good',
        await program('good', 'test "$1" = "a b" && test "$TIDEGATE_ADDRESS" = 127.0.0.1 && test "$TIDEGATE_PORT" = 8'),
      ],
      ['bad', await program('bad', 'echo it is broken; echo more; exit 2')],
      ['unknown', await program('unknown', 'echo no idea; exit 3')],
      ['slow', await program('slow', `sleep 60 & echo $! > ${join(folder, 'pid')}; wait`)],
    ]),
  );
  ends.push(() => programs.stop());
  const ask = (name: string, timeoutMs = 5_000) =>
    checkOnce(
      execPlugin,
      { port: 8, parameters: { program: name, arguments: ['a b'] } },
      { tools: { programs }, timeoutMs },
    );
  expect(await ask('good')).toMatchObject({ up: true });
  expect(await ask('bad')).toMatchObject({ up: false, message: 'the program bad ended with 2: it is broken' });
  await expect(ask('unknown')).rejects.toThrow('could not find out: no idea');
  await expect(ask('other')).rejects.toThrow('checker.execPrograms has no program "other"');
  expect(await ask('slow', 500)).toMatchObject({ up: false });
  const pid = Number(await readFile(join(folder, 'pid'), 'utf8'));
  const isGone = async () => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ' Z ');
    return / Z /.test(stat);
  };
  await waitFor('its end', isGone);
});

test('names keep their addresses while the name server fails, and lose them when it says there are none', async () => {
  let now = 0;
  let answer: () => Promise<readonly ResolvedAddress[]> = async () => [{ address: '192.0.2.1', ttlSeconds: 5 }];
  const names = new TargetNames({ resolve: () => answer(), now: () => now });
  expect(await names.addressesOf('a.example')).toEqual(['192.0.2.1']);
  answer = () => Promise.reject(new Error('timeout'));
  now = 6_000;
  expect(names.addressesOf('A.example')).toEqual(['192.0.2.1']);
  // The refused answer has arrived and must leave no trace.
  await setImmediate();
  now = keepMs;
  await expect(names.addressesOf('a.example')).rejects.toThrow('timeout');
  // It does not retry at once.
  await expect(names.addressesOf('a.example')).rejects.toThrow('could not be resolved');
  answer = async () => [{ address: '192.0.2.2', ttlSeconds: 5 }];
  now += 1_000;
  expect(await names.addressesOf('a.example')).toEqual(['192.0.2.2']);
  answer = () => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOTFOUND' }));
  now += 6_000;
  names.addressesOf('a.example');
  await setImmediate();
  expect(names.addressesOf('a.example')).toEqual([]);
});

test('the plugin of docs/gslb.md works', async () => {
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(await readFile('docs/gslb.md', 'utf8')) ?? [];
  await writeFile(join(folder, 'greeting.mjs'), code);
  const [plugin] = await loadPlugins(folder, new Set());
  if (plugin === undefined) throw new Error('there is none');
  const server = createServer((socket) => socket.on('error', () => undefined).write('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  expect(await checkOnce(plugin, { port })).toMatchObject({ up: true });
  expect(await checkOnce(plugin, { port, parameters: { word: 'moin' } })).toMatchObject({
    up: false,
    message: 'it says something else',
  });
});

test("a deployer's own plugins are loaded one per file, and faults are reported", async () => {
  const good =
    "export default { name: 'EVEN', parameters: { type: 'object' }, needsPort: true, check: async ({ port }) => ({ up: port % 2 === 0, message: 'odd', detail: null }) };";
  await writeFile(join(folder, 'even.mjs'), good, { mode: 0o644 });
  await writeFile(join(folder, 'notes.txt'), 'not a plugin');
  const [plugin] = await loadPlugins(folder, new Set(['TCP']));
  expect(plugin).toMatchObject({ name: 'EVEN', needsPort: true });
  if (plugin === undefined) throw new Error('there is none');
  expect(await checkOnce(plugin, { port: 2 })).toMatchObject({ up: true });
  expect(await checkOnce(plugin, { port: 3 })).toMatchObject({ up: false, message: 'odd' });
  await expect(loadPlugins(folder, new Set(['EVEN']))).rejects.toThrow('another plugin has');
  await writeFile(join(folder, 'bad.mjs'), "export default { name: 'low', parameters: {}, needsPort: 1 };");
  await expect(loadPlugins(folder, new Set())).rejects.toThrow('upper-case');
  await chmod(join(folder, 'bad.mjs'), 0o666);
  await expect(loadPlugins(folder, new Set())).rejects.toThrow('may be written by others');
});
