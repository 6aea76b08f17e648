import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { neutron } from '../../../../../subgraphs/relay/drivers/neutron/driver.ts';
import { describeWithNeutron } from '../../../../support/neutron.ts';
import { waitFor } from '../../../../support/temporary-folder.ts';
import { unlike } from '../../support/unlike.ts';
import { NeutronDriver, someId } from './support.ts';

describeWithNeutron('neutron on a real Neutron and Keystone', (lab, lines) => {
  let alpha: NeutronDriver;
  let beta: NeutronDriver;
  let admin: NeutronDriver;
  /** A network of alpha's with a subnet, for tests that need one. */
  let network = '';
  let subnet = '';

  beforeAll(async () => {
    const { accounts } = lab();
    alpha = new NeutronDriver(lab(), accounts.alpha);
    beta = new NeutronDriver(lab(), accounts.beta);
    admin = new NeutronDriver(lab(), accounts.admin);
    network = (await alpha.done('network.create', { name: 'ground' })).id;
    subnet = (await alpha.done('subnet.create', { network, name: 'ground-a', cidr: '10.1.0.0/24' })).id;
    await alpha.done('port.create', { network, name: 'holder', subnet, address: '10.1.0.9' });
  });
  afterAll(() => Promise.all([alpha, beta, admin].map((driver) => driver.stop())));

  /** The state of an object, read by the mapping of its creation. */
  async function lookAfter(name: string, args: JsonObject, id: string) {
    const { resource, scope, key } = alpha.objectOf(name, args);
    const byId = await alpha.look(resource, { scope, key, uuid: id });
    const byKey = await alpha.look(resource, { scope, key, uuid: null });
    expect(byKey).toEqual(byId);
    return byId;
  }

  describe('every kind is created, read back as set, listed, changed, and deleted once', () => {
    const group = { ref: '' };
    beforeAll(async () => {
      group.ref = (await alpha.done('securityGroup.create', { name: 'members' })).id;
    });

    const cases: readonly {
      readonly prefix: string;
      readonly args: () => JsonObject;
      readonly change?: () => JsonObject;
    }[] = [
      {
        prefix: 'network',
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
        prefix: 'subnet',
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
        prefix: 'port',
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
        }),
        change: () => ({ adminStateUp: false, securityGroups: [], allowedAddresses: [] }),
      },
      {
        prefix: 'router',
        args: () => ({ name: 'router-1', externalNetwork: lab().externalNetworkId }),
        change: () => ({ externalNetwork: null, adminStateUp: false }),
      },
      {
        prefix: 'securityGroup',
        args: () => ({ name: 'group-1', description: 'web' }),
        change: () => ({ description: 'web and more' }),
      },
      {
        prefix: 'securityGroupRule',
        args: () => ({
          securityGroup: group.ref,
          direction: 'ingress',
          protocol: 'tcp',
          firstPort: 22,
          remote: '192.0.2.1',
        }),
      },
      {
        prefix: 'floatingIp',
        args: () => ({ network: lab().externalNetworkId, name: 'web' }),
        change: () => ({ port: null }),
      },
    ];

    test.each(cases)('$prefix', async ({ prefix, args: argsOf, change }) => {
      const args = argsOf();
      const mark = randomUUID();
      expect(await alpha.probe(`${prefix}.create`, args, mark)).toEqual({ finding: 'ABSENT' });
      const made = await alpha.call(`${prefix}.create`, args, mark);
      expect(made).toMatchObject({ state: 'SUCCEEDED', uuid: expect.stringMatching(/^[0-9a-f-]{36}$/) });
      const id = made.state === 'SUCCEEDED' ? (made.uuid ?? '') : '';
      expect(await alpha.probe(`${prefix}.create`, args, mark)).toEqual({ finding: 'PRESENT', own: true, uuid: id });
      expect(await alpha.probe(`${prefix}.create`, args, randomUUID())).toEqual({ finding: 'ABSENT' });

      const found = await lookAfter(`${prefix}.create`, args, id);
      expect(found).toMatchObject({ finding: 'PRESENT', uuid: id, operationId: mark });
      const values = (found as { values: JsonObject }).values;
      expect(unlike(neutron, `${prefix}.create`, alpha.desired(`${prefix}.create`, args), values)).toEqual([]);

      expect(await alpha.done(`${prefix}.get`, { id })).toMatchObject({ id, operationId: mark, values });
      const listed = Object.values(await alpha.done(`${prefix}.list`, {}))[0] as unknown as { id: string }[];
      expect(listed.filter((one) => one.id === id)).toHaveLength(1);

      const { resource, scope, key } = alpha.objectOf(`${prefix}.create`, args);
      const removal = neutron.resources?.get(resource)?.remove?.({ scope, key, uuid: id });
      if (!removal) throw new Error('no removal');
      // The same object in every operation.
      expect(alpha.objectOf(removal.operation, removal.arguments)).toEqual({ resource, scope, key });
      if (change) {
        const changes = { ...removal.arguments, ...change() };
        expect(alpha.objectOf(`${prefix}.update`, changes)).toEqual({ resource, scope, key });
        expect(await alpha.call(`${prefix}.update`, changes)).toMatchObject({ state: 'SUCCEEDED', uuid: id });
        const after = (await lookAfter(`${prefix}.create`, args, id)) as { values: JsonObject };
        expect(unlike(neutron, `${prefix}.update`, alpha.desired(`${prefix}.update`, changes), after.values)).toEqual(
          [],
        );
        expect(after.values).not.toEqual(prefix === 'floatingIp' ? {} : values);
      }

      expect(await alpha.probe(removal.operation, removal.arguments, mark)).toEqual({ finding: 'PRESENT' });
      expect(await alpha.call(removal.operation, removal.arguments)).toMatchObject({ state: 'SUCCEEDED' });
      expect(await alpha.call(removal.operation, removal.arguments)).toMatchObject({
        state: 'FAILED',
        code: 'NOT_FOUND',
        absent: true,
      });
      expect(await alpha.probe(removal.operation, removal.arguments, mark)).toEqual({ finding: 'ABSENT' });
      expect(await lookAfter(`${prefix}.create`, args, id)).toEqual({ finding: 'ABSENT' });
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
    // The lab has no physical network: Neutron's refusal shows that it processed the request.
    expect(made).toMatchObject({ state: 'FAILED', code: 'DEVICE_REFUSED', message: expect.stringContaining('trunk') });
    const flat = { name: 'wan', external: true, shared: true, provider: { type: 'flat', physicalNetwork: 'any' } };
    const { id } = await admin.done('network.create', flat);
    const found = (await admin.look('network', { scope: '', key: 'wan', uuid: id })) as { values: JsonObject };
    expect(unlike(neutron, 'network.create', admin.desired('network.create', flat), found.values)).toEqual([]);
    await admin.done('network.delete', { id, name: 'wan' });
  });

  test('two with one name: only the id distinguishes them', async () => {
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
    for (const [first, again, key] of rules) {
      const args = { securityGroup, ...first };
      expect(alpha.objectOf('securityGroupRule.create', args).key).toBe(key);
      expect(alpha.objectOf('securityGroupRule.create', { securityGroup, ...again }).key).toBe(key);
      const { id } = await alpha.done('securityGroupRule.create', args);
      const found = (await lookAfter('securityGroupRule.create', args, id)) as { values: JsonObject };
      expect(
        unlike(neutron, 'securityGroupRule.create', alpha.desired('securityGroupRule.create', args), found.values),
      ).toEqual([]);
      expect(await alpha.call('securityGroupRule.create', { securityGroup, ...again })).toMatchObject({
        state: 'FAILED',
        code: 'ALREADY_EXISTS',
      });
    }
    await alpha.done('securityGroup.delete', { id: securityGroup, name: 'alike' });
  });

  test('IPv6 subnets and ports', async () => {
    const modes = { ipv6RaMode: 'dhcpv6-stateful', ipv6AddressMode: 'dhcpv6-stateful' };
    const sub = { network, name: 'six', cidr: '2001:DB8:6::/64', gateway: '2001:db8:6::FF', ...modes };
    const { id } = await alpha.done('subnet.create', sub);
    const port = { network, name: 'six-1', subnet: id, address: '2001:db8:6::0010' };
    const made = await alpha.done('port.create', port);
    for (const [name, args, uuid] of [
      ['subnet.create', sub, id],
      ['port.create', port, made.id],
    ] as const) {
      const found = (await lookAfter(name, args, uuid)) as { values: JsonObject };
      expect(unlike(neutron, name, alpha.desired(name, args), found.values)).toEqual([]);
    }
    await alpha.done('port.delete', { id: made.id, network, name: 'six-1' });
    await alpha.done('subnet.delete', { id, network, name: 'six' });
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
    /** The number of token requests so far: all log lines before that of a later request are present. */
    async function logins(): Promise<number> {
      const mark = randomUUID();
      await fetch(`${lab().keystone.plainUrl}/v3?${mark}`);
      await waitFor('the line of our request', () => lines.some((line) => line.includes(mark)));
      return lines.filter((line) => line.includes('"POST /v3/auth/tokens')).length;
    }

    test('one token serves all calls, and is deleted at the end', async () => {
      const driver = new NeutronDriver(lab(), lab().accounts.alpha);
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
      const driver = new NeutronDriver(lab(), { ...lab().accounts.alpha, password: 'wrong-word' });
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

    test('a project of another user is refused', async () => {
      const driver = new NeutronDriver(lab(), { ...lab().accounts.alpha, project: 'beta' });
      const sent = await driver.send(driver.render('network.list', {}, randomUUID()));
      expect(sent).toMatchObject({ ok: false, failure: { kind: 'NOT_SENT', code: 'AUTH_FAILED' } });
      await driver.stop();
    });

    test('a token refused by Neutron is replaced, and the call is executed once', async () => {
      const { https } = neutron;
      if (!https) throw new Error('no sessions');
      let opened = 0;
      const driver = new NeutronDriver(lab(), lab().accounts.alpha, {
        ...https,
        open: async (exchange, credentials, backend) => {
          opened += 1;
          const login = await https.open(exchange, credentials, backend);
          return opened === 1 && login.ok ? { ...login, headers: { 'x-auth-token': 'made-up' } } : login;
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
