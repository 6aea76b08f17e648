// The configuration over REST: formats, error numbers, references, order, VDOMs, faults.

import { expect, test } from '@jest/globals';
import type { FortiGateOptions } from '../../../simulators/fortios/fortigate.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { call, startGate, useGates, withToken } from './support/gates.ts';

useGates();

async function start(options: FortiGateOptions = {}) {
  const gate = await startGate({ apiUsers: [{ token: 'token' }], ...options });
  return { gate, api: withToken(gate) };
}

const policy = {
  name: 'web',
  srcintf: [{ name: 'port1' }],
  dstintf: [{ name: 'any' }],
  srcaddr: [{ name: 'all' }],
  dstaddr: [{ name: 'all' }],
  service: [{ name: 'HTTPS' }],
  schedule: 'always',
  action: 'accept',
};

test('stores an address, and shows it like FortiOS', async () => {
  const { api } = await start({ version: '6.2.3' });
  const made = await api('POST', '/cmdb/firewall/address', { name: 'net', subnet: '10.1.2.3/24', nonsense: 1 });
  expect(made.status).toBe(200);
  expect(made.body).toMatchObject({
    ...{ http_method: 'POST', status: 'success', http_status: 200, vdom: 'root', path: 'firewall', name: 'address' },
    ...{ mkey: 'net', revision_changed: true, serial: 'FGVM01TM00000001', version: 'v6.2.3', build: 1066 },
  });
  expect(made.body.revision).not.toBe(made.body.old_revision);
  const { body } = await api('GET', '/cmdb/firewall/address/net');
  expect(body.results).toHaveLength(1);
  expect(body.results[0]).toMatchObject({
    ...{ q_origin_key: 'net', name: 'net', type: 'ipmask', subnet: '10.1.2.0 255.255.255.0', comment: '' },
    // Shares its storage with the subnet.
    ...{ 'start-ip': '10.1.2.0', 'end-ip': '255.255.255.0' },
  });
  expect(body.results[0].uuid).toMatch(/^[0-9a-f]{8}-/);
});

test("refuses with CMDB's error numbers", async () => {
  const { api } = await start({ maxEntries: 5 });
  const address = '/cmdb/firewall/address';
  await api('POST', address, { name: 'a', subnet: '10.0.0.0 255.0.0.0' });
  const refused = async (method: string, path: string, json?: unknown) => {
    const { status, body } = await api(method, path, json);
    return [status, body.error];
  };
  expect(await refused('POST', address, { name: 'a' })).toEqual([500, -5]);
  expect(await refused('POST', `${address}/b`, { name: 'b' })).toEqual([404, undefined]);
  expect(await refused('GET', `${address}/b`)).toEqual([404, undefined]);
  expect(await refused('PUT', `${address}/b`, { comment: 'x' })).toEqual([404, -3]);
  expect(await refused('DELETE', `${address}/b`)).toEqual([404, -3]);
  expect(
    await refused('POST', address, { name: 'b', type: 'iprange', 'start-ip': '10.0.0.9', 'end-ip': '10.0.0.1' }),
  ).toEqual([500, -651]);
  expect(await refused('POST', address, { name: 'b', subnet: 'nonsense' })).toEqual([500, -651]);
  expect(await refused('POST', address, { name: 'b"', type: 'fqdn', fqdn: 'example.com' })).toEqual([500, -173]);
  expect(await refused('POST', address, { name: 'b', type: 'fqdn' })).toEqual([500, -56]);
  expect(await refused('POST', '/cmdb/firewall/addrgrp', { name: 'g', member: [{ name: 'no' }] })).toEqual([500, -3]);
  expect(await refused('POST', '/cmdb/firewall/addrgrp', { name: 'g', member: [] })).toEqual([500, -56]);
  expect(await refused('POST', '/cmdb/firewall/addrgrp', { name: 'a', member: [{ name: 'all' }] })).toEqual([
    500, -164,
  ]);
  expect((await api('POST', '/cmdb/firewall/addrgrp', { name: 'g', member: [{ name: 'a' }] })).status).toBe(200);
  expect(await refused('POST', address, { name: 'g', subnet: '10.0.0.0/8' })).toEqual([500, -163]);
  expect(await refused('DELETE', `${address}/a`)).toEqual([500, -23]);
  for (const name of ['c', 'd']) await api('POST', address, { name });
  expect(await refused('POST', address, { name: 'e' })).toEqual([500, -4]);
});

