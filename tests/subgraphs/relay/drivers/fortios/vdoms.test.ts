// Virtual domains, the device itself, and saving its configuration, over HTTPS and SSH.

import { expect, test } from '@jest/globals';
import { live } from '../../support/object-life.ts';
import { RelayedGate, useRelayedGates } from './support/relayed-gate.ts';

useRelayedGates();

test.each(['5.6.14', '7.6.4'])('%s: the life of a virtual domain', async (version) => {
  const relayed = await RelayedGate.start({ version, multiVdom: true, interfaces: { port1: 'root' } });
  const tenant = { name: 'tenant42' };
  await live(relayed, {
    ...{ kind: 'vdom', create: tenant, result: () => tenant, unmarked: true, beside: {} },
    object: { resource: 'vdom', scope: 'device', key: 'tenant42' },
    list: [{}, ({ values }) => ({ vdoms: [{ name: 'root' }, values] })],
    async made() {
      expect(await relayed.refused('vdom.create', { name: 'global' })).toBe('FAILED DEVICE_REFUSED');
      await relayed.done('address.create', { vdom: 'tenant42', name: 'a', address: '10.0.0.0/8' });
    },
    gone: async () => expect(await relayed.refused('address.list', { vdom: 'tenant42' })).toBe('FAILED DEVICE_REFUSED'),
  });
});

test('a virtual domain that contains an interface is in use', async () => {
  const relayed = await RelayedGate.start({ multiVdom: true, vdoms: ['tenant42'], interfaces: { port1: 'tenant42' } });
  expect(await relayed.refused('vdom.delete', { name: 'tenant42' })).toBe('FAILED IN_USE');
});

test.each(['https', 'ssh'])('the device reports its identity, over %s', async (transport) => {
  const relayed = await RelayedGate.start({ version: '7.0.12', hostname: 'edge-1' }, { options: { transport } });
  expect(await relayed.health()).toEqual({ softwareVersion: 'FortiOS v7.0.12 build523', serial: 'FGVM01TM00000001' });
  expect(await relayed.done('system.info')).toMatchObject({ version: 'v7.0.12', build: 523, hostname: 'edge-1' });
});

test.each([
  ['5.6.8', undefined, ['/api/v2/monitor/system/status', '/api/v2/cmdb/system/global']],
  ['5.6.8', 'FortiOS v5.6.8 build1672', ['/api/v2/cmdb/system/global']],
  ['6.0.9', undefined, ['/api/v2/monitor/system/status']],
])('%s, known as %s: its identity is read where the release has it', async (version, softwareVersion, paths) => {
  const known = softwareVersion === undefined ? {} : { softwareVersion };
  const relayed = await RelayedGate.start({ version, hostname: 'edge-1' }, known);
  expect(await relayed.health()).toMatchObject({ softwareVersion: expect.stringContaining(`v${version}`) });
  const asked = relayed.gate.requests.map(({ path }) => path).filter((path) => /status|global/.test(path));
  expect(asked).toEqual(paths);
  if (known.softwareVersion === undefined) return;
  expect(await relayed.done('system.info')).toMatchObject({ version: `v${version}`, hostname: 'edge-1' });
});

test('the banner that must be accepted after login is also accepted on the command line', async () => {
  const relayed = await RelayedGate.start({ postLoginBanner: true }, { options: { transport: 'ssh' } });
  expect(await relayed.health()).toMatchObject({ softwareVersion: expect.stringMatching(/^FortiOS v7/) });
  expect(await relayed.done('config.save')).toEqual({ words: '' });
  expect(relayed.gate.device.saves).toHaveLength(1);
});

test.each([
  ['without virtual domains', false],
  ['with them', true],
])('the device saves the configuration on the command line, %s', async (_what, multiVdom) => {
  const relayed = await RelayedGate.start({ multiVdom }, { options: { multiVdom } });
  expect(await relayed.done('config.save')).toEqual({ words: '' });
  relayed.gate.device.settings.set('system global', 'cfg-save', 'manual');
  expect(await relayed.done('config.save')).toEqual({ words: 'config saved.' });
  expect(relayed.gate.device.saves).toHaveLength(2);
});

test('a device with virtual domains refuses to save without the option, and the session survives', async () => {
  const relayed = await RelayedGate.start({ multiVdom: true });
  for (let attempt = 0; attempt < 2; attempt += 1) {
    expect(await relayed.call('config.save', {})).toMatchObject({
      ...{ state: 'FAILED', code: 'DEVICE_REFUSED', message: expect.stringMatching(/^Unknown action 0/) },
    });
  }
  expect(relayed.gate.device.saves).toHaveLength(0);
  expect(relayed.gate.ssh.connections).toBe(1);
});

test('a device without virtual domains saves with any option', async () => {
  const relayed = await RelayedGate.start({}, { options: { multiVdom: true } });
  await relayed.done('config.save');
  expect(relayed.gate.device.saves).toHaveLength(1);
});

test('a connection that breaks during the save leaves no verdict', async () => {
  const relayed = await RelayedGate.start();
  relayed.gate.device.faults.plan('DROP_AFTER_APPLYING');
  expect(await relayed.refused('config.save', {})).toBe('NO_VERDICT CONNECTION_LOST');
  expect(relayed.gate.device.saves).toHaveLength(1);
});

test('a long answer is read through the pager, without disabling it', async () => {
  const relayed = await RelayedGate.start({}, { options: { transport: 'ssh' } });
  const lines = Array.from({ length: 400 }, (_, index) => `edit a${index}`).flatMap((line) => [line, 'next']);
  const block = ['config firewall address', ...lines, 'end', 'show firewall address'];
  // 800 lines take long on a busy machine.
  const sent = await relayed.send({ kind: 'cli', lines: block }, 60_000);
  const output = sent.ok && sent.reply.kind === 'cli' ? sent.reply.outputs.at(-1)?.output : undefined;
  expect(output?.match(/edit "a\d+"/g)).toHaveLength(400);
  expect(output).not.toContain('More');
  expect(relayed.gate.device.settings.get('system console', 'output')).toBe('more');
});
