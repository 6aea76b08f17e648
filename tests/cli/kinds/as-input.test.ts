// Objects in the form of an input, and the checking and merging of inputs. Pure.
import { expect, test } from '@jest/globals';
import { asInput, mergedInput, shownField } from '../../../cli/kinds/as-input.ts';
import { checkInput } from '../../../cli/kinds/check-input.ts';
import { registry } from '../../../generated/kinds/registry.ts';

const outputOf = (type: string) => registry.kinds[type]?.output ?? [];
const link = (id: string) => ({ id, name: `name of ${id}` });

test('links become ids or the requested form, and objects lose their nulls', () => {
  const gslb = {
    ...{ fqdn: 'www.test', flavor: link('F'), pools: [link('A'), link('B')], fallbackPool: null },
    policyOptions: { count: 2, geoBy: null, toleranceKm: null },
    cmpObject: { id: 'C', namespace: 'default', type: 'tenant', externalId: '42' },
  };
  expect(asInput('GslbCreateInput', outputOf('Gslb'), gslb)).toEqual({
    ...{ fqdn: 'www.test', flavorId: 'F', poolIds: ['A', 'B'], fallbackPoolId: null, policyOptions: { count: 2 } },
    cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
  });
  const named = asInput('GslbCreateInput', outputOf('Gslb'), gslb, ({ name }, kind) => `${kind} ${String(name)}`);
  expect(named).toMatchObject({
    flavorId: 'GslbFlavor name of F',
    poolIds: ['GslbPool name of A', 'GslbPool name of B'],
  });
});

test('a union is represented by the field that sets it', () => {
  const parameters = { __typename: 'GslbHttpsParameters', path: '/alive', verify: true, body: null };
  expect(asInput('GslbMonitorUpdateInput', outputOf('GslbMonitor'), { parameters })).toEqual({
    parameters: { https: { path: '/alive', verify: true } },
  });
  const plugin = { __typename: 'GslbPluginParameters', values: { depth: 3 } };
  expect(asInput('GslbMonitorUpdateInput', outputOf('GslbMonitor'), { parameters: plugin })).toEqual({
    parameters: { plugin: { depth: 3 } },
  });
});

test('in a tree a part is given by name, in its own input by id', () => {
  const listener = { port: 80, defaultPool: link('P') };
  const byName = (of: string) => asInput(of, outputOf('Listener'), listener, ({ name }) => String(name));
  expect(byName('ListenerTreeInput')).toEqual({ port: 80, defaultPool: 'name of P' });
  expect(asInput('ListenerCreateInput', outputOf('Listener'), listener)).toEqual({ port: 80, defaultPoolId: 'P' });
});

test.each([
  ['GslbPoolMember', 'GslbPoolMemberCreateInput', 'loadBalancerId', 'followedLoadBalancer'],
  ['Backend', 'BackendCreateInput', 'driver', 'driverName'],
  ['Listener', 'ListenerCreateInput', 'certificateIds', 'certificates'],
  ['L7Policy', 'L7PolicyCreateInput', 'redirectPoolId', 'redirectPool'],
  ['ObjectContainer', 'ObjectContainerCreateInput', 'optionId', 'option'],
  ['User', 'UserCreateInput', 'password', undefined],
  ['AlertRule', 'AlertRuleCreateInput', 'watchedSubjectId', 'watchedSubject'],
] as const)('%s: %s.%s is shown as %s', (type, input, name, shown) => {
  const field = registry.inputs[input]?.fields.find((each) => each.name === name);
  expect(field).toBeDefined();
  expect(field && shownField(outputOf(type), field)?.name).toBe(shown);
});

test('every field that the graph can change is also shown, because apply could not compare it otherwise', () => {
  const hidden = Object.values(registry.kinds).flatMap(({ type, actions, output }) =>
    (registry.inputs[actions.update?.input ?? '']?.fields ?? [])
      .filter((field) => !['id', 'idempotencyKey', 'expectedVersion'].includes(field.name) && field.secret !== true)
      .filter((field) => shownField(output, field) === undefined)
      .map(({ name }) => `${type}.${name}`),
  );
  expect(hidden.sort()).toEqual([
    // A target contains secrets. Only its destination is shown.
    'AlertChannel.target',
    ...['Backend.credentials', 'Backend.dropCredentials', 'DnsBackend.credentials', 'GslbMonitor.auth'],
    'LoadBalancerHost.healthPort',
  ]);
});

test('an object of any kind is its id', () => {
  const rule = { name: 'r', watchedSubject: { id: 'B' }, channels: [] };
  expect(asInput('AlertRuleCreateInput', outputOf('AlertRule'), rule, () => 'a name')).toMatchObject({
    watchedSubjectId: 'B',
  });
});

test('members of objects are merged; of alternatives only the new one stays', () => {
  const before = { downAtLeast: { percent: 50 }, leastRegions: 2 };
  expect(mergedInput('GslbPoolQuorumInput', before, { leastVoters: 3 })).toEqual({ ...before, leastVoters: 3 });
  expect(mergedInput('GslbPoolQuorumInput', before, { downAtLeast: { count: 2 } })).toEqual({
    ...{ downAtLeast: { count: 2 }, leastRegions: 2 },
  });
  expect(mergedInput('GslbPoolQuorumInput', null, { leastVoters: 3 })).toEqual({ leastVoters: 3 });
});

test('an input is checked for unknown fields, wrong words and types, conflicting alternatives, and missing fields', () => {
  const faultsOf = (input: string, value: object) =>
    checkInput(input, value as Parameters<typeof checkInput>[1]).faults.map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );
  expect(faultsOf('GslbPoolCreateInput', { name: 'a', answerScope: 'region', failback: { mode: 'manual' } })).toEqual(
    [],
  );
  expect(checkInput('GslbPoolCreateInput', { name: 'a', answerScope: 'region' }).value).toMatchObject({
    answerScope: 'REGION',
  });
  expect(faultsOf('GslbPoolCreateInput', { minUp: '3', failback: [], answerScope: 'here', id: 'x' })).toEqual([
    'minUp: minUp must be a number',
    'failback: failback must be a map of names and values',
    'answerScope: answerScope must be one of ALL, REGION',
    expect.stringContaining('id: "id" is not a field; the fields are '),
    'name: name is missing',
  ]);
  const [both] = faultsOf('GslbMonitorUpdateInput', { parameters: { http: {}, tcp: {} } });
  expect(both).toContain('parameters: give exactly one of tcp, udp, http');
});
