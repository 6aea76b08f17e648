// The lab of `npm start`: each part is ONLINE and a call of its driver succeeds, its configuration survives restarts, parts can be added
// and removed while it runs, and only some users may do that. The state that a device shows itself is the oracle, if there is one.
import { execFile } from 'node:child_process';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deviceNames } from '../../lab/device.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { type Device, devices, here, isRoot, LabSystem } from './support/lab-system.ts';

const run = promisify(execFile);
let system: LabSystem;

beforeAll(async () => {
  system = await LabSystem.start(['--lab', 'fortigate,bigip']);
}, 120_000);
afterAll(() => system?.stop());

function placeOf(backend: object | undefined): object {
  const { operatingStatus: _status, ...place } = { operatingStatus: '', ...backend };
  return place;
}

describe('parts of the lab', () => {
  test('only the parts of --lab exist, registered and ONLINE', async () => {
    const rows = await system.lab('list');
    expect(rows.map(({ part }) => part)).toEqual(deviceNames);
    expect(rows.filter(({ state }) => state === 'RUNNING').map(({ part }) => part)).toEqual(['fortigate', 'bigip']);
    expect(Object.keys(await system.backends()).sort()).toEqual(['lab-bigip', 'lab-fortigate']);
    for (const part of ['fortigate', 'bigip'] as const) await system.online(part);
  });

  for (const part of devices.filter((each) => each !== 'neutron')) {
    const testHere = here[part] ? test.concurrent : test.skip;
    testHere(
      `${part}: added while it runs, ONLINE, and a call of its driver SUCCEEDED`,
      async () => {
        const rows = await system.lab('add', part);
        expect(rows.find((row) => row.part === part)).toMatchObject({ part, state: 'RUNNING' });
        await system.online(part);
        await system.done(part);
      },
      120_000,
    );
  }

  test('the inbox has a channel for webhooks and one for mail, and its page shows what they send', async () => {
    const rows = await system.lab('add', 'inbox');
    const { address } = rows.find(({ part }) => part === 'inbox') ?? {};
    const { alertChannels } = await system.ask<{
      alertChannels: { nodes: readonly { id: string; name: string; default: boolean }[] };
    }>('{ alertChannels { nodes { id name default } } }');
    expect(alertChannels.nodes.map(({ name, default: isDefault }) => [name, isDefault])).toEqual([
      ['lab-inbox', true],
      ['lab-inbox-mail', false],
    ]);
    const mutation =
      'mutation ($input: AlertChannelTestInput!) { alertChannelTest(input: $input) { userErrors { code message } } }';
    for (const { id } of alertChannels.nodes) {
      const input = { id, idempotencyKey: id };
      const { alertChannelTest } = await system.ask<{ alertChannelTest: object }>(mutation, { input });
      expect(alertChannelTest).toEqual({ userErrors: [] });
    }
    const messages = async () =>
      (await (await fetch(`${address}messages`)).json()) as readonly { kind: string; text: string }[];
    await waitFor('both messages', async () => (await messages()).length === 2);
    const texts = Object.fromEntries((await messages()).map(({ kind, text }) => [kind, text]));
    expect(texts.WEBHOOK).toContain('"type": "alerts.test"');
    expect(texts.MAIL).toContain('Test of the alert channel lab-inbox-mail');
    const page = await fetch(address ?? '');
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('&quot;alerts.test&quot;')]);
    await system.told('remove', 'inbox');
    expect((await system.lab('list')).find(({ part }) => part === 'inbox')).toMatchObject({ state: 'STOPPED' });
    expect(await system.ask('{ alertChannels { nodes { id } } }')).toEqual({ alertChannels: { nodes: [] } });
  });

  test('all parts keep their configuration, address and credentials over SIGTERM and kill -9, and in a moved folder', async () => {
    const running = await system.running();
    expect(running.length).toBeGreaterThan(3);
    const mappings = new Map<Device, string | undefined>();
    const each = (work: (part: Device) => Promise<void>) => Promise.all(running.map(work));
    await each(async (part) => {
      const { mapping } = await system.done(part);
      mappings.set(part, mapping?.id ?? (await system.mappingOf(part)));
    });
    const before = await system.backends();
    for (const how of ['SIGTERM', 'SIGKILL', 'moved'] as const) {
      await (how === 'moved' ? system.move() : system.restart(how));
      await waitFor('all parts to run', async () => (await system.running()).length === running.length);
      const after = await system.backends();
      await each(async (part) => {
        const name = `lab-${part}`;
        // The row is unchanged: same port and same proofs of identity.
        expect([how, part, placeOf(after[name])]).toEqual([how, part, placeOf(before[name])]);
        await system.online(part);
        expect([how, part, await system.verified(mappings.get(part))]).toEqual([how, part, 'MATCHES']);
        await system.done(part);
      });
    }
  }, 400_000);

  test('only the owner of the folder can use the socket, and the devices listen on the loopback', async () => {
    const path = (await readFile(join(system.data, 'lab-parts', 'control'), 'utf8')).trim();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    for (const { part, address } of await system.lab('list'))
      if (address !== null && part !== 'firewall')
        expect([part, address]).toEqual([part, expect.stringMatching(/^127\.0\.0\.1:/)]);
    if (isRoot) {
      const other = ['--reuid', '65534', '--regid', '65534', '--clear-groups', process.execPath, '-e'];
      const script = `require('net').connect(${JSON.stringify(path)}).on('error', (e) => { console.log(e.code); }).on('connect', () => { console.log('in'); process.exit(); })`;
      expect((await run('setpriv', [...other, script])).stdout.trim()).toBe('EACCES');
    }
  });

  test('wrong names are wrong use, and what can not be done is refused with the reason', async () => {
    expect(await system.refusal('add', 'toaster')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('firewall, fortigate'),
    });
    expect(await system.refusal('trouble', 'fortigate', 'fire')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('hang'),
    });
    expect(await system.refusal('trouble', 'neo', 'full')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("can't have"),
    });
    expect(await system.refusal('list', '--data', '/nowhere')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('no lab runs'),
    });
  });
});

