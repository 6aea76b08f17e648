// From the graph to Neutron and back: typed calls, mappings with Neutron's own IDs, a late answer settled by a probe,
// and deletion by mapping.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { describeWithNeutron } from '../../../../support/servers/neutron.ts';
import { GraphCalls, refusedCall } from '../../support/mapped-life.ts';
import { type CallShape, RelaySystem, registerBackend, verify } from '../../support/relay-system.ts';
import { endpointFor, type NeutronCaller, neutronCaller, optionsFor } from './support.ts';

describeWithNeutron('Neutron behind the relay', (lab) => {
  let system: RelaySystem;
  let calls: GraphCalls;
  let direct: NeutronCaller;

  beforeAll(async () => {
    system = await RelaySystem.start();
    const node = await system.node();
    calls = new GraphCalls(node, 'cloud');
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

  const idOf = ({ mapping }: CallShape): string => mapping?.uuid ?? '';

  test('every typed mutation creates its object, which is mapped by its id and deleted by its mapping', async () => {
    const made: CallShape[] = [];
    const make = async (mutation: string, input: object) => {
      const done = await calls.make(mutation, input);
      expect([mutation, done]).toMatchObject([
        mutation,
        {
          ...{ userErrors: [], operation: { state: 'SUCCEEDED', deviceError: null } },
          mapping: { mappingState: 'ACTIVE', uuid: expect.stringMatching(/^[0-9a-f-]{36}$/) },
        },
      ]);
      made.push(done);
      return idOf(done);
    };
    const network = await make('networkCreate', { name: 'tenant-42' });
    const sub = { name: 'tenant-42-a', network, cidr: '10.42.0.0/24', gateway: '10.42.0.254' };
    const subnet = await make('networkSubnetCreate', sub);
    const securityGroup = await make('networkSecurityGroupCreate', { name: 'tenant-42-web' });
    const rule = { securityGroup, direction: 'INGRESS', protocol: 'TCP', firstPort: 443 };
    await make('networkSecurityGroupRuleCreate', rule);
    const attached = { name: 'tenant-42-1', network, subnet, securityGroups: [securityGroup] };
    const port = await make('networkPortCreate', attached);
    const gateway = { name: 'tenant-42-gw', externalNetwork: lab().externalNetworkId };
    const router = await make('networkRouterCreate', gateway);
    await make('networkRouterInterfaceAdd', { router, subnet });
    await make('networkFloatingIpCreate', { name: 'tenant-42', network: lab().externalNetworkId, port });

    for (const each of made.reverse()) {
      const key = each.mapping?.objectKey;
      expect([key, await calls.remove(each)]).toMatchObject([
        key,
        { operation: { state: 'SUCCEEDED', deviceError: null }, mapping: { mappingState: 'DELETED' } },
      ]);
    }
    expect(await direct.look('network', { scope: '', key: 'tenant-42', uuid: null })).toEqual({ finding: 'ABSENT' });
  });

  // The job of the README.
  test('a chain by single calls is listed for its CMP object, differs when its groups are swapped, and is removed in order', async () => {
    const chained = new GraphCalls(calls.node, 'cloud', { type: 'tenant', externalId: 'chained' });
    const made = new Map<string, CallShape>();
    const make = async (operation: string, args: Record<string, unknown>) => {
      const done = await chained.make(operation, args);
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

    const data = await calls.node.ask<{ found: { nodes: { objectKey: string; resource: string }[] } }>(
      '{ found: mappings(cmpObject: { type: "tenant", externalId: "chained" }) { nodes { resource objectKey } } }',
    );
    const listed = data.found.nodes.map(({ resource, objectKey }) => `${resource} ${objectKey}`);
    expect(listed.sort()).toEqual(
      [...['network chained', 'port sender', 'port in', 'port first-out', 'port second-out'], 'port-pair first']
        .concat(['port-pair second', 'port-pair-group first', 'port-pair-group second', 'port-pair-group spare'])
        .concat(['flow-classifier web', 'port-chain web'])
        .sort(),
    );

    const web = made.get('portChain.create web') as CallShape;
    const verified = async () => (await verify(calls.node, web.mapping?.id))[0];
    expect(await verified()).toBe('MATCHES');
    const chain = { id: idOf(web), name: 'web' };
    await direct.done('portChain.update', { ...chain, portPairGroups: [spare] });
    await direct.accepted('portChain.update', { ...chain, portPairGroups: groups.toReversed() });
    expect(await verified()).toBe('DRIFTED');

    const remove = async (name: string) => (await chained.remove(made.get(name) as CallShape)).operation;
    expect(await remove('portPairGroup.create first')).toMatchObject({
      state: 'FAILED',
      deviceError: { code: 'IN_USE', message: expect.stringContaining('PortPairGroupInUse') },
    });
    for (const name of [...made.keys()].reverse())
      expect([name, await remove(name)]).toMatchObject([name, { state: 'SUCCEEDED' }]);
    expect(await direct.look('network', { scope: '', key: 'chained', uuid: null })).toEqual({ finding: 'ABSENT' });
  });

  // The answer to the change itself has the requested order.
  test('a change of order that Neutron does not make has FAILED', async () => {
    const groups: string[] = [];
    for (const name of ['one', 'two']) groups.push((await direct.done('portPairGroup.create', { name })).id);
    const { id } = await direct.done('portChain.create', { name: 'kept', portPairGroups: groups });
    const swapped = { id, name: 'kept', portPairGroups: groups.toReversed() };
    const { operation } = await calls.make('portChain.update', swapped, { cmpObject: null, waitMs: 30_000 });
    expect(operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'NOT_TAKEN' } });
    await direct.done('portChain.delete', { id, name: 'kept' });
    for (const [at, name] of ['one', 'two'].entries())
      await direct.done('portPairGroup.delete', { id: groups[at] ?? '', name });
  });

  test('a late answer leaves the call UNKNOWN, and a probe for the mark settles it', async () => {
    // Neutron takes almost a second for a router with a gateway.
    const input = { name: 'late', externalNetwork: lab().externalNetworkId, deadlineMs: 100 };
    const late = await calls.make('networkRouterCreate', input);
    expect(late.userErrors).toEqual([]);
    expect(late.operation).toMatchObject({ state: 'UNKNOWN', changedMappings: [{ mappingState: 'UNVERIFIED' }] });
    await waitFor('the router', async () => {
      const found = await direct.look('router', { scope: '', key: 'late', uuid: null });
      return found.finding === 'PRESENT' && found.values.externalNetwork === lab().externalNetworkId;
    });
    expect(await calls.settled(late)).toMatchObject({
      ...{ state: 'SUCCEEDED', changedMappings: [{ mappingState: 'ACTIVE' }] },
    });
    const { routers } = (await direct.done('router.list', { name: 'late' })) as unknown as {
      routers: { id: string }[];
    };
    expect(routers).toHaveLength(1);
  });

  test('a call with the ID of another object is refused, whatever name it gives, and both objects stay', async () => {
    const mine = idOf(await calls.make('networkCreate', { name: 'mine' }));
    const others = { cmpObject: { type: 'tenant', externalId: '43' } };
    const theirs = idOf(await calls.make('networkCreate', { name: 'theirs' }, others));
    const { id: unmapped } = await direct.done('network.create', { name: 'unmapped' });
    for (const operation of ['network.delete', 'network.update'])
      for (const [id, name, code] of [
        [theirs, 'mine', 'ALREADY_MAPPED'],
        [theirs, 'nobody', 'ALREADY_MAPPED'],
        [unmapped, 'mine', 'INVALID_INPUT'],
      ] as const) {
        const changes = operation === 'network.update' ? { description: 'changed' } : {};
        const { userErrors } = await calls.make(operation, { id, name, ...changes });
        expect([operation, name, userErrors]).toMatchObject([
          ...[operation, name],
          [{ code, field: ['input', 'arguments', 'id'], message: expect.stringContaining(id) }],
        ]);
      }
    for (const key of ['mine', 'theirs', 'unmapped'])
      expect(await direct.look('network', { scope: '', key, uuid: null })).toMatchObject({ finding: 'PRESENT' });
    const removed = await calls.make('network.delete', { id: mine, name: 'mine' }, { cmpObject: null });
    expect(removed).toMatchObject({ operation: { state: 'SUCCEEDED' }, userErrors: [] });
  });

  test('a call refused by Neutron has FAILED, and quotes it', () =>
    refusedCall(calls, ['networkSecurityGroupCreate', { name: 'default' }], {
      ...{ code: 'ALREADY_EXISTS', message: expect.stringContaining('Default security group already exists') },
    }));
});
