import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { runProgram } from '../../../../../embedded/run-program.ts';
import { readDeviceLog } from '../../../../../lab/device-log.ts';
import type { JsonObject, MappedObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { linuxNftables } from '../../../../../subgraphs/relay/drivers/linux-nftables/driver.ts';
import { readHostKey } from '../../../../../subgraphs/relay/transports/host-key.ts';
import type { Endpoint } from '../../../../../subgraphs/relay/transports/session.ts';
import { createSshTransport } from '../../../../../subgraphs/relay/transports/ssh-transport.ts';
import { testEgress } from '../../../../support/machine/egress.ts';
import { describeWithLab } from '../../../../support/machine/lab.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { DriverCaller, operationOf } from '../../support/driver-caller.ts';
import { sshEndpoint } from '../../support/endpoints.ts';
import { foreignObjects } from '../../support/foreign-objects.ts';
import { live } from '../../support/object-life.ts';
import { unlike } from '../../support/unlike.ts';

describeWithLab('linux-nftables on the lab firewall', (lab) => {
  let endpoint: Endpoint;
  let firewall: DriverCaller;

  beforeAll(async () => {
    endpoint = await sshEndpoint(lab().firewall);
    firewall = new DriverCaller(linuxNftables, endpoint, { deadlineMs: 10_000 });
  });
  afterAll(() => firewall.stop());
  beforeEach(async () => {
    await lab().faults.clear();
    await nft('flush ruleset');
    await nft(
      'table inet filter { set blocked { type ipv4_addr; flags interval; }; set blocked6 { type ipv6_addr; flags interval; }; chain forward { type filter hook forward priority 0; }; }',
    );
  });

  async function nft(script: string): Promise<string> {
    const done = await runProgram('ip', ['netns', 'exec', lab().firewall.namespace, 'nft', '-f', '-'], {
      input: script,
    });
    if (done.exitCode !== 0) throw new Error(done.stderr);
    return done.stdout;
  }
  const ruleset = () => nft('list ruleset');

  test('its host key is the one that ssh-keygen prints', async () => {
    const { host, port, hostKeySha256 } = lab().firewall;
    expect(await readHostKey({ host, port, egress: testEgress, timeoutMs: 10_000 })).toEqual({
      sha256: hostKeySha256,
      algorithm: 'ssh-ed25519',
    });
  });

  test.each(['MODERN', 'COMPAT', 'LEGACY'] as const)('OpenSSH supports the profile %s', async (cryptoProfile) => {
    const other = new DriverCaller(linuxNftables, { ...endpoint, cryptoProfile });
    const health = await other.health();
    await other.stop();
    expect(health).toMatchObject({
      softwareVersion: expect.stringMatching(/^nftables 1\./),
    });
  });

  test.each([...linuxNftables.operations.values()].filter((each) => each.renderDryRun).map((each) => each.name))(
    '%s: the dry run of its example changes nothing',
    async (name) => {
      const before = await ruleset();
      expect(await firewall.dryRun(name, operationOf(linuxNftables, name).example)).toBeDefined();
      expect(await ruleset()).toBe(before);
    },
  );

  test.each([
    ['203.0.113.7', 'blocked', '203.0.113.7'],
    ['198.51.100.0/24', 'blocked', '198.51.100.0/24'],
    ['203.0.113.9/32', 'blocked', '203.0.113.9'],
    ['0.0.0.0/0', 'blocked', '0.0.0.0/0'],
    ['2001:DB8:0::1', 'blocked6', '2001:db8::1'],
    ['2001:db8:ff00::/40', 'blocked6', '2001:db8:ff00::/40'],
    ['::ffff:192.0.2.1', 'blocked6', '::ffff:192.0.2.1'],
    ['::/0', 'blocked6', '::/0'],
  ])('the life of the element %s of %s: %s', (address, set, key) =>
    live(firewall, {
      ...{ kind: 'setElement', operations: { create: 'setElement.add', delete: 'setElement.remove' } },
      create: { set, address, comment: 'Grüße an 42' },
      object: { resource: 'address-set-element', scope: 'inet filter', key: `${set}/${key}` },
      ...{ result: () => ({ set, address: key }), again: 'SUCCEEDED', probes: 'STATE' },
      list: [
        { set },
        ({ mark }) => ({
          elements: [expect.objectContaining({ address: key, comment: 'Grüße an 42', ...mark })],
        }),
      ],
      missing: { code: 'DEVICE_REFUSED', message: 'Error: element does not exist' },
    }),
  );

  test('if a set has merged its elements, or contained a wider one, the probe does not guess', async () => {
    await nft('add set inet filter merged { type ipv4_addr; flags interval; auto-merge; }');
    for (const address of ['10.0.0.0/9', '10.128.0.0/9', '11.0.0.0']) {
      expect(await firewall.call('setElement.add', { set: 'merged', address })).toMatchObject({ state: 'SUCCEEDED' });
    }
    expect(await firewall.probe('setElement.add', { set: 'merged', address: '10.128.0.0/9' })).toMatchObject({
      finding: 'UNREADABLE',
    });
    expect(await firewall.probe('setElement.add', { set: 'merged', address: '12.0.0.0' })).toEqual({
      finding: 'ABSENT',
    });
  });

  test('refusals quote the device, and change nothing', async () => {
    const before = await ruleset();
    expect(await firewall.call('setElement.add', { set: 'nosuch', address: '203.0.113.7' })).toEqual({
      state: 'FAILED',
      code: 'DEVICE_REFUSED',
      message: 'Error: No such file or directory',
    });
    expect(await firewall.call('setElement.add', { set: 'blocked', address: '2001:db8::1' })).toMatchObject({
      state: 'FAILED',
    });
    expect(await firewall.call('rule.create', { name: 'r', chain: 'nosuch', action: 'drop' })).toMatchObject({
      state: 'FAILED',
    });
    expect(await firewall.dryRun('rule.create', { name: 'r', chain: 'nosuch', action: 'drop' })).toMatchObject({
      state: 'FAILED',
      code: 'DEVICE_REFUSED',
    });
    expect(await ruleset()).toBe(before);
  });

  test('a rule: adding twice makes two; it is found by its mark and deleted by its handle', async () => {
    const args = { name: 'tenant-42', source: { set: 'blocked' }, action: 'drop' };
    const [first, second] = [randomUUID(), randomUUID()];
    const one = await firewall.call('rule.create', args, first);
    const two = await firewall.call('rule.create', args, second);
    if (one.state !== 'SUCCEEDED' || two.state !== 'SUCCEEDED') throw new Error('refused');
    expect(one.uuid).toMatch(/^\d+$/);
    expect(two.uuid).not.toBe(one.uuid);
    expect(await firewall.probe('rule.create', args, second)).toEqual({
      finding: 'PRESENT',
      own: true,
      uuid: two.uuid,
    });
    expect(await firewall.probe('rule.create', args)).toEqual({ finding: 'ABSENT' });
    const deletion = linuxNftables.resources?.get('rule')?.remove?.({
      scope: 'inet filter forward',
      key: 'tenant-42',
      uuid: one.uuid ?? null,
    });
    if (!deletion) throw new Error('no deletion');
    expect(await firewall.probe('rule.delete', deletion.arguments)).toEqual({ finding: 'PRESENT', uuid: one.uuid });
    expect(await firewall.probe('rule.delete', { ...deletion.arguments, name: 'another' })).toEqual({
      finding: 'ABSENT',
    });
    expect(await firewall.call(deletion.operation, deletion.arguments)).toMatchObject({ state: 'SUCCEEDED' });
    // The other rule with this name is not the intended one.
    expect(await firewall.call(deletion.operation, deletion.arguments)).toMatchObject({
      state: 'FAILED',
      code: 'OTHER_OBJECT',
    });
    expect(await firewall.probe('rule.delete', deletion.arguments)).toEqual({ finding: 'ABSENT' });
    expect(await firewall.call('rule.list', {})).toMatchObject({
      result: { rules: [{ handle: Number(two.uuid), name: 'tenant-42', operationId: second }] },
    });
  });

  /**
   * Simulates a reboot: the table is recreated, and its handles start over. `fill`: number of rules before the given
   * ones.
   */
  async function reboot(fill: number, ...rules: string[]): Promise<void> {
    const before = Array.from({ length: fill }, (_, index) => `ip saddr 192.0.2.${index} accept;`).join(' ');
    const chain = `type filter hook forward priority 0; ${before} ${rules.join(' ')}`;
    await nft(`flush ruleset\ntable inet filter { chain forward { ${chain} }; }`);
  }
  const made = async (args: JsonObject, id: string) => {
    const one = await firewall.call('rule.create', args, id);
    if (one.state !== 'SUCCEEDED') throw new Error(JSON.stringify(one));
    return { scope: 'inet filter forward', key: String(args.name), uuid: one.uuid ?? null, madeBy: id };
  };
  const removal = (object: MappedObject) => {
    const call = linuxNftables.resources?.get('rule')?.remove?.(object);
    if (!call) throw new Error('no deletion');
    return call;
  };
  const comments = async () => [...(await ruleset()).matchAll(/comment "([^"]*)"/g)].map(([, words]) => words);
  const chains = async () => [...(await ruleset()).matchAll(/chain (\S+)/g)].map(([, name]) => name);

  test('after a reboot, a deletion never deletes the rule that now has the handle', async () => {
    const id = randomUUID();
    const mapped = await made({ name: 'tenant-a', action: 'drop' }, id);
    const handles = [0, 1, 2, 3, 4, 5, 6];
    for (const fill of handles) {
      // Rules of an administrator, of another tenant, and one with the same name that someone else made.
      const others = ['admin', `tg:${randomUUID()} tenant-b`, `tg:${randomUUID()} tenant-a`, 'tenant-a'];
      await reboot(fill, ...others.map((words) => `drop comment "${words}";`));
      const call = removal(mapped);
      expect(await firewall.dryRun(call.operation, call.arguments)).toMatchObject({ state: 'FAILED' });
      expect(await firewall.call(call.operation, call.arguments)).toMatchObject({ code: 'NOT_FOUND', absent: true });
      expect(await firewall.look('rule', mapped)).toEqual({ finding: 'ABSENT' });
      expect(await comments()).toEqual(others);
    }
    expect(await chains()).toEqual(['forward']);
  });

  test('a rule that came back with another handle is found and deleted by its mark', async () => {
    const id = randomUUID();
    const mapped = await made({ name: 'tenant.a', action: 'drop' }, id);
    await reboot(5, 'drop comment "tenantxa";', `drop comment "tg:${id} tenant.a";`);
    const found = await firewall.look('rule', mapped);
    expect(found).toMatchObject({ finding: 'PRESENT', operationId: id });
    expect(found.finding === 'PRESENT' && found.uuid).not.toBe(mapped.uuid);
    const call = removal(mapped);
    expect(await firewall.dryRun(call.operation, call.arguments)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await firewall.call(call.operation, call.arguments)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await comments()).toEqual(['tenantxa']);
    expect(await chains()).toEqual(['forward']);
  });

  test('an adopted rule is deleted by handle and name, and not when it has moved', async () => {
    await reboot(2, 'drop comment "by hand";', 'drop comment "adopted";');
    const [, handle = ''] = /comment "adopted" # handle (\d+)/.exec(await handlesOf()) ?? [];
    const adopted = { scope: 'inet filter forward', key: 'adopted', uuid: handle };
    await reboot(4, 'drop comment "adopted";', 'drop comment "other";');
    const call = removal(adopted);
    expect(await firewall.call(call.operation, call.arguments)).toMatchObject({ code: 'OTHER_OBJECT' });
    expect(await comments()).toEqual(['adopted', 'other']);
    await reboot(2, 'drop comment "by hand";', 'drop comment "adopted";');
    expect(await firewall.call(call.operation, call.arguments)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await comments()).toEqual(['by hand']);
  });

  test('an adopted rule is not confused with a later one that has its name and handle, whatever its counters', async () => {
    const rule = (statements: string) => `${statements} comment "adopted";`;
    const limited = 'ip saddr { 10.0.0.1, 10.0.0.2 } limit rate 5/second counter';
    const own = rule(`${limited} log prefix "a.b [x] {*} \\\\d" accept`);
    await reboot(2, own);
    const found = await firewall.look('rule', { scope: 'inet filter forward', key: 'adopted' });
    if (found.finding !== 'PRESENT') throw new Error(JSON.stringify(found));
    const adopted = {
      ...{ scope: 'inet filter forward', key: 'adopted', uuid: found.uuid ?? null },
      recorded: found.values,
    };
    const calls = [removal(adopted), { operation: 'rule.delete', arguments: asked(adopted) }];
    for (const other of [
      // This set takes the rule's place, and has a handle too.
      `ip saddr 192.0.2.2 accept; ${rule('drop')}`,
      rule(`${limited} log prefix "axb [x] {*} \\\\d" accept`),
      rule(`${limited.replace('10.0.0.2', '10.0.0.3')} log prefix "a.b [x] {*} \\\\d" accept`),
      rule(`${limited} log prefix "a.b [x] {*} \\\\d" drop`),
    ]) {
      await reboot(2, other);
      const before = await handlesOf();
      expect(before).toContain(`comment "adopted" # handle ${adopted.uuid}`);
      for (const call of calls) {
        expect(await firewall.dryRun(call.operation, call.arguments)).toMatchObject({ code: 'CHANGED' });
        expect(await firewall.call(call.operation, call.arguments)).toMatchObject({ code: 'CHANGED' });
      }
      expect(await handlesOf()).toBe(before);
    }
    for (const call of calls) {
      await reboot(2, own.replace('counter', 'counter packets 7 bytes 777'));
      expect(await firewall.dryRun(call.operation, call.arguments)).toMatchObject({ state: 'SUCCEEDED' });
      expect(await firewall.call(call.operation, call.arguments)).toMatchObject({ state: 'SUCCEEDED' });
      expect(await comments()).toEqual([]);
    }
  });
  /** The arguments of a `relayCall` on a mapped rule, including those that the relay adds. */
  const asked = (object: { key: string; uuid: string | null; scope: string; recorded: JsonObject }) => ({
    ...operationOf(linuxNftables, 'rule.delete').recognised?.(object),
    ...{ name: object.key, handle: Number(object.uuid) },
  });
  const handlesOf = async () => {
    const done = await runProgram(
      'ip',
      ['netns', 'exec', lab().firewall.namespace, 'nft', '-a', 'list', 'ruleset'],
      {},
    );
    return done.stdout;
  };

  test('replacing a ruleset between the read and the deletion loses no rule', async () => {
    const id = randomUUID();
    const mapped = await made({ name: 'tenant-a', action: 'drop' }, id);
    const handle = `"handle":${mapped.uuid}`;
    await lab().faults.set({ matching: handle, delayBeforeMs: 1_500 });
    const call = removal(mapped);
    // Another test may have deleted a rule with the same number.
    const before = (await readDeviceLog(lab().deviceLogPath)).length;
    const deleting = firewall.call(call.operation, call.arguments);
    await waitFor('the deletion, which has looked', async () =>
      (await readDeviceLog(lab().deviceLogPath))
        .slice(before)
        .some((each) => each.phase === 'received' && each.stdin.includes(handle)),
    );
    await reboot(0, ...Array.from({ length: 12 }, (_, index) => `drop comment "admin ${index}";`));
    expect(await deleting).toMatchObject({ state: 'FAILED', code: 'DEVICE_BUSY' });
    expect(await comments()).toHaveLength(12);
    expect(await chains()).toEqual(['forward']);
  });

  test.each([
    [{ source: { set: 'blocked' } }, 'ip saddr @blocked drop'],
    [{ source: { set: 'blocked6', setIpVersion: 6 } }, 'ip6 saddr @blocked6 drop'],
    [
      { source: { set: 'blocked6' }, destination: { address: '2001:db8::/32' } },
      'ip6 saddr @blocked6 ip6 daddr 2001:db8::/32 drop',
    ],
    [
      { source: { address: '203.0.113.0/24' }, destination: { address: '198.51.100.1' } },
      'ip saddr 203.0.113.0/24 ip daddr 198.51.100.1 drop',
    ],
    [{ protocol: 'tcp', destinationPort: 443 }, 'tcp dport 443 drop'],
    [{ destination: { address: '198.51.100.1' }, protocol: 'udp' }, 'ip daddr 198.51.100.1 meta l4proto udp drop'],
    [{ protocol: 'icmp' }, 'meta l4proto { icmp, ipv6-icmp } drop'],
    [{ source: { address: '2001:db8::1' }, protocol: 'icmp' }, 'ip6 saddr 2001:db8::1 meta l4proto ipv6-icmp drop'],
    [{}, 'drop'],
  ])('the rule %j reads %s', async (matching, text) => {
    const id = randomUUID();
    expect(await firewall.call('rule.create', { name: 'r', action: 'drop', ...matching }, id)).toMatchObject({
      state: 'SUCCEEDED',
    });
    expect(named(await ruleset())).toContain(`${text} comment "tg:${id} r"\n`);
  });

  test('chains and sets are created, listed and deleted', async () => {
    expect(await firewall.call('chain.create', { chain: 'tenants' })).toMatchObject({
      state: 'SUCCEEDED',
      uuid: expect.any(String),
    });
    expect(await firewall.call('chain.list', {})).toMatchObject({
      result: { chains: [{ name: 'forward' }, { name: 'tenants' }] },
    });
    const made = await firewall.call('set.create', { set: 'tenant-42', ipVersion: 6 });
    expect(made).toMatchObject({ state: 'SUCCEEDED', uuid: expect.any(String) });
    expect(await firewall.call('set.create', { set: 'tenant-42', ipVersion: 6 })).toEqual(made);
    expect(await firewall.call('set.create', { set: 'tenant-42', ipVersion: 4 })).toMatchObject({ state: 'FAILED' });
    // This settles an unknown call: the set is found as wanted.
    const seen = await firewall.look('address-set', { scope: 'inet filter', key: 'tenant-42' });
    const wanted = firewall.desired('set.create', { set: 'tenant-42', ipVersion: 6 });
    expect(seen.finding === 'PRESENT' && unlike(linuxNftables, 'set.create', wanted, seen.values)).toEqual([]);
    expect(await firewall.call('set.list', {})).toMatchObject({
      result: { sets: [{ name: 'blocked' }, { name: 'blocked6' }, { name: 'tenant-42' }] },
    });
    expect(await firewall.call('set.delete', { set: 'tenant-42' })).toMatchObject({ state: 'SUCCEEDED' });
    expect(await firewall.call('set.delete', { set: 'tenant-42' })).toMatchObject({ state: 'FAILED', absent: true });
    expect(await firewall.call('table.list', {})).toMatchObject({ result: { tables: [{ name: 'filter' }] } });
    expect(await firewall.call('ruleset.read')).toMatchObject({ state: 'SUCCEEDED' });
  });

  test("a set of another type is not taken for an address set, nor one of another IP version for the call's", async () => {
    await nft('add set inet filter ports { type inet_service; }; add set inet filter six { typeof ip6 saddr; }');
    const at = (key: string) => firewall.look('address-set', { scope: 'inet filter', key });
    expect(await at('ports')).toMatchObject({ finding: 'PRESENT', values: { ipVersion: null } });
    expect(await at('six')).toMatchObject({ finding: 'PRESENT', values: { ipVersion: 6 } });
  });

  test('a set with elements is deleted if calls made them all', async () => {
    await firewall.call('set.create', { set: 'tenant-42' });
    for (const address of ['203.0.113.7', '198.51.100.0/24'])
      await firewall.call('setElement.add', { set: 'tenant-42', address, comment: 'it is }] \\ theirs' });
    const whole = { set: 'tenant-42', ipVersion: 4, blocks: true };
    for (const other of [
      { ...whole, ipVersion: 6 },
      { ...whole, blocks: false },
    ])
      expect(await firewall.refused('set.delete', other)).toBe('FAILED CHANGED');
    await nft('add element inet filter tenant-42 { 192.0.2.1 }');
    expect(await firewall.refused('set.delete', whole)).toBe('FAILED CHANGED');
    await nft('delete element inet filter tenant-42 { 192.0.2.1 }');
    await nft('add rule inet filter forward ip saddr @tenant-42 drop');
    expect(await firewall.refused('set.delete', whole)).toBe('FAILED DEVICE_REFUSED');
    await nft('flush chain inet filter forward');
    expect(await firewall.call('set.delete', whole)).toEqual({ state: 'SUCCEEDED', result: { set: 'tenant-42' } });
    expect(await ruleset()).not.toContain('tidegate-');
  });

  const setOf = (name: string) => async () =>
    (await ruleset()).split('set ').find((text) => text.startsWith(`${name} {`));
  const put = (name: string, another: string) => async (what: 'nothing' | 'another') => {
    if ((await setOf(name)()) !== undefined) await nft(`delete set inet filter ${name}`);
    if (what === 'another') await nft(`add set inet filter ${name} { ${another} }`);
  };
  foreignObjects(linuxNftables, () => firewall, {
    rule: {
      create: ['rule.create', { name: 'foreign-3', action: 'drop' }],
      // A rule with this name gets the same handle each time.
      put: (what) => reboot(1, ...(what === 'another' ? ['ip daddr 192.0.2.9 accept comment "foreign-3";'] : [])),
      state: async () => (await handlesOf()).split('\n'),
      several: true,
    },
    address: {
      create: ['address.create', { name: 'foreign-1', address: '203.0.113.80' }],
      put: put('foreign-1', 'type ipv4_addr; flags interval; elements = { 203.0.113.81 }'),
      state: setOf('foreign-1'),
    },
    'address-set': {
      create: ['set.create', { set: 'foreign-2' }],
      put: put('foreign-2', 'type ipv6_addr; flags interval;'),
      state: setOf('foreign-2'),
    },
  });

  test('a saved ruleset can be loaded again', async () => {
    await firewall.call('setElement.add', { set: 'blocked', address: '203.0.113.7', comment: 'x'.repeat(88) });
    await firewall.call('rule.create', { name: `r${'x'.repeat(62)}`, source: { set: 'blocked' }, action: 'reject' });
    const saved = await ruleset();
    await nft('flush ruleset');
    await nft(saved);
    expect(await ruleset()).toBe(saved);
  });

  test('a truncated reply gives no verdict; the probe then finds the effect by the mark', async () => {
    const args = { name: 'unsure', action: 'drop' };
    const operationId = randomUUID();
    await lab().faults.set({ on: 'apply', drop: 'mid-reply', times: 1 });
    const sent = await firewall.send(firewall.render('rule.create', args, operationId));
    expect(sent).toMatchObject({ ok: false, failure: { kind: 'NO_VERDICT', code: 'CONNECTION_LOST' } });
    expect(await firewall.probe('rule.create', args, operationId)).toMatchObject({ finding: 'PRESENT' });
  });

  test('in a partition nothing of the call reaches the device after the deadline', async () => {
    const cut = createSshTransport(endpoint, { egress: testEgress, concurrency: 1 });
    const reservation = await cut.reserve();
    if (!reservation.ok) throw new Error(reservation.failure.message);
    const wireCall = firewall.render('rule.create', { name: 'late', action: 'drop' });
    const received = async () =>
      (await readDeviceLog(lab().deviceLogPath)).filter((entry) => entry.phase === 'received').length;
    const before = await received();
    // Packets are dropped while the link stays up. With the link down they would wait for ARP for 3 s and still arrive
    // without any socket.
    await nft('table inet cut { chain in { type filter hook input priority -300; iifname "mgmt0" drop; }; }');
    const sent = await reservation.slot.send(wireCall, { deadlineMs: 200 });
    await nft('delete table inet cut');
    expect(sent).toMatchObject({ ok: false, failure: { kind: 'NO_VERDICT', code: 'NO_REPLY' } });
    // Nothing may arrive. This is long enough for the kernel's retransmissions (its first retries are 0.2 to 1.6 s
    // apart).
    await sleep(2_500);
    expect(await firewall.call('table.list', {})).toMatchObject({ state: 'SUCCEEDED' });
    expect(await received()).toBe(before + 1);
    await cut.close();
  });
});

/** A device without /etc/protocols lists protocols as numbers. */
function named(ruleset: string): string {
  return ruleset
    .replaceAll('l4proto 17 ', 'l4proto udp ')
    .replaceAll('l4proto 58 ', 'l4proto ipv6-icmp ')
    .replaceAll('l4proto { 1, 58 }', 'l4proto { icmp, ipv6-icmp }');
}
