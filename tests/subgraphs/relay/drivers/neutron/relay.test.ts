// From the graph to Neutron and back: typed calls, mappings with Neutron's own ids, a late answer settled by looking, and
// deletion by mapping.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWithNeutron } from '../../../../support/neutron.ts';
import { waitFor } from '../../../../support/temporary-folder.ts';
import {
  type CallShape,
  call,
  callFields,
  identity,
  type RelayNode,
  RelaySystem,
  registerBackend,
  settle,
} from '../../support/relay-system.ts';
import { endpointFor, NeutronDriver, optionsFor } from './support.ts';

describeWithNeutron('Neutron behind the relay', (lab) => {
  let system: RelaySystem;
  let node: RelayNode;
  let direct: NeutronDriver;

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node();
    const { alpha } = lab().accounts;
    direct = new NeutronDriver(lab(), alpha);
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
  async function typed(mutation: string, input: Record<string, unknown>): Promise<CallShape> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const text = `mutation ($input: ${type}!) { call: ${mutation}(input: $input) { ${callFields} } }`;
    keys += 1;
    const common = {
      backend: { name: 'cloud' },
      cmpObject: { type: 'tenant', externalId: '42' },
      idempotencyKey: `k${keys}`,
    };
    const { data, errors } = await node.run<{ call: CallShape }>(identity('OPERATOR'), text, {
      input: { ...common, ...input },
    });
    if (errors.length > 0) throw new Error(errors.map((error) => error.message).join('; '));
    expect(data.call.userErrors).toEqual([]);
    return data.call;
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
      expect(done.mapping).toMatchObject({ state: 'ACTIVE', uuid: expect.stringMatching(/^[0-9a-f-]{36}$/) });
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
      keys += 1;
      const removed = await call(node, 'delete', { idempotencyKey: `k${keys}`, mappingId: mapping?.id });
      expect([mapping?.key, removed.operation?.deviceError ?? null]).toEqual([mapping?.key, null]);
      expect(removed).toMatchObject({ operation: { state: 'SUCCEEDED' }, mapping: { state: 'DELETED' } });
    }
    expect(await direct.look('network', { scope: '', key: 'tenant-42', uuid: null })).toEqual({ finding: 'ABSENT' });
  });

  test('a late answer leaves the call UNKNOWN; a look for the mark settles it', async () => {
    // A router with a gateway takes Neutron almost a second.
    const input = { name: 'late', externalNetwork: lab().externalNetworkId, deadlineMs: 100 };
    const late = await typed('networkRouterCreate', input);
    expect(late.operation).toMatchObject({ state: 'UNKNOWN', mappings: [{ state: 'UNVERIFIED' }] });
    await waitFor('the router', async () => {
      const found = await direct.look('router', { scope: '', key: 'late', uuid: null });
      return found.finding === 'PRESENT' && found.values.externalNetwork === lab().externalNetworkId;
    });
    const settled = await settle(node, { idempotencyKey: 'settle-late', id: late.operation?.id });
    expect(settled.operation).toMatchObject({ state: 'SUCCEEDED', mappings: [{ state: 'ACTIVE' }] });
    const { routers } = (await direct.done('router.list', { name: 'late' })) as unknown as {
      routers: { id: string }[];
    };
    expect(routers).toHaveLength(1);
  });

  test('a call refused by Neutron has FAILED, and quotes it', async () => {
    const refused = await typed('networkSecurityGroupCreate', { name: 'default' });
    expect(refused.operation).toMatchObject({
      state: 'FAILED',
      deviceError: {
        code: 'ALREADY_EXISTS',
        message: expect.stringContaining('Default security group already exists'),
      },
      mappings: [],
    });
  });
});