test('an encoded slash in a key acts as a slash: the entry can be created but not addressed', async () => {
  const { api } = await start();
  expect((await api('POST', '/cmdb/firewall/address', { name: '10.0.0.0/8', subnet: '10.0.0.0/8' })).status).toBe(200);
  expect((await api('GET', '/cmdb/firewall/address/10.0.0.0%2F8')).status).toBe(404);
  const { body } = await api('GET', `/cmdb/firewall/address?filter=${encodeURIComponent('name==10.0.0.0/8')}`);
  expect(body.results).toHaveLength(1);
});

test('a DELETE without a key purges the table', async () => {
  const { gate, api } = await start();
  await api('POST', '/cmdb/firewall/vip', { name: 'v', extip: '192.0.2.1', mappedip: [{ range: '10.0.0.1' }] });
  expect((await api('DELETE', '/cmdb/firewall/vip')).status).toBe(200);
  expect((await api('GET', '/cmdb/firewall/vip')).body.results).toEqual([]);
  expect(gate.log.entries.at(-1)?.action).toBe('root: purge firewall/vip');
});

test('VIPs: one for each kind of traffic, their groups, and references to them', async () => {
  const { api } = await start();
  const vip = { extip: '192.0.2.1', extintf: 'port1', mappedip: [{ range: '10.0.0.1-10.0.0.2' }] };
  const port = { portforward: 'enable', protocol: 'tcp', mappedport: '80' };
  expect((await api('POST', '/cmdb/firewall/vip', { name: 'v80', ...vip, ...port, extport: '80' })).status).toBe(200);
  expect((await api('POST', '/cmdb/firewall/vip', { name: 'v81', ...vip, ...port, extport: '81' })).status).toBe(200);
  expect((await api('POST', '/cmdb/firewall/vip', { name: 'w80', ...vip, ...port, extport: '80' })).body.error).toBe(
    -36,
  );
  const group = { name: 'g', interface: 'port1', member: [{ name: 'v80' }, { name: 'v81' }] };
  expect((await api('POST', '/cmdb/firewall/vipgrp', group)).status).toBe(200);
  expect((await api('POST', '/cmdb/firewall/policy', { ...policy, dstaddr: [{ name: 'g' }] })).status).toBe(200);
  expect((await api('DELETE', '/cmdb/firewall/vipgrp/g')).body.error).toBe(-23);
  const { body } = await api('GET', '/cmdb/firewall/vip/v80');
  expect(body.results[0].mappedip).toEqual([{ range: '10.0.0.1-10.0.0.2', q_origin_key: '10.0.0.1-10.0.0.2' }]);
});

test('policies: numbers assigned by the device, unique names, and an order that a move changes', async () => {
  const { api } = await start({ version: '7.4.5' });
  const policies = '/cmdb/firewall/policy';
  expect((await api('POST', policies, policy)).body.mkey).toBe(1);
  expect((await api('POST', policies, { ...policy, policyid: 0, name: 'b' })).body.mkey).toBe(2);
  expect((await api('POST', policies, { ...policy, policyid: 9, name: 'c' })).body.mkey).toBe(9);
  expect((await api('POST', policies, { ...policy, policyid: 9, name: 'd' })).body.error).toBe(-5);
  expect((await api('POST', policies, { ...policy, name: 'web' })).body.error).toBe(-15);
  expect((await api('POST', policies, { ...policy, name: 'e', service: [] })).body.error).toBe(-56);
  const order = async () =>
    (await api('GET', `${policies}?format=policyid|name`)).body.results.map(
      (each: { policyid: number }) => each.policyid,
    );
  expect(await order()).toEqual([1, 2, 9]);
  expect((await api('PUT', `${policies}/9?action=move&before=1`)).status).toBe(200);
  expect(await order()).toEqual([9, 1, 2]);
  expect((await api('PUT', `${policies}/9?action=move&after=1`)).status).toBe(200);
  expect(await order()).toEqual([1, 9, 2]);
  expect((await api('PUT', `${policies}/9?action=move&after=9`)).body.error).toBe(-177);
  expect((await api('PUT', `${policies}/9?action=move&after=77`)).body.error).toBe(-3);
  const { body } = await api('GET', `${policies}?filter=name==c&format=policyid|name|uuid`);
  expect(body.results).toEqual([{ policyid: 9, name: 'c', uuid: expect.any(String) }]);
});

