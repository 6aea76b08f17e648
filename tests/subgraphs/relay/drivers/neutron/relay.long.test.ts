// From the graph to Neutron and back: typed calls, mappings with Neutron's own ids, a late answer settled by looking, and
// deletion by mapping.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { describeWithNeutron } from '../../../../support/servers/neutron.ts';
import {
  type CallShape,
  call,
  type RelayNode,
  RelaySystem,
  registerBackend,
  settle,
  verify,
} from '../../support/relay-system.ts';
import { endpointFor, type NeutronCaller, neutronCaller, optionsFor } from './support.ts';

describeWithNeutron('Neutron behind the relay', (lab) => {
  let system: RelaySystem;
  let node: RelayNode;
  let direct: NeutronCaller;

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node();
    const { alpha } = lab().accounts;
    direct = neutronCaller(lab(), alpha);
    const { host, port, certificateSha256, credentials } = endpointFor(lab(), alpha);
    const options = optionsFor(lab(), alpha);
    await registerBackend(node, {
      ...{ name: 'cloud', driver: 'neutron', host, port, certificateSha256, credentials, options },
    });
  });
  afterAll(async () => {
    await direct.stop();
    await system.stop();
  });

  let keys = 0;
  const key = () => {
    keys += 1;
    return `k${keys}`;
  };
  async function typed(mutation: string, input: object): Promise<CallShape> {
    const common = {
      backend: { name: 'cloud' },
      cmpObject: { type: 'tenant', externalId: '42' },
      idempotencyKey: key(),
    };
    const made = await node.mutate(mutation, { ...common, ...input });
    expect(made.userErrors).toEqual([]);
    return made;
  }
  const idOf = ({ mapping }: CallShape): string => mapping?.uuid ?? '';

  test('every typed mutation creates its object, which is mapped by its id and deleted by its mapping', async () => {
    const made: CallShape[] = [];
    const make = async (mutation: string, input: Record<string, unknown>) => {
      const done = await typed(mutation, input);
      expect([mutation, done.operation?.deviceError ?? null, done.operation?.state]).toEqual([
        mutation,
        null,
        'SUCCEEDED',
      ]);
      expect(done.mapping).toMatchObject({ mappingState: 'ACTIVE', uuid: expect.stringMatching(/^[0-9a-f-]{36}$/) });
      made.push(done);
      return idOf(done);
    };
    const network = await make('networkCreate', { name: 'tenant-42' });
    const subnet = await make('networkSubnetCreate', {
      name: 'tenant-42-a',
      network,
      cidr: '10.42.0.0/24',
      gateway: '10.42.0.254',
    });
    const securityGroup = await make('networkSecurityGroupCreate', { name: 'tenant-42-web' });
    await make('networkSecurityGroupRuleCreate', {
      securityGroup,
      direction: 'INGRESS',
      protocol: 'TCP',
      firstPort: 443,
    });
    const port = await make('networkPortCreate', {
      name: 'tenant-42-1',
      network,
      subnet,
      securityGroups: [securityGroup],
    });
    const router = await make('networkRouterCreate', {
      name: 'tenant-42-gw',
      externalNetwork: lab().externalNetworkId,
    });
    await make('networkRouterInterfaceAdd', { router, subnet });
    await make('networkFloatingIpCreate', { name: 'tenant-42', network: lab().externalNetworkId, port });

    for (const { mapping } of made.reverse()) {
      const removed = await call(node, 'delete', { idempotencyKey: key(), mappingId: mapping?.id });
      expect([mapping?.objectKey, removed.operation?.deviceError ?? null]).toEqual([mapping?.objectKey, null]);
      expect(removed).toMatchObject({ operation: { state: 'SUCCEEDED' }, mapping: { mappingState: 'DELETED' } });
    }
    expect(await direct.look('network', { scope: '', key: 'tenant-42', uuid: null })).toEqual({ finding: 'ABSENT' });
  });

  // README's job.
  test('a chain by single calls: listed for its CMP object, different when its groups are swapped, and taken away in order', async () => {
    const made = new Map<string, CallShape>();
    const make = async (operation: string, args: Record<string, unknown>) => {
      const common = { backend: { name: 'cloud' }, cmpObject: { type: 'tenant', externalId: 'chained' } };
      const done = await call(node, 'relayCall', { ...common, idempotencyKey: key(), operation, arguments: args });
      expect([operation, done.userErrors, done.operation]).toMatchObject([operation, [], { state: 'SUCCEEDED' }]);
      made.set(`${operation} ${String(args.name)}`, done);
      return idOf(done);
    };
    const network = await make('network.create', { name: 'chained' });
    const port = (name: string, more = {}) => make('port.create', { network, name, ...more });
    const sender = await port('sender');
    const ingress = await port('in', { device: 'inspector' });
    const groups: string[] = [];
    for (const name of ['first', 'second']) {
      const egress = await port(`${name}-out`, { device: 'inspector' });
      const pair = await make('portPair.create', { name, ingress, egress });
      groups.push(await make('portPairGroup.create', { name, portPairs: [pair] }));
    }
    const spare = await make('portPairGroup.create', { name: 'spare' });
    const flow = { name: 'web', protocol: 'tcp', destinationFirstPort: 80, logicalSourcePort: sender };
    const flowClassifiers = [await make('flowClassifier.create', flow)];
    await make('portChain.create', { name: 'web', portPairGroups: groups, flowClassifiers });

    const data = await node.ask<{ found: { nodes: { objectKey: string; resource: string }[] } }>(
      '{ found: mappings(cmpObject: { type: "tenant", externalId: "chained" }) { nodes { resource objectKey } } }',
    );
    const listed = data.found.nodes.map(({ resource, objectKey }) => `${resource} ${objectKey}`);
    expect(listed.sort()).toEqual(
      [...['network chained', 'port sender', 'port in', 'port first-out', 'port second-out'], 'port-pair first']
        .concat(['port-pair second', 'port-pair-group first', 'port-pair-group second', 'port-pair-group spare'])
        .concat(['flow-classifier web', 'port-chain web'])
        .sort(),
    );

    const mappingOf = (name: string) => made.get(name)?.mapping?.id;
    const verified = async () => (await verify(node, mappingOf('portChain.create web')))[0];
    expect(await verified()).toBe('MATCHES');
    const chain = { id: idOf(made.get('portChain.create web') as CallShape), name: 'web' };
    await direct.done('portChain.update', { ...chain, portPairGroups: [spare] });
    await direct.accepted('portChain.update', { ...chain, portPairGroups: groups.toReversed() });
    expect(await verified()).toBe('DRIFTED');

    const remove = async (name: string) => {
      return (await call(node, 'delete', { idempotencyKey: key(), mappingId: mappingOf(name) })).operation;
    };
    expect(await remove('portPairGroup.create first')).toMatchObject({
      state: 'FAILED',
      deviceError: { code: 'IN_USE', message: expect.stringContaining('PortPairGroupInUse') },
    });
    for (const name of [...made.keys()].reverse())
      expect([name, await remove(name)]).toMatchObject([name, { state: 'SUCCEEDED' }]);
    expect(await direct.look('network', { scope: '', key: 'chained', uuid: null })).toEqual({ finding: 'ABSENT' });
  });

  // The answer to the change itself has the order that was asked for.
  test('a change of order that Neutron does not make has FAILED', async () => {
    const groups: string[] = [];
    for (const name of ['one', 'two']) groups.push((await direct.done('portPairGroup.create', { name })).id);
    const { id } = await direct.done('portChain.create', { name: 'kept', portPairGroups: groups });
    const common = { backend: { name: 'cloud' }, idempotencyKey: 'reorder', operation: 'portChain.update' };
    const { operation } = await call(node, 'relayCall', {
      ...{ ...common, arguments: { id, name: 'kept', portPairGroups: groups.toReversed() }, waitMs: 30_000 },
    });
    expect(operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'NOT_TAKEN' } });
    await direct.done('portChain.delete', { id, name: 'kept' });
    for (const [at, name] of ['one', 'two'].entries())
      await direct.done('portPairGroup.delete', { id: groups[at] ?? '', name });
  });

  test('a late answer leaves the call UNKNOWN; a look for the mark settles it', async () => {
    // A router with a gateway takes Neutron almost a second.
    const input = { name: 'late', externalNetwork: lab().externalNetworkId, deadlineMs: 100 };
    const late = await typed('networkRouterCreate', input);
    expect(late.operation).toMatchObject({ state: 'UNKNOWN', changedMappings: [{ mappingState: 'UNVERIFIED' }] });
    await waitFor('the router', async () => {
      const found = await direct.look('router', { scope: '', key: 'late', uuid: null });
      return found.finding === 'PRESENT' && found.values.externalNetwork === lab().externalNetworkId;
    });
    const settled = await settle(node, { idempotencyKey: 'settle-late', id: late.operation?.id });
    expect(settled.operation).toMatchObject({ state: 'SUCCEEDED', changedMappings: [{ mappingState: 'ACTIVE' }] });
    const { routers } = (await direct.done('router.list', { name: 'late' })) as unknown as {
      routers: { id: string }[];
    };
    expect(routers).toHaveLength(1);
  });

  test('a call with the id of another object is refused, whatever name it gives, and both objects stay', async () => {
    const mine = idOf(await typed('networkCreate', { name: 'mine' }));
    const theirs = idOf(
      await typed('networkCreate', { name: 'theirs', cmpObject: { type: 'tenant', externalId: '43' } }),
    );
    const { id: unmapped } = await direct.done('network.create', { name: 'unmapped' });
    for (const operation of ['network.delete', 'network.update'])
      for (const [id, name, code] of [
        [theirs, 'mine', 'ALREADY_MAPPED'],
        [theirs, 'nobody', 'ALREADY_MAPPED'],
        [unmapped, 'mine', 'INVALID_INPUT'],
      ] as const) {
        const changes = operation === 'network.update' ? { description: 'changed' } : {};
        const { userErrors } = await call(node, 'relayCall', {
          ...{
            backend: { name: 'cloud' },
            idempotencyKey: key(),
            cmpObject: { type: 'tenant', externalId: '42' },
          },
          ...{ operation, arguments: { id, name, ...changes } },
        });
        expect([operation, name, userErrors]).toMatchObject([
          ...[operation, name],
          [{ code, field: ['input', 'arguments', 'id'], message: expect.stringContaining(id) }],
        ]);
      }
    for (const key of ['mine', 'theirs', 'unmapped'])
      expect(await direct.look('network', { scope: '', key, uuid: null })).toMatchObject({ finding: 'PRESENT' });
    const removed = await call(node, 'relayCall', {
      ...{ backend: { name: 'cloud' }, idempotencyKey: key() },
      ...{ operation: 'network.delete', arguments: { id: mine, name: 'mine' } },
    });
    expect(removed).toMatchObject({ operation: { state: 'SUCCEEDED' }, userErrors: [] });
  });

  test('a call refused by Neutron has FAILED, and quotes it', async () => {
    const refused = await typed('networkSecurityGroupCreate', { name: 'default' });
    expect(refused.operation).toMatchObject({
      state: 'FAILED',
      deviceError: {
        code: 'ALREADY_EXISTS',
        message: expect.stringContaining('Default security group already exists'),
      },
      changedMappings: [],
    });
  });
});
