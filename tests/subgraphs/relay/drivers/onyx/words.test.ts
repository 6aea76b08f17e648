// Parsing of a switch's output: list entries, session errors, prompts, and VLAN ranges.
import { expect, test } from '@jest/globals';
import type { HttpReply } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { onyx } from '../../../../../subgraphs/relay/drivers/onyx/driver.ts';
import { vlanRanges, vlansIn } from '../../../../../subgraphs/relay/drivers/onyx/vlan-ranges.ts';
import { operationOf } from '../../support/driver-caller.ts';
import { renderContext } from '../../support/render-context.ts';
import { cli, http } from '../../support/replies.ts';
import { result } from './replies.ts';

test('a port with an unreadable entry does not affect the others', () => {
  const data = {
    'Eth1/1': { Mode: 'access', 'Access vlan': '7', 'Allowed vlans': '' },
    'Eth1/2': { Mode: 'trunk', 'Access vlan': 'N/A', 'Allowed vlans': 'everything' },
    'Eth1/3': { 'Access vlan': '1' },
  };
  const given = cli([
    { line: 'show interfaces switchport | json-print', output: `${JSON.stringify(data)}\n3 ports\n` },
  ]);
  const look = (key: string) => onyx.resources?.get('port')?.interpret(given, { scope: '', key, uuid: null });
  expect(look('Eth1/1')).toEqual({ finding: 'PRESENT', values: { port: 'Eth1/1', mode: 'access', vlan: 7 } });
  expect(look('Eth1/2')).toMatchObject({ finding: 'UNREADABLE' });
  expect(look('Eth1/3')).toMatchObject({ finding: 'UNREADABLE' });
  expect(operationOf(onyx, 'port.list').interpret(given, {}, renderContext(onyx))).toMatchObject({
    state: 'SUCCEEDED',
    result: { ports: [{ port: 'Eth1/1' }, { port: 'Eth1/2', mode: null }, { port: 'Eth1/3', mode: null }] },
  });
});

test.each([
  [http(200, { status: 'ERROR', status_message: 'Authentication failure' }), true],
  [http(302, '', { headers: { location: '/admin/launch?script=rh' } }), true],
  [http(200, { results: [result('x', 'ERROR', 'Authentication failure')] }), false],
  [http(200, result('x', 'ERROR', 'Authentication failure')), false],
  [http(200, { status: 'ERROR', status_message: 'Internal error' }), false],
])('only a reply about the session itself means that it has ended: %j, %s', (reply: HttpReply, ended) => {
  expect(onyx.https?.refusedSession(reply)).toBe(ended);
});

test.each([
  ['switch-1 [standalone: master] > ', true],
  ['sw-spine-001 [mlag-domain: master] # ', true],
  ['switch-1 [standalone: master] (config) # ', true],
  ['switch-1 [standalone: master] (config interface ethernet 1/1) # ', true],
  ['il-sh54 # ', true],
  ['## Running database "initial"', false],
  ['   vlan 10 name "a #', false],
])('%j is a prompt: %s', (text, is) => {
  expect(onyx.cli?.prompt.test(text)).toBe(is);
});

test('lists of VLANs', () => {
  expect(vlanRanges([44, 42, 43, 50])).toEqual(['42-44', '50']);
  expect(vlansIn('2-4, 10')).toEqual([2, 3, 4, 10]);
  expect(vlansIn('')).toEqual([]);
  for (const bad of ['0', '4095', '5-3', 'all', '1-']) expect(vlansIn(bad)).toBeUndefined();
});