describe('removing a part', () => {
  test('is refused while its objects are mapped; then it deletes device and backend and reports it', async () => {
    expect(await system.refusal('remove', 'fortigate')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('HAS_MAPPINGS'),
    });
    expect(await system.running()).toContain('fortigate');
    expect(await system.told('remove', 'fortigate', '--orphan-mappings')).toContain('lab-fortigate');
    expect(Object.keys(await system.backends())).not.toContain('lab-fortigate');
    await expect(stat(join(system.data, 'lab-parts', 'fortigate'))).rejects.toThrow();
    await system.restart('SIGTERM');
    expect((await system.lab('list')).find(({ part }) => part === 'fortigate')?.state).toBe('STOPPED');
    // A new part is another device with its factory settings.
    await system.lab('add', 'fortigate');
    await system.online('fortigate');
    await system.done('fortigate');
  }, 120_000);

  test('a part that can not start causes a warning, and the others start', async () => {
    await system.lab('remove', 'neo', '--orphan-mappings').catch(() => []);
    await rm(join(system.data, 'lab-parts', 'neo'), { recursive: true, force: true });
    // Its folder can't be created.
    await writeFile(join(system.data, 'lab-parts', 'neo'), '');
    await system.restart('SIGTERM', ['--lab', 'fortigate,neo']);
    expect(system.up.output()).toMatch(/neo: none, .*EEXIST/);
    const rows = await system.lab('list');
    expect(rows.find(({ part }) => part === 'neo')).toMatchObject({
      state: 'UNAVAILABLE',
      note: expect.stringContaining('EEXIST'),
    });
    expect(rows.find(({ part }) => part === 'fortigate')?.state).toBe('RUNNING');
    expect(await system.refusal('add', 'neo')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("neo can't start"),
    });
  }, 120_000);

  test('without the lab no part can be added', async () => {
    await system.restart('SIGTERM', ['--no-lab']);
    expect(await system.refusal('list')).toMatchObject({ code: 3, stderr: expect.stringContaining('no lab runs') });
  }, 120_000);
});
