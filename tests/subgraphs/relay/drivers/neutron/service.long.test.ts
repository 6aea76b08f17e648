import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demand, tokenFor } from '../../../../../lab/neutron/keystone-client.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { neutron } from '../../../../../subgraphs/relay/drivers/neutron/driver.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { describeWithNeutron } from '../../../../support/servers/neutron.ts';
import { live } from '../../support/object-life.ts';
import { unlike } from '../../support/unlike.ts';
import { type NeutronCaller, neutronCaller, someId } from './support.ts';

/** Expectations that hold for every Neutron object. */
const neutronLife = { again: null, probes: 'OWN', uuid: expect.stringMatching(/^[0-9a-f-]{36}$/) } as const;

describeWithNeutron('neutron on a real Neutron and Keystone', (lab, lines) => {
  let alpha: NeutronCaller;
  let beta: NeutronCaller;
  let admin: NeutronCaller;
  /** A network of alpha's with a subnet, for tests that need one. */
  let network = '';
  let subnet = '';

  beforeAll(async () => {
    const { accounts } = lab();
    alpha = neutronCaller(lab(), accounts.alpha);
    beta = neutronCaller(lab(), accounts.beta);
    admin = neutronCaller(lab(), accounts.admin);
    network = (await alpha.done('network.create', { name: 'ground' })).id;
    subnet = (await alpha.done('subnet.create', { network, name: 'ground-a', cidr: '10.1.0.0/24' })).id;
    await alpha.done('port.create', { network, name: 'holder', subnet, address: '10.1.0.9' });
  });
  afterAll(() => Promise.all([alpha, beta, admin].map((driver) => driver.stop())));

  /** The state of an object, read by the mapping that its creation made. */
  async function lookAfter(name: string, args: JsonObject, id: string) {
    const { resource, scope, key } = alpha.objectOf(name, args);
    const byId = await alpha.look(resource, { scope, key, uuid: id });
    const byKey = await alpha.look(resource, { scope, key, uuid: null });
    expect(byKey).toEqual(byId);
    return byId;
  }

  describe('every kind', () => {
    const group = { ref: '', port: '' };
    /** Two port pairs, each in its own group, and a flow classifier, all on one machine. */
    const functions = { port: '', pairs: ['', ''], groups: ['', ''], classifier: '', chains: ['', ''], spare: '' };
    beforeAll(async () => {
      group.ref = (await alpha.done('securityGroup.create', { name: 'members' })).id;
      group.port = (await alpha.done('port.create', { network, name: 'sender' })).id;
      const { id: port } = await alpha.done('port.create', { network, name: 'function', device: 'machine-1' });
      const pairs: string[] = [];
      const groups: string[] = [];
      const chains: string[] = [];
      for (const name of ['one', 'two']) {
        const { id: egress } = await alpha.done('port.create', { network, name: `out-${name}`, device: 'machine-1' });
        const pair = { name, ingress: port, egress, correlation: 'mpls' };
        pairs.push((await alpha.done('portPair.create', pair)).id);
        groups.push((await alpha.done('portPairGroup.create', { name, portPairs: pairs.slice(-1) })).id);
        chains.push((await alpha.done('portChain.create', { name, portPairGroups: groups.slice(-1) })).id);
      }
      const { id: classifier } = await alpha.done('flowClassifier.create', { name: 'all', logicalSourcePort: port });
      const { id: spare } = await alpha.done('portPairGroup.create', { name: 'spare' });
      Object.assign(functions, { port, pairs, groups, classifier, chains, spare });
    });

    const cases: readonly {
      readonly kind: string;
      readonly args: () => JsonObject;
      readonly change?: () => JsonObject;
    }[] = [
      {
        kind: 'network',
        args: () => ({
          name: 'net-1',
          description: 'Grüße an 42',
          mtu: 1_400,
          adminStateUp: false,
          portSecurity: false,
        }),
        change: () => ({ adminStateUp: true, mtu: 1_300, description: 'changed' }),
      },
      {
        kind: 'subnet',
        args: () => ({
          ...{
            network,
            name: 'sub-1',
            cidr: '10.2.0.0/24',
            gateway: '10.2.0.254',
            dhcp: false,
            dnsServers: ['9.9.9.9', '1.1.1.1'],
          },
          allocationPools: [{ first: '10.2.0.10', last: '10.2.0.19' }],
        }),
        change: () => ({ gateway: null, dhcp: true, dnsServers: [] }),
      },
      {
        kind: 'port',
        args: () => ({
          ...{
            network,
            name: 'port-1',
            subnet,
            address: '10.1.0.77',
            securityGroups: [group.ref],
            macAddress: 'fa:16:3e:00:00:77',
          },
          allowedAddresses: ['10.9.0.0/24', '10.8.0.1'],
          device: 'machine-2',
        }),
        change: () => ({ adminStateUp: false, securityGroups: [], allowedAddresses: [], device: null }),
      },
      {
        kind: 'router',
        args: () => ({ name: 'router-1', externalNetwork: lab().externalNetworkId }),
        change: () => ({ externalNetwork: null, adminStateUp: false }),
      },
      {
        kind: 'securityGroup',
        args: () => ({ name: 'group-1', description: 'web' }),
        change: () => ({ description: 'web and more' }),
      },
      {
        kind: 'securityGroupRule',
        args: () => ({
          securityGroup: group.ref,
          direction: 'ingress',
          protocol: 'tcp',
          firstPort: 22,
          remote: '192.0.2.1',
        }),
      },
      {
        kind: 'portPair',
        args: () => ({
          name: 'pair-1',
          ingress: functions.port,
          egress: functions.port,
          weight: 3,
          correlation: 'nsh',
        }),
        change: () => ({ description: 'inspects' }),
      },
      {
        kind: 'portPairGroup',
        args: () => ({ name: 'group-1', lbFields: ['ip_src', 'ip_dst'], tap: true }),
        change: () => ({ description: 'inspectors', portPairs: [] }),
      },
      {
        kind: 'flowClassifier',
        args: () => ({
          ...{ name: 'web-1', description: 'web', protocol: 'tcp', logicalSourcePort: group.port },
          ...{ source: '10.1.0.9', destination: '10.2.0.0/24', sourceFirstPort: 1_024, sourceLastPort: 65_535 },
          ...{ destinationFirstPort: 443 },
        }),
        change: () => ({ description: 'web and more' }),
      },
      {
        kind: 'portChain',
        args: () => ({
          ...{ name: 'chain-1', portPairGroups: [...functions.groups], symmetric: true, correlation: 'mpls' },
          ...{ flowClassifiers: [functions.classifier], chainId: 4_242 },
        }),
        change: () => ({ portPairGroups: [functions.spare], flowClassifiers: [] }),
      },
      {
        kind: 'serviceGraph',
        args: () => ({
          name: 'graph-1',
          branches: [{ from: functions.chains[0] ?? '', to: functions.chains.slice(1) }],
        }),
        change: () => ({ description: 'branches' }),
      },
      {
        kind: 'floatingIp',
        args: () => ({ network: lab().externalNetworkId, name: 'web' }),
        change: () => ({ port: null }),
      },
    ];

    test('a chain of a graph is in use until the graph is gone', async () => {
      const [from = '', to = ''] = functions.chains;
      const graph = { name: 'holding', branches: [{ from, to: [to] }] };
      const { id } = await alpha.done('serviceGraph.create', graph);
      const refused = await alpha.call('portChain.delete', { id: from, name: 'one' });
      expect(refused).toMatchObject({ state: 'FAILED', code: 'IN_USE', message: expect.stringContaining('409') });
      expect(refused).not.toHaveProperty('absent');
      expect(await alpha.done('portChain.get', { id: from })).toMatchObject({ id: from });
      await alpha.done('serviceGraph.delete', { id, name: 'holding' });
    });

    test.each(cases)('the life of a $kind', async ({ kind, args, change }) => {
      let before: JsonObject = {};
      await live(alpha, {
        ...{ ...neutronLife, kind, create: args },
        ...(change ? { change: ({ removal }) => ({ ...removal.arguments, ...change() }) } : {}),
        get: [
          ({ uuid }) => ({ id: uuid }),
          ({ uuid, mark, values }) => expect.objectContaining({ id: uuid, ...mark, values }),
        ],
        async made({ uuid, values }) {
          before = values;
          const listed = Object.values(await alpha.done(`${kind}.list`, {}))[0] as unknown as { id: string }[];
          expect(listed.filter(({ id }) => id === uuid)).toHaveLength(1);
        },
        changed({ uuid, values }, called) {
          expect(called).toMatchObject({ uuid });
          expect(values).not.toEqual(kind === 'floatingIp' ? {} : before);
        },
      });
    });
  });

  test('a router is connected to a subnet, a floating IP leads to a port behind it, and objects in use stay', async () => {
    const router = (await alpha.done('router.create', { name: 'gw', externalNetwork: lab().externalNetworkId })).id;
    const joint = { router, subnet };
    expect(await alpha.probe('routerInterface.add', joint, randomUUID())).toEqual({ finding: 'ABSENT' });
    const added = await alpha.call('routerInterface.add', joint);
    expect(added).toMatchObject({ state: 'SUCCEEDED', uuid: expect.any(String) });
    expect(await alpha.probe('routerInterface.add', joint, randomUUID())).toMatchObject({ finding: 'PRESENT' });
    expect(await alpha.call('routerInterface.add', joint)).toMatchObject({ state: 'FAILED', code: 'DEVICE_REFUSED' });
    expect(await alpha.look('router-interface', { scope: router, key: subnet, uuid: null })).toMatchObject({
      finding: 'PRESENT',
      values: joint,
    });

    const port = (await alpha.done('port.create', { network, name: 'behind', subnet })).id;
    const floating = await alpha.done('floatingIp.create', { network: lab().externalNetworkId, name: 'behind', port });
    expect(floating).toMatchObject({ values: { port, fixedAddress: expect.stringMatching(/^10\.1\.0\./) } });

    for (const [name, args] of [
      ['network.delete', { id: network, name: 'ground' }],
      ['subnet.delete', { id: subnet, network, name: 'ground-a' }],
      ['router.delete', { id: router, name: 'gw' }],
      ['routerInterface.remove', joint],
    ] as const) {
      const refused = await alpha.call(name, args);
      expect([name, refused.state]).toEqual([name, 'FAILED']);
      expect(refused).toMatchObject({ code: 'IN_USE', message: expect.stringContaining('409') });
      expect(refused).not.toHaveProperty('absent');
    }
    await alpha.done('floatingIp.delete', { id: floating.id, network: lab().externalNetworkId, name: 'behind' });
    await alpha.done('routerInterface.remove', joint);
    expect(await alpha.call('routerInterface.remove', joint)).toMatchObject({ code: 'NOT_FOUND', absent: true });
    await alpha.done('router.delete', { id: router, name: 'gw' });
    await alpha.done('port.delete', { id: port, network, name: 'behind' });
  });

  describe('a chain through two service functions', () => {
    const made = { port: '', pairs: [] as string[], groups: [] as string[], classifier: '', chain: '' };
    const named = (id: string | undefined, name: string, more: JsonObject = {}) => ({ id: id ?? '', name, ...more });
    const reorder = (...at: number[]) =>
      named(made.chain, 'inspected', { portPairGroups: at.map((each) => made.groups[each] ?? '') });

    beforeAll(async () => {
      made.port = (await alpha.done('port.create', { network, name: 'in', device: 'machine-3' })).id;
      for (const name of ['first', 'second', 'third']) {
        const { id: egress } = await alpha.done('port.create', { network, name: `${name}-out`, device: 'machine-3' });
        made.pairs.push((await alpha.done('portPair.create', { name, ingress: made.port, egress })).id);
        made.groups.push((await alpha.done('portPairGroup.create', { name, portPairs: made.pairs.slice(-1) })).id);
      }
      const { id: sender } = await alpha.done('port.create', { network, name: 'inspected-sender' });
      const flows = { name: 'inspected', protocol: 'tcp', destinationFirstPort: 80, logicalSourcePort: sender };
      made.classifier = (await alpha.done('flowClassifier.create', flows)).id;
      const chain = { portPairGroups: made.groups.slice(0, 2), flowClassifiers: [made.classifier] };
      made.chain = (await alpha.done('portChain.create', { name: 'inspected', ...chain })).id;
    });

    test("a pair's ports share a machine, and no second chain can use the objects of a chain", async () => {
      const { id: elsewhere } = await alpha.done('port.create', { network, name: 'elsewhere', device: 'machine-4' });
      const [group = ''] = made.groups;
      for (const [name, args, says] of [
        ['portPair.create', { name: 'apart', ingress: made.port, egress: elsewhere }, 'same host'],
        ['portPairGroup.create', { name: 'again', portPairs: [made.pairs[0]] }, 'in use'],
        ['portChain.create', { name: 'alike', portPairGroups: made.groups.slice(0, 2) }, 'in use'],
        ['portChain.create', { name: 'again', portPairGroups: [group], flowClassifiers: [made.classifier] }, 'in use'],
        ['portChain.create', { name: 'missing', portPairGroups: [someId] }, 'not found'],
      ] as const) {
        const refused = await alpha.call(name, args as unknown as JsonObject);
        expect([args.name, refused]).toMatchObject([
          args.name,
          { state: 'FAILED', message: expect.stringContaining(says) },
        ]);
        expect(refused).not.toHaveProperty('absent');
      }
    });

    // The answer to the request has the requested order.
    test('when Neutron accepts another order of groups but keeps the old one, the call has failed', async () => {
      const accepted = await alpha.accepted('portChain.update', reorder(1, 0));
      const found = await alpha.job('portChain.update', reorder(1, 0), accepted);
      expect(found).toMatchObject({ finding: 'FAILED', code: 'NOT_TAKEN' });
      expect((found as { message: string }).message).toContain(
        `portPairGroups is ["${made.groups[0]}","${made.groups[1]}"]`,
      );
      expect(await alpha.done('portChain.get', { id: made.chain })).toMatchObject({
        values: { portPairGroups: made.groups.slice(0, 2) },
      });
    });

    test('replacing the groups changes the order, which differs from the earlier one', async () => {
      await alpha.done('portChain.update', reorder(2));
      const accepted = await alpha.accepted('portChain.update', reorder(1, 0));
      expect(await alpha.job('portChain.update', reorder(1, 0), accepted)).toMatchObject({
        finding: 'SUCCEEDED',
        result: { values: { portPairGroups: [made.groups[1], made.groups[0]] } },
      });
      const { values } = (await alpha.look('port-chain', { key: 'inspected' })) as { values: JsonObject };
      const before = alpha.desired('portChain.update', reorder(0, 1));
      expect(unlike(neutron, 'portChain.update', before, values)).toMatchObject([{ path: 'portPairGroups' }]);
    });

    test("objects in use stay, with Neutron's message, and can be deleted in the right order", async () => {
      const naming = named(made.chain, 'inspected');
      for (const [name, args] of [
        ['portPair.delete', named(made.pairs[0], 'first')],
        ['portPairGroup.delete', named(made.groups[0], 'first')],
        ['flowClassifier.delete', named(made.classifier, 'inspected')],
      ] as const) {
        const refused = await alpha.call(name, args);
        expect([name, refused]).toMatchObject([name, { state: 'FAILED', code: 'IN_USE' }]);
        expect(refused).toMatchObject({ message: expect.stringMatching(/^Neutron answered 409: \w+InUse: /) });
        expect(refused).not.toHaveProperty('absent');
      }
      await alpha.done('portChain.delete', naming);
      await alpha.done('flowClassifier.delete', named(made.classifier, 'inspected'));
      for (const [at, name] of ['first', 'second', 'third'].entries()) {
        await alpha.done('portPairGroup.delete', named(made.groups[at], name));
        await alpha.done('portPair.delete', named(made.pairs[at], name));
      }
    });
  });

  test("projects can't see each other", async () => {
    const mine = await alpha.done('network.create', { name: 'secret' });
    expect(await beta.call('network.get', { id: mine.id })).toMatchObject({ state: 'FAILED', code: 'NOT_FOUND' });
    expect(await beta.look('network', { scope: '', key: 'secret', uuid: null })).toEqual({ finding: 'ABSENT' });
    const { networks } = (await beta.done('network.list', {})) as unknown as { networks: { id: string }[] };
    expect(networks.map(({ id }) => id)).toEqual([lab().externalNetworkId]);
    for (const [name, more] of [
      ['network.update', { adminStateUp: false }],
      ['network.delete', {}],
    ] as const) {
      const refused = await beta.call(name, { id: mine.id, name: 'secret', ...more });
      expect(refused).toMatchObject({ state: 'FAILED', code: 'NOT_FOUND' });
    }
    expect(await beta.call('port.create', { network: mine.id, name: 'intruder' })).toMatchObject({ state: 'FAILED' });
    expect(await alpha.done('network.get', { id: mine.id })).toMatchObject({ values: { adminStateUp: true } });
    await alpha.done('network.delete', { id: mine.id, name: 'secret' });
  });

  test('operations for administrators are refused to others', async () => {
    const provided = {
      name: 'wan',
      external: true,
      provider: { type: 'vlan', physicalNetwork: 'trunk', segmentationId: 42 },
    };
    expect(await alpha.call('network.create', provided)).toMatchObject({ state: 'FAILED', code: 'NOT_ALLOWED' });
    const made = await admin.call('network.create', { ...provided, shared: true });
    // The lab has no physical network. Neutron's refusal shows that it processed the request.
    expect(made).toMatchObject({ state: 'FAILED', code: 'DEVICE_REFUSED', message: expect.stringContaining('trunk') });
    const flat = { name: 'wan', external: true, shared: true, provider: { type: 'flat', physicalNetwork: 'any' } };
    const { id } = await admin.done('network.create', flat);
    const found = (await admin.look('network', { scope: '', key: 'wan', uuid: id })) as { values: JsonObject };
    expect(unlike(neutron, 'network.create', admin.desired('network.create', flat), found.values)).toEqual([]);
    await admin.done('network.delete', { id, name: 'wan' });
  });

  test('two objects with one name are distinguished only by their ID', async () => {
    const [one, other] = [
      await alpha.done('network.create', { name: 'twin' }),
      await alpha.done('network.create', { name: 'twin' }),
    ];
    expect(await alpha.look('network', { scope: '', key: 'twin', uuid: null })).toMatchObject({
      finding: 'UNREADABLE',
      message: expect.stringContaining(one.id),
    });
    expect(await alpha.look('network', { scope: '', key: 'twin', uuid: other.id })).toMatchObject({ uuid: other.id });
    for (const { id } of [one, other]) await alpha.done('network.delete', { id, name: 'twin' });
  });

  test.each([
    ['a used address', 'port.create', () => ({ network, name: 'late', subnet, address: '10.1.0.9' }), 'ALREADY_EXISTS'],
    [
      'a subnet that overlaps',
      'subnet.create',
      () => ({ network, name: 'over', cidr: '10.1.0.0/25' }),
      'DEVICE_REFUSED',
    ],
    ['a missing network', 'subnet.create', () => ({ network: someId, name: 'x', cidr: '10.7.0.0/24' }), 'NOT_FOUND'],
    ['a second default group', 'securityGroup.create', () => ({ name: 'default' }), 'ALREADY_EXISTS'],
    ['a missing object', 'router.get', () => ({ id: someId }), 'NOT_FOUND'],
  ] as const)('%s is refused, quoting Neutron', async (_what, name, args, code) => {
    const refused = await alpha.call(name, args());
    expect(refused).toMatchObject({ state: 'FAILED', code });
    expect((refused as { message: string }).message).toMatch(/^Neutron answered 4\d\d: \w+: .{10}/);
  });

  test('a rule that a group already has is refused, in any notation', async () => {
    const { id: securityGroup } = await alpha.done('securityGroup.create', { name: 'alike' });
    const rules: readonly (readonly [JsonObject, JsonObject, string])[] = [
      [
        { direction: 'ingress', protocol: 'tcp', firstPort: 1, lastPort: 65_535 },
        { direction: 'ingress', protocol: 'tcp' },
        'ingress IPv4 tcp any any',
      ],
      [
        { direction: 'ingress', remote: '2001:DB8::1' },
        { direction: 'ingress', ipVersion: 6, remote: '2001:db8::1/128' },
        'ingress IPv6 any any 2001:db8::1',
      ],
      [
        { direction: 'egress', ipVersion: 6, protocol: 'icmp', icmpType: 128 },
        { direction: 'egress', ipVersion: 6, protocol: 'icmp', icmpType: 128 },
        'egress IPv6 icmp 128/any any',
      ],
      [
        { direction: 'ingress', protocol: 'udp', firstPort: 53, remoteGroup: securityGroup },
        { direction: 'ingress', protocol: 'udp', firstPort: 53, lastPort: 53, remoteGroup: securityGroup },
        `ingress IPv4 udp 53-53 ${securityGroup}`,
      ],
    ];
    const kind = 'securityGroupRule';
    for (const [first, again, key] of rules)
      await live(alpha, {
        ...{ ...neutronLife, kind, create: { securityGroup, ...first }, again: 'FAILED ALREADY_EXISTS' },
        object: { resource: 'security-group-rule', scope: securityGroup, key },
        async made() {
          expect(alpha.objectOf(`${kind}.create`, { securityGroup, ...again }).key).toBe(key);
          expect(await alpha.refused(`${kind}.create`, { securityGroup, ...again })).toBe('FAILED ALREADY_EXISTS');
        },
      });
    await alpha.done('securityGroup.delete', { id: securityGroup, name: 'alike' });
  });

  test('the life of an IPv6 subnet, and of a port in it', () => {
    const modes = { ipv6RaMode: 'dhcpv6-stateful', ipv6AddressMode: 'dhcpv6-stateful' };
    const sub = { network, name: 'six', cidr: '2001:DB8:6::/64', gateway: '2001:db8:6::FF', ...modes };
    const port = { network, name: 'six-1', address: '2001:db8:6::0010' };
    return live(alpha, {
      ...{ ...neutronLife, kind: 'subnet', create: sub },
      made: ({ uuid }) => live(alpha, { ...neutronLife, kind: 'port', create: { ...port, subnet: uuid } }),
    });
  });

  test('the order of DNS servers is kept, and counts', async () => {
    const naming = { network, name: 'resolved' };
    const [first, second] = ['9.9.9.9', '1.1.1.1'];
    const sub = { ...naming, cidr: '10.77.0.0/24', dnsServers: [first, second] };
    const { id } = await alpha.done('subnet.create', sub);
    const reordered = { id, ...naming, dnsServers: [second, first] };
    const left = async () => {
      const { values } = (await lookAfter('subnet.create', sub, id)) as { values: JsonObject };
      return unlike(neutron, 'subnet.update', alpha.desired('subnet.update', reordered), values);
    };
    expect(await left()).toEqual([{ path: 'dnsServers', wanted: [second, first], found: [first, second] }]);
    await alpha.done('subnet.update', reordered);
    expect(await left()).toEqual([]);
    await alpha.done('subnet.delete', { id, ...naming });
  });

  test('lists are read in pages', async () => {
    const ids = [];
    for (const name of ['page-1', 'page-2', 'page-3']) ids.push((await beta.done('network.create', { name })).id);
    const seen: string[] = [];
    for (let after: string | undefined, pages = 0; pages < 10; pages += 1) {
      const page = (await beta.done('network.list', {
        limit: 2,
        ...(after === undefined ? {} : { after }),
      })) as unknown as {
        networks: { id: string }[];
      };
      if (page.networks.length === 0) break;
      expect(page.networks.length).toBeLessThanOrEqual(2);
      seen.push(...page.networks.map(({ id }) => id));
      after = seen.at(-1);
    }
    expect(seen.sort()).toEqual([...ids, lab().externalNetworkId].sort());
    expect(await beta.done('network.list', { name: 'page-2' })).toMatchObject({
      networks: [{ values: { name: 'page-2' } }],
    });
    for (const [index, id] of ids.entries()) await beta.done('network.delete', { id, name: `page-${index + 1}` });
  });

  describe('login', () => {
    /** The number of token requests so far. All log lines before that of a later request are present. */
    async function logins(): Promise<number> {
      const mark = randomUUID();
      await fetch(`${lab().keystone.plainUrl}/v3?${mark}`);
      await waitFor('the line of our request', () => lines.some((line) => line.includes(mark)));
      return lines.filter((line) => line.includes('"POST /v3/auth/tokens')).length;
    }

    test('one token serves all calls, and is deleted at the end', async () => {
      const driver = neutronCaller(lab(), lab().accounts.alpha);
      const before = await logins();
      await Promise.all(Array.from({ length: 6 }, () => driver.done('network.list', {})));
      expect(await driver.health()).toEqual({ softwareVersion: 'Networking API v2.0', serial: null });
      expect((await logins()) - before).toBe(1);
      const closings = () => lines.filter((line) => line.includes('"DELETE /v3/auth/tokens HTTP/1.1" 204')).length;
      const closed = closings();
      await driver.stop();
      await waitFor('the end of the token', () => closings() === closed + 1);
    });

    test('a wrong password is tried once, whatever the number of waiting calls, and no call is made', async () => {
      const driver = neutronCaller(lab(), { ...lab().accounts.alpha, password: 'wrong-word' });
      const before = await logins();
      const call = driver.render('network.create', { name: 'never' }, randomUUID());
      const results = await Promise.all(Array.from({ length: 5 }, () => driver.send(call)));
      for (const result of results) {
        expect(result).toMatchObject({ ok: false, failure: { kind: 'NOT_SENT', code: 'AUTH_FAILED' } });
      }
      expect(JSON.stringify(results)).not.toContain('wrong-word');
      expect((await logins()) - before).toBe(1);
      await driver.stop();
      expect(await alpha.look('network', { scope: '', key: 'never', uuid: null })).toEqual({ finding: 'ABSENT' });
    });

    test('an application credential logs in to its project, and to no other', async () => {
      const { plainUrl } = lab().keystone;
      const { alpha: account, admin: administrator } = lab().accounts;
      const users = `${plainUrl}/v3/users`;
      const { body } = await demand(`${users}?name=${account.username}`, 'GET', {
        token: await tokenFor(plainUrl, administrator),
      });
      const [user] = body.users as unknown as { id: string }[];
      const made = await demand(`${users}/${user?.id}/application_credentials`, 'POST', {
        token: await tokenFor(plainUrl, account),
        body: { application_credential: { name: `relay-${randomUUID()}` } },
      });
      const { id, secret } = made.body.application_credential as unknown as { id: string; secret: string };
      const credential = { username: id, password: secret };
      const login = { login: 'applicationCredential' };
      const driver = neutronCaller(lab(), { ...account, ...credential }, { options: login });
      const created = await driver.done('network.create', { name: 'by-credential' });
      expect(await alpha.look('network', { key: 'by-credential', uuid: created.id })).toMatchObject({
        finding: 'PRESENT',
      });
      await driver.done('network.delete', { id: created.id, name: 'by-credential' });
      await driver.stop();
      const elsewhere = neutronCaller(lab(), { ...account, ...credential, project: 'beta' }, { options: login });
      expect(await elsewhere.call('network.list')).toMatchObject({
        failure: { kind: 'NOT_SENT', code: 'AUTH_FAILED' },
      });
      await elsewhere.stop();
    });

    test('a project of another user is refused', async () => {
      const driver = neutronCaller(lab(), { ...lab().accounts.alpha, project: 'beta' });
      const sent = await driver.send(driver.render('network.list', {}, randomUUID()));
      expect(sent).toMatchObject({ ok: false, failure: { kind: 'NOT_SENT', code: 'AUTH_FAILED' } });
      await driver.stop();
    });

    test('a token refused by Neutron is replaced, and the call is executed once', async () => {
      const { https } = neutron;
      if (!https) throw new Error('no sessions');
      let opened = 0;
      const driver = neutronCaller(lab(), lab().accounts.alpha, {
        sessions: {
          ...https,
          open: async (exchange, credentials, backend) => {
            opened += 1;
            const login = await https.open(exchange, credentials, backend);
            return opened === 1 && login.ok ? { ...login, headers: { 'x-auth-token': 'made-up' } } : login;
          },
        },
      });
      await driver.done('network.create', { name: 'once' });
      expect(opened).toBe(2);
      const { networks } = (await driver.done('network.list', { name: 'once' })) as unknown as {
        networks: { id: string }[];
      };
      expect(networks).toHaveLength(1);
      await driver.done('network.delete', { id: networks[0]?.id ?? '', name: 'once' });
      await driver.stop();
    });
  });
});