test('virtual domains: created, listed, isolated, deleted when empty', async () => {
  const { api } = await start({
    multiVdom: true,
    vdoms: ['old'],
    interfaces: { port1: 'root', port2: 'old' },
    maxVdoms: 3,
  });
  const vdoms = '/cmdb/system/vdom';
  const refused = async (json: unknown) => (await api('POST', vdoms, json)).body.error;
  expect((await api('POST', vdoms, { name: 'tenant' })).status).toBe(200);
  expect(await refused({ name: 'tenant' })).toBe(-5);
  expect(await refused({ name: 'global' })).toBe(-515);
  expect(await refused({ name: 'port1' })).toBe(-519);
  expect(await refused({ name: 'onemore' })).toBe(-523);
  expect(await refused({ name: 'longer-than-11' })).toBe(-651);
  await api('POST', '/cmdb/firewall/address?vdom=tenant', { name: 'a', subnet: '10.0.0.0/8' });
  expect((await api('GET', '/cmdb/firewall/address/a?vdom=old')).status).toBe(404);
  expect((await api('GET', '/cmdb/firewall/address/a?vdom=nowhere')).status).toBe(424);
  const { body } = await api('GET', '/cmdb/firewall/address?global=1&filter=name==a');
  expect(body.map((each: { vdom: string; results: unknown[] }) => [each.vdom, each.results.length])).toEqual([
    ...[
      ['root', 0],
      ['old', 0],
    ],
    ['tenant', 1],
  ]);
  expect((await api('DELETE', `${vdoms}/old`)).body.error).toBe(-514);
  expect((await api('DELETE', `${vdoms}/root`)).body.error).toBe(-7);
  expect((await api('DELETE', `${vdoms}/tenant`)).status).toBe(200);
  expect((await api('GET', vdoms)).body.results.map((each: { name: string }) => each.name)).toEqual(['root', 'old']);
});

test('a wildcard name is a separate type only before 6.2', async () => {
  const json = { name: 'w', type: 'wildcard-fqdn', 'wildcard-fqdn': '*.example.com' };
  expect((await (await start({ version: '5.6.14' })).api('POST', '/cmdb/firewall/address', json)).status).toBe(200);
  expect((await (await start({ version: '6.2.3' })).api('POST', '/cmdb/firewall/address', json)).body.error).toBe(-651);
});

test('faults: the log shows which requests were carried out and which were not', async () => {
  const { gate, api } = await start({ failCode: -360, faults: { applyLateMs: 1 } });
  const post = (name: string) => api('POST', '/cmdb/firewall/address', { name, comment: `mark-${name}` });
  gate.device.faults.plan('FAIL', 'DROP_BEFORE_APPLYING', 'DROP_AFTER_APPLYING', 'APPLY_LATE');
  expect((await post('a')).body.error).toBe(-360);
  await expect(post('b')).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect(post('c')).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect(post('d')).rejects.toMatchObject({ code: 'ECONNRESET' });
  await until(() => gate.log.carrying('mark-d').length > 0);
  expect(['a', 'b', 'c', 'd'].map((name) => gate.log.carrying(`mark-${name}`).length)).toEqual([0, 0, 1, 1]);
});

test('gives a replacement answer', async () => {
  const { gate } = await start();
  gate.answerInstead = () => ({ status: 200, body: '<html>' });
  expect((await call(gate, '/api/v2/monitor/system/status')).text).toBe('<html>');
});
