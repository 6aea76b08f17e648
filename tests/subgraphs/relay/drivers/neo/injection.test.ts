// No caller's text has a special meaning in a switch's command line, a template, a URL or a query.

import { expect, test } from '@jest/globals';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type { HttpCall, JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { neo } from '../../../../../subgraphs/relay/drivers/neo/driver.ts';
import { switchControllerMutations } from '../../../../../subgraphs/relay/spec/switching.ts';
import { faultsOf } from '../../support/driver-caller.ts';
import { renderContext } from '../../support/render-context.ts';
import { typedInputs } from '../../support/typed-inputs.ts';

const hostile = [
  ...["a'b", 'a"b', 'a/b', '../x', 'a b', 'a\nb', 'a\r\nno vlan 1', 'a?b', 'a#b', 'a%2fb', 'a&b', 'a\\b', 'a\0b', ''],
  ...['<vlan_id>', '$(id)', '$x{', '`id`', '{}', 'a;b', 'a|b', 'a,b', 'ä', '\u202e', 'x'.repeat(101), 'a*', '!'],
];

const device = '10.0.0.1';
const places: readonly [string, string, JsonObject][] = [
  ['vlan.create', 'name', { vlan: 5, devices: [device] }],
  ['port.setVlans', 'device', { port: '1/1', mode: 'access', vlan: 5 }],
  ['port.setVlans', 'port', { device, mode: 'access', vlan: 5 }],
  ['port.setVlans', 'mode', { device, port: '1/1', vlan: 5 }],
  ['port.provision', 'template', { device, ports: ['1/1'] }],
  ['template.run', 'template', { devices: [device] }],
  ['template.get', 'template', {}],
  ['job.status', 'job', {}],
  ['job.list', 'parent', {}],
  ['job.list', 'device', {}],
  ['system.list', 'device', {}],
];

test.each(places)('%s refuses hostile texts as %s', (operation, argument, others) => {
  for (const value of hostile) {
    const faults = faultsOf(neo, operation, { ...others, [argument]: value });
    expect([value, faults.some((fault) => fault.startsWith(`${argument}:`))]).toEqual([value, true]);
  }
});

test('lists and template arguments refuse them too', () => {
  for (const value of hostile) {
    expect(faultsOf(neo, 'vlan.create', { vlan: 5, devices: [value] })).not.toEqual([]);
    expect(faultsOf(neo, 'port.provision', { template: 'T', device, ports: [value] })).not.toEqual([]);
    expect(faultsOf(neo, 'template.run', { template: 'T', devices: [device], arguments: { [value]: 1 } })).not.toEqual(
      [],
    );
  }
  for (const value of ['a\nb', 'a"b', '<x>', '$x{', 'a;b', 'a|b', '`id`', 'a\\b', 'ä', { x: 1 }, ['a'], null]) {
    const args = { template: 'T', devices: [device], arguments: { name: value } };
    expect(faultsOf(neo, 'template.run', args)).not.toEqual([]);
  }
});

test('command lines are only those of the schema', () => {
  const rendered = (name: string, given: JsonObject) => {
    const operation = neo.operations.get(name);
    if (!operation) throw new Error(name);
    const checked = validateArguments(operation, given);
    if (!checked.ok) throw new Error(JSON.stringify(checked.faults));
    const call = operation.render(checked.args, renderContext(neo)) as HttpCall;
    return ((call.body as JsonObject).params as { commandline: string[] }).commandline;
  };
  expect(rendered('vlan.create', { vlan: 7, name: 'a.b_c-d', devices: [device] })).toEqual([
    ...['vlan 7', 'exit', 'vlan 7 name "a.b_c-d"'],
  ]);
  const port = { device, port: 'eth1/31/2', mode: 'hybrid', vlan: 7, allowedVlans: [10, 9] };
  expect(rendered('port.setVlans', port)).toEqual([
    'interface ethernet 1/31/2 switchport mode hybrid',
    'interface ethernet 1/31/2 switchport access vlan 7',
    'interface ethernet 1/31/2 switchport hybrid allowed-vlan none',
    'interface ethernet 1/31/2 switchport hybrid allowed-vlan add 9',
    'interface ethernet 1/31/2 switchport hybrid allowed-vlan add 10',
  ]);
});

test('an adopted object may have any name, and is never requested by it', () => {
  for (const [resource, reader] of neo.resources ?? []) {
    for (const word of [...hostile, '..', '10.0.0.1,x', '10.0.0.1.system&a=b']) {
      for (const object of [
        { scope: word, key: '1', uuid: null },
        { scope: device, key: word, uuid: word },
      ]) {
        const { method, path } = reader.render(object, renderContext(neo)) as HttpCall;
        expect([resource, word, method]).toEqual([resource, word, 'GET']);
        expect(path).toMatch(/^\/neo\/resources\/(vlans|ports)(\?system_ids=[0-9.]+\.system)?$/);
      }
    }
  }
});

test('every example matches its own schema, and makes one request', () => {
  for (const [name, operation] of neo.operations) {
    const checked = validateArguments(operation, operation.example);
    expect([name, checked]).toEqual([name, expect.objectContaining({ ok: true })]);
    const call = operation.render(checked.ok ? checked.args : {}, renderContext(neo)) as HttpCall;
    expect(call.method).toBe(operation.effect === 'READ' ? 'GET' : 'POST');
    expect(call.path).toMatch(/^\/neo\/(app|resources|actions)[\x21-\x22\x24-\x7e]*$/);
  }
});

test('each typed mutation of the family is an operation with valid arguments', () => {
  for (const { name } of switchControllerMutations) {
    const call = neo.typed[name]?.(typedInputs[name] ?? {});
    expect([name, faultsOf(neo, call?.operation ?? '', call?.arguments ?? {})]).toEqual([name, []]);
  }
});

test('VLANs must suit the mode of the port', () => {
  const faults = (more: JsonObject) => faultsOf(neo, 'port.setVlans', { device, port: '1/1', ...more });
  expect(faults({ mode: 'access' })).toEqual([
    'vlan: is required for the modes access and hybrid, and not allowed otherwise',
  ]);
  expect(faults({ mode: 'trunk', vlan: 5 })).toHaveLength(2);
  expect(faults({ mode: 'trunk', allowedVlans: [5, 5] })).toHaveLength(1);
  expect(faults({ mode: 'access', vlan: 4_095 })).toEqual(['vlan: must be <= 4094']);
});
