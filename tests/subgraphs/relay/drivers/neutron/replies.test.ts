import { describe, expect, test } from '@jest/globals';
import type { HttpReply, JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { neutron } from '../../../../../subgraphs/relay/drivers/neutron/driver.ts';
import { checkedFor, faultsOf, operationOf } from '../../support/driver-caller.ts';
import { renderContext } from '../../support/render-context.ts';
import { unlike } from '../../support/unlike.ts';
import { someId } from './support.ts';

const reply = (status: number, body: unknown, more: Partial<HttpReply> = {}): HttpReply => ({
  kind: 'http',
  status,
  headers: {},
  body: typeof body === 'string' ? body : JSON.stringify(body),
  truncated: false,
  ...more,
});
const neutronError = (type: string, message = 'no') => ({ NeutronError: { type, message, detail: '' } });
const writes = [...neutron.operations.values()].filter(({ effect }) => effect !== 'READ');
const reads = [...neutron.operations.values()].filter(({ effect }) => effect === 'READ');

describe('inconclusive replies', () => {
  test.each([
    ['500', reply(500, neutronError('HTTPInternalServerError'))],
    ['502 of a proxy', reply(502, '<html><title>502 Bad Gateway</title></html>')],
    ['503 of a load balancer', reply(503, '<html><title>503 Service Unavailable</title></html>')],
    ['504', reply(504, '')],
    ['408', reply(408, '')],
    ['a redirect', reply(302, '')],
    ['no JSON', reply(201, 'Created')],
    ['JSON that is not an object', reply(201, '[]')],
    ['a truncated reply', reply(201, { network: { id: someId } }, { truncated: true })],
  ])('%s', (_what, given) => {
    for (const operation of writes) {
      const args = checkedFor(neutron, operation.name, operation.example);
      expect([operation.name, operation.interpret(given, args, renderContext(neutron))]).toMatchObject([
        operation.name,
        { state: 'UNKNOWN' },
      ]);
      if (!operation.probe) continue;
      expect(operation.probe.interpret(given, args, {} as never)).toMatchObject({ finding: 'UNREADABLE' });
    }
    for (const operation of reads) {
      expect(
        operation.interpret(given, checkedFor(neutron, operation.name, operation.example), renderContext(neutron)),
      ).toMatchObject({
        state: 'FAILED',
      });
    }
    for (const reader of neutron.resources?.values() ?? []) {
      for (const uuid of [null, someId]) {
        expect(reader.interpret(given, { scope: someId, key: 'x', uuid })).toMatchObject({ finding: 'UNREADABLE' });
      }
    }
    expect(neutron.health.interpret(given)).toBeUndefined();
  });

  test('success without the created object', () => {
    for (const operation of writes.filter(({ name }) => /\.(create|add|update)$/.test(name))) {
      for (const body of [{}, { network: null }, { network: {} }, { thing: { id: someId } }]) {
        const args = checkedFor(neutron, operation.name, operation.example);
        expect(operation.interpret(reply(201, body), args, renderContext(neutron))).toMatchObject({ state: 'UNKNOWN' });
      }
    }
  });
});

test.each([
  ['503 that says it is busy', reply(503, neutronError('ServiceUnavailable'))],
  ['401', reply(401, neutronError('Unauthorized'))],
  ['403', reply(403, neutronError('PolicyNotAuthorized'))],
  ['429', reply(429, neutronError('OverLimit'))],
  ['404 of the URL', reply(404, neutronError('HTTPNotFound'))],
  ['502', reply(502, '')],
  ['another object', reply(200, { port_pair: { id: someId } })],
])('a chain that is read again: %s says nothing of the change', (_what, given) => {
  const args = { id: someId, name: 'web', portPairGroups: [someId, someId.replace('2f', '3f')] };
  const { job } = operationOf(neutron, 'portChain.update');
  expect(job?.interpret(given, { id: someId }, args, renderContext(neutron))).toMatchObject({ finding: 'UNREADABLE' });
  const gone = reply(404, neutronError('PortChainNotFound'));
  expect(job?.interpret(gone, { id: someId }, args, renderContext(neutron))).toMatchObject({
    finding: 'FAILED',
    code: 'NOT_FOUND',
  });
});

test('what a chain or a graph uses is in use', () => {
  for (const type of ['InvalidPortPairGroups', 'ServiceGraphInvalidPortChains', 'PortPairInUse']) {
    const { name, example } = operationOf(neutron, 'portChain.create');
    const refused = operationOf(neutron, name).interpret(
      reply(409, neutronError(type)),
      checkedFor(neutron, name, example),
      renderContext(neutron),
    );
    expect([type, refused]).toMatchObject([type, { state: 'FAILED', code: 'IN_USE' }]);
  }
});

test('what somebody puts into an empty group or chain by hand is a difference', () => {
  const group = { name: 'a' };
  const chain = { name: 'a', portPairGroups: [someId] };
  for (const [operation, wanted, found, path] of [
    ['portPairGroup.create', group, { ...group, portPairs: [someId], lbFields: [], tap: false }, 'portPairs'],
    ['portPairGroup.create', group, { ...group, portPairs: [], lbFields: ['ip_src'], tap: false }, 'lbFields'],
    ['portChain.create', chain, { ...chain, flowClassifiers: [someId], chainId: 1 }, 'flowClassifiers'],
  ] as const)
    expect(unlike(neutron, operation, wanted as JsonObject, found as unknown as JsonObject)).toMatchObject([{ path }]);
});

describe('refusals', () => {
  test.each([
    [400, 'HTTPBadRequest', 'DEVICE_REFUSED'],
    [401, undefined, 'SESSION_REFUSED'],
    [403, 'PolicyNotAuthorized', 'NOT_ALLOWED'],
    [404, 'NetworkNotFound', 'NOT_FOUND'],
    [409, 'OverQuota', 'QUOTA_EXCEEDED'],
    [409, 'NetworkInUse', 'IN_USE'],
    [409, 'IpAddressAlreadyAllocated', 'ALREADY_EXISTS'],
    [409, 'GatewayConflictWithAllocationPools', 'CONFLICT'],
    [412, 'RevisionNumberConstraintFailed', 'DEVICE_REFUSED'],
    [413, undefined, 'DEVICE_REFUSED'],
    [503, 'MacAddressGenerationFailure', 'DEVICE_BUSY'],
  ] as const)('%i %s', (status, type, code) => {
    const given = reply(status, type === undefined ? 'no' : neutronError(type));
    for (const operation of writes) {
      expect(
        operation.interpret(given, checkedFor(neutron, operation.name, operation.example), renderContext(neutron)),
      ).toMatchObject({
        state: 'FAILED',
        code,
      });
    }
  });

  test('only an object that Neutron itself reports missing is absent', () => {
    const remove = operationOf(neutron, 'network.delete');
    const args = checkedFor(neutron, 'network.delete', remove.example);
    expect(remove.interpret(reply(404, neutronError('NetworkNotFound')), args, renderContext(neutron))).toMatchObject({
      absent: true,
    });
    for (const body of [neutronError('HTTPNotFound'), '<html><title>404</title></html>', '']) {
      expect(remove.interpret(reply(404, body), args, renderContext(neutron))).not.toHaveProperty('absent');
      const reader = neutron.resources?.get('network');
      const object = { scope: '', key: 'x', uuid: someId };
      expect(reader?.interpret(reply(404, body), object)).toMatchObject({ finding: 'UNREADABLE' });
    }
  });
});

describe('refused arguments', () => {
  test.each<[string, string, JsonObject, string]>([
    ['an id with ..', 'network.get', { id: '../../v2.0/networks/00000000-0000' }, 'id'],
    ['an id with a query', 'network.get', { id: `${someId}?x=y` }, 'id'],
    ['a name with a slash', 'network.create', { name: 'a/b' }, 'name'],
    ['a line break in a description', 'network.create', { name: 'a', description: 'a\nb' }, 'description'],
    [
      'a description that leaves no room for the mark',
      'network.create',
      { name: 'a', description: 'x'.repeat(216) },
      'description',
    ],
    ['a block with host bits', 'subnet.create', { network: someId, name: 'a', cidr: '10.0.0.1/24' }, 'cidr'],
    ['a subnet of one address', 'subnet.create', { network: someId, name: 'a', cidr: '10.0.0.1' }, 'cidr'],
    [
      'a gateway that is a block',
      'subnet.create',
      { network: someId, name: 'a', cidr: '10.0.0.0/24', gateway: '10.0.0.0/25' },
      'gateway',
    ],
    ['an address without its subnet', 'port.create', { network: someId, name: 'a', address: '10.0.0.1' }, 'subnet'],
    [
      'ports without a protocol',
      'securityGroupRule.create',
      { securityGroup: someId, direction: 'ingress', firstPort: 1 },
      'firstPort',
    ],
    [
      'a range with its end before its beginning',
      'securityGroupRule.create',
      { securityGroup: someId, direction: 'ingress', protocol: 'tcp', firstPort: 2, lastPort: 1 },
      'lastPort',
    ],
    [
      'a version that does not match the address',
      'securityGroupRule.create',
      { securityGroup: someId, direction: 'ingress', remote: '10.0.0.0/8', ipVersion: 6 },
      'ipVersion',
    ],
    ['an empty change', 'network.update', { id: someId, name: 'a' }, ''],
    ['an argument of another kind', 'router.create', { name: 'a', mtu: 1_500 }, 'mtu'],
  ])('%s', (_what, name, args, field) => {
    expect(faultsOf(neutron, name, args)).toEqual([expect.stringMatching(new RegExp(`^${field}: `))]);
  });

  test("the longest description fits with its mark into Neutron's field", () => {
    const args = checkedFor(neutron, 'network.create', { name: 'a', description: 'x'.repeat(215) });
    const context = {
      operationId: someId,
      backend: { transport: 'https', options: {}, softwareVersion: null },
    } as const;
    const wire = operationOf(neutron, 'network.create').render(args, context) as unknown as {
      body: { network: { description: string } };
    };
    expect(wire.body.network.description).toHaveLength(255);
  });
});

test("the path before /v2.0 is the backend's own", () => {
  const backend = { transport: 'https', options: { basePath: '/networking' }, softwareVersion: null } as const;
  const wire = operationOf(neutron, 'network.get').render({ id: someId }, { operationId: someId, backend });
  expect(wire).toMatchObject({ path: `/networking/v2.0/networks/${someId}` });
});
