// Foreign objects on a simulated FortiGate stay untouched (../../support/foreign-objects.ts).
import { afterAll, beforeAll } from '@jest/globals';
import { FortiGate } from '../../../../../simulators/fortios/fortigate.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { fortios } from '../../../../../subgraphs/relay/drivers/fortios/driver.ts';
import { type Creation, type ForeignCase, foreignObjects } from '../../support/foreign-objects.ts';
import { RelayedGate, useRelayedGates } from './support/relayed-gate.ts';

useRelayedGates();

let gate: FortiGate;
let relayed: RelayedGate;

beforeAll(async () => {
  gate = await FortiGate.start();
  relayed = new RelayedGate(gate);
});
afterAll(async () => {
  await relayed.stop();
  await gate.stop();
});

const byHand = async (method: 'GET' | 'POST' | 'DELETE', table: string, body?: JsonObject) =>
  relayed.ask({ kind: 'http', method, path: `/api/v2/cmdb/${table}?vdom=root`, ...(body && { body }) });

const updates = (operation: string, name: string, change: JsonObject) => ({
  [operation]: (made: { uuid: string | null }) => ({
    ...{ name, ...change },
    ...(made.uuid === null ? {} : { policyId: Number(made.uuid) }),
  }),
});

/** `others`: objects that the administrator creates beforehand. */
function foreign(
  table: string,
  create: Creation,
  another: JsonObject,
  others: readonly (readonly [table: string, body: JsonObject])[] = [],
): ForeignCase {
  const [operation, settings] = create;
  // Some tables share their names.
  const name = `our-${table.split('/')[1]}`;
  return {
    create: [operation, { name, ...settings }],
    updates: {
      ...updates(operation.replace('create', 'update'), name, { ...settings, comment: 'changed' }),
      ...(table === 'firewall/policy' && updates('policy.move', name, { before: 1 })),
    },
    async put(what) {
      for (const [of, body] of others) await byHand('POST', of, body);
      // The device reuses the highest number.
      await byHand('DELETE', `${table}/${table === 'firewall/policy' ? '2' : name}`);
      if (what === 'another') await byHand('POST', table, { name, ...another });
    },
    state: async () => {
      const reply = await byHand('GET', table);
      return reply.kind === 'http' && (JSON.parse(reply.body) as JsonObject).results;
    },
  };
}

const vips: readonly (readonly [string, JsonObject])[] = ['10', '11'].map((end) => [
  'firewall/vip',
  { name: `vip-${end}`, extip: `203.0.113.${end}`, mappedip: [{ range: `10.0.0.${end}` }], extintf: 'any' },
]);
const rule = {
  ...{ sourceInterfaces: ['any'], destinationInterfaces: ['any'], sourceAddresses: ['all'] },
  ...{ destinationAddresses: ['all'], services: ['HTTPS'], schedule: 'always', action: 'ACCEPT' },
};
const all = [{ name: 'all' }];
const any = [{ name: 'any' }];
const theirs = {
  ...{ srcintf: any, dstintf: any, srcaddr: all, dstaddr: all, service: [{ name: 'HTTP' }], schedule: 'always' },
};

foreignObjects(fortios, () => relayed, {
  address: foreign('firewall/address', ['address.create', { address: '10.0.0.0/8' }], {
    ...{ type: 'ipmask', subnet: '192.0.2.0 255.255.255.0', comment: 'ADMINISTRATOR' },
  }),
  'address-group': foreign('firewall/addrgrp', ['addressGroup.create', { members: ['all'] }], {
    member: [{ name: 'none' }],
  }),
  service: foreign('firewall.service/custom', ['service.create', { tcpPorts: ['443'] }], { 'tcp-portrange': '80' }),
  vip: foreign('firewall/vip', ['vip.create', { externalAddress: '203.0.113.1', mappedAddress: '10.0.0.1' }], {
    extip: '203.0.113.2',
    mappedip: [{ range: '10.0.0.2' }],
    extintf: 'any',
  }),
  'vip-group': foreign(
    'firewall/vipgrp',
    ['vipGroup.create', { interface: 'any', members: ['vip-10'] }],
    { interface: 'any', member: [{ name: 'vip-11' }] },
    vips,
  ),
  policy: foreign('firewall/policy', ['policy.create', rule], { ...theirs, action: 'deny' }, [
    ['firewall/policy', { name: 'first', ...theirs, action: 'deny' }],
  ]),
});
