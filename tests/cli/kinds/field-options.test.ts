// Options that are generated from the inputs of the graph. Each field has one, no two have the same name, and each sets the right value.
import { describe, expect, test } from '@jest/globals';
import { UsageError } from '../../../cli/failures.ts';
import { fieldOptions } from '../../../cli/kinds/field-options.ts';
import { commonOptions, connectionOptions } from '../../../cli/remote-verb.ts';
import { registry } from '../../../generated/kinds/registry.ts';
import { ownFields } from '../../../schema/kinds/kind.ts';
import { ownName } from '../../../schema/kinds/option-names.ts';

const actions = Object.values(registry.kinds).flatMap((kind) =>
  Object.values(kind.actions).map((action) => ({ kind, action, of: action.mutation })),
);
const optionsOf = (input: string, singular = 'thing') => fieldOptions(input, { singular, without: ['projectId'] });
const named = (input: string, name: string) => {
  const found = optionsOf(input).find((each) => each.name === name);
  if (found === undefined) throw new Error(`${input} has no option --${name}`);
  return found;
};
const read = (input: string, name: string, given: string | readonly string[]) =>
  named(input, name).option.read(given, `--${name}`);

describe.each(actions)('$of', ({ kind, action }) => {
  const options = optionsOf(action.input, kind.singular);
  const names = options.map(({ name }) => name);

  test('no two options have one name, and none has the name of another option of the verb', () => {
    expect(names.filter((each, at) => names.indexOf(each) !== at)).toEqual([]);
    const taken = Object.keys({ ...commonOptions, ...connectionOptions, from: 0, unset: 0, rename: 0 });
    expect(names.filter((each) => taken.includes(each))).toEqual([]);
  });

  test('each field can be set', () => {
    const reached = new Set(options.map(({ path }) => path[0]));
    const left = (registry.inputs[action.input]?.fields ?? []).filter(
      ({ name, tree }) => !reached.has(name) && tree !== true && !ownFields.has(name) && name !== 'projectId',
    );
    expect(left).toEqual([]);
  });

  test('secrets and texts of several lines are read from files', () => {
    const files = options.filter(({ option }) => option.value === 'FILE').map(({ name }) => name);
    const wanted = options.filter(({ field }) => field.secret === true || field.file === true);
    expect(files).toEqual(wanted.map(({ name }) => name));
  });
});

test.each([
  ['poolIds', { list: true, refersTo: 'GslbPool' }, 'pool'],
  ['fallbackPoolId', { refersTo: 'GslbPool' }, 'fallbackPool'],
  ['policies', { list: true }, 'policy'],
  ['addresses', { list: true }, 'address'],
  ['nameServers', { list: true }, 'nameServer'],
  ['expectedRecords', { list: true }, 'expectedRecord'],
  ['allowedCidrs', { list: true }, 'allowedCidr'],
  ['secondaries', { list: true }, 'secondary'],
  ['addresses', {}, 'addresses'],
] as const)('%s %j is %s', (name, more, word) => {
  expect(ownName({ name, ...more })).toBe(word);
});

test('a name that the connection uses stands for that of the kind', () => {
  expect(optionsOf('UserCreateInput', 'user').map(({ name }) => name)).toContain('user-password-file');
  expect(optionsOf('UserCreateInput', 'user').map(({ name }) => name)).not.toContain('password-file');
});

test('fields of an object are options that begin with its name', () => {
  expect(named('GslbPoolCreateInput', 'quorum-least-regions').path).toEqual(['quorum', 'leastRegions']);
  expect(named('GslbMonitorCreateInput', 'parameters-https-path').path).toEqual(['parameters', 'https', 'path']);
});

test('values are converted to the types of the graph', () => {
  expect(read('GslbMonitorCreateInput', 'check-type', 'https')).toBe('HTTPS');
  expect(read('GslbMonitorCreateInput', 'interval-ms', '5000')).toBe(5000);
  expect(read('GslbCreateInput', 'cmp', 'east:tenant/a/42')).toEqual({
    ...{ namespace: 'east', type: 'tenant', externalId: 'a/42' },
  });
  expect(read('GslbCreateInput', 'cmp-object-type', 'tenant')).toBe('tenant');
  expect(read('GslbVantagePointCreateInput', 'latitude', '-47.5')).toBe(-47.5);
  expect(read('DnsZoneCreateInput', 'signed', 'TRUE')).toBe(true);
  expect(read('DnsZoneUpdateInput', 'signed', 'false')).toBe(false);
  expect(read('GslbFlavorCreateInput', 'policy', ['geo', 'ROUND_ROBIN'])).toEqual(['GEO', 'ROUND_ROBIN']);
  expect(read('GslbPoolMemberCreateInput', 'address', ['192.0.2.1', '2001:db8::1'])).toEqual([
    ...['192.0.2.1', '2001:db8::1'],
  ]);
});

test('an object in a list is FIELD=VALUE,…, or JSON', () => {
  const beacons = (given: string) => read('GslbVantagePointCreateInput', 'beacon', [given]);
  expect(beacons('host=192.0.2.1,port=443')).toEqual([{ host: '192.0.2.1', port: 443 }]);
  expect(beacons('{"host": "192.0.2.1", "port": 443}')).toEqual([{ host: '192.0.2.1', port: 443 }]);
  expect(read('DnsZoneCreateInput', 'right', ['suffix=a.test,project=default,allows=wildcards apex'])).toEqual([
    { suffix: 'a.test', projectId: 'default', allows: ['WILDCARDS', 'APEX'] },
  ]);
});

test.each([
  ['GslbMonitorCreateInput', 'interval-ms', 'soon', '--interval-ms must be a whole number'],
  ['GslbMonitorCreateInput', 'check-type', 'psychic', '--check-type must be one of'],
  ['GslbVantagePointCreateInput', 'latitude', 'north', '--latitude must be a number'],
  ['DnsZoneUpdateInput', 'signed', 'perhaps', '--signed must be one of true, false'],
  ['GslbMonitorCreateInput', 'parameters-plugin', '{', '--parameters-plugin must be JSON'],
])('%s --%s %s is refused', (input, name, given, message) => {
  expect(() => read(input, name, given)).toThrow(UsageError);
  expect(() => read(input, name, given)).toThrow(message);
});

test('an unknown field of an object in a list is refused, with a list of the valid fields', () => {
  expect(() => read('GslbVantagePointCreateInput', 'beacon', ['address=192.0.2.1'])).toThrow(
    'the fields are host, port',
  );
});
