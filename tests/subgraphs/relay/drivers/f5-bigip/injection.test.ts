// No caller's text has a special meaning in a URL, a filter or a header: it is refused, or is a plain name.

import { expect, test } from '@jest/globals';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type { HttpCall, JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { f5BigIp } from '../../../../../subgraphs/relay/drivers/f5-bigip/driver.ts';
import { faultsOf, operationOf } from '../../support/driver-caller.ts';
import { renderContext } from '../../support/render-context.ts';

const hostile = [
  ...["a'b", 'a"b', 'a~b', 'a/b', '../x', 'a b', 'a\nb', 'a\r\nX: y', 'a?b', 'a#b', 'a%2fb', 'a&b', 'a\\b', 'a\0b', ''],
  ...[
    "x') or contains(name,'",
    'ä',
    '\u202e',
    'x'.repeat(64),
    '$(id)',
    '`id`',
    '{}',
    'a;b',
    'a,b',
    'a:b',
    'a=b',
    'a+b',
  ],
];

/** Each place in an operation's arguments for a name. */
const places: readonly [string, string, JsonObject][] = [
  ['pool.create', 'name', {}],
  ['pool.create', 'partition', { name: 'x' }],
  ['pool.list', 'partition', {}],
  ['pool.create', 'monitor', { name: 'x' }],
  ['poolMember.create', 'pool', { address: '10.0.0.1', port: 80 }],
  ['poolMember.create', 'node', { pool: 'x', port: 80 }],
  ['poolMember.create', 'address', { pool: 'x', port: 80 }],
  ['monitor.get', 'type', { name: 'x' }],
  ['virtualServer.create', 'pool', { name: 'x', address: '10.0.0.1', port: 1, protocol: 'tcp' }],
  ['asmPolicy.list', 'name', {}],
  ['asmPolicy.list', 'partition', {}],
  ['asmPolicy.get', 'policy', {}],
  ['asmTask.get', 'task', { type: 'import-policy' }],
  ['asmTask.get', 'type', { task: 'x' }],
];

test.each(places)('%s refuses hostile texts as %s', (operation, argument, others) => {
  for (const value of hostile) {
    const faults = faultsOf(f5BigIp, operation, { ...others, [argument]: value });
    expect([value, faults.some((fault) => fault.startsWith(`${argument}:`))]).toEqual([value, true]);
  }
});

test('comments are only text in JSON', () => {
  for (const value of ['"; rm', 'a\nb', 'a\\b', '\u202e', 'x'.repeat(201)]) {
    expect(faultsOf(f5BigIp, 'pool.create', { name: 'x', comment: value })).toHaveLength(1);
  }
  const operation = operationOf(f5BigIp, 'pool.create');
  const checked = validateArguments(operation, { name: 'x', comment: "it's 100 % <b>ok</b> & {done}" });
  if (!checked.ok) throw new Error(JSON.stringify(checked.faults));
  const call = operation.render(checked.args, renderContext(f5BigIp)) as HttpCall;
  expect(call.path).toBe('/mgmt/tm/ltm/pool');
  expect(JSON.stringify(call.body)).toContain("it's 100 % <b>ok</b> & {done}");
});

test('an adopted object may have any name, and is requested by that name only', () => {
  const words = [...hostile, '..', '.', 'http/../../x', 'none/x', '10.0.0.1:80', ':::'];
  for (const [resource, reader] of f5BigIp.resources ?? []) {
    for (const word of words) {
      for (const object of [
        { scope: 'Common', key: word, uuid: null },
        { scope: word, key: 'x', uuid: null },
        { scope: 'Common', key: 'x', uuid: word },
      ]) {
        const { method, path } = reader.render(object, renderContext(f5BigIp)) as HttpCall;
        const [address = '', query = ''] = path.split('?');
        expect([resource, word, method]).toEqual([resource, word, 'GET']);
        // Only characters of an encoded path, no step up, and no more segments than the kind has.
        expect(address).toMatch(/^\/mgmt\/tm\/(ltm|asm)(\/[A-Za-z0-9%~._!'()*-]+)+$/);
        expect(address.split('/')).not.toContain('..');
        expect(address.split('/').length).toBeLessThanOrEqual(8);
        expect(query).not.toMatch(/[\s"#<>\\]/);
        const filter = new URLSearchParams(query).get('$filter') ?? '';
        if (filter !== '') expect(filter).toMatch(/^contains\(name,'[\w.-]*'\) and contains\(partition,'[\w.-]*'\)$/);
      }
    }
  }
});

test('every example matches its own schema, and makes one request', () => {
  for (const [name, operation] of f5BigIp.operations) {
    const checked = validateArguments(operation, operation.example);
    expect([name, checked]).toEqual([name, expect.objectContaining({ ok: true })]);
    const call = operation.render(checked.ok ? checked.args : {}, renderContext(f5BigIp)) as HttpCall;
    expect(call.path).toMatch(/^\/mgmt\/tm\/[\x21-\x22\x24-\x7e]*$/);
    if (operation.effect === 'READ') expect(call.method).toBe('GET');
    else expect(operation.object?.(checked.ok ? checked.args : {})).toBeDefined();
  }
});

test('reports all faults at once', () => {
  expect(faultsOf(f5BigIp, 'pool.update', { name: 'x' })).toEqual([
    ': give at least one of monitor, loadBalancing, comment',
  ]);
  expect(faultsOf(f5BigIp, 'virtualServer.update', { name: 'x', port: 80 })).toEqual([
    'address: address and port must be given together',
  ]);
  expect(faultsOf(f5BigIp, 'poolMember.get', { pool: 'x', port: 80 })).toEqual([
    'address: give exactly one of address and node',
  ]);
  expect(faultsOf(f5BigIp, 'monitor.create', { type: 'tcp', name: 'x', interval: 5, timeout: 5 })).toEqual([
    'timeout: must be greater than interval',
  ]);
});
