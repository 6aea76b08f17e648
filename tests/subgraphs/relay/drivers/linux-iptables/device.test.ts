// Every operation on real iptables and ip6tables behind a real sshd, and replies that must not be misread.
// needs: iptables
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { runProgram } from '../../../../../embedded/run-program.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { linuxIptables } from '../../../../../subgraphs/relay/drivers/linux-iptables/driver.ts';
import { seededRandom } from '../../../../../trials/random.ts';
import { labUnavailable } from '../../../../support/machine/lab.ts';
import { RunningDevice } from '../../../../support/machine/running-device.ts';
import { stays, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { sshEndpoint } from '../../support/endpoints.ts';
import { foreignObjects } from '../../support/foreign-objects.ts';
import { live } from '../../support/object-life.ts';
import { unlike } from '../../support/unlike.ts';

const obstacle =
  labUnavailable() ?? (existsSync('/usr/sbin/iptables-restore') ? undefined : 'iptables is not installed');
const describeHere = obstacle === undefined ? describe : describe.skip;
const definition = join(import.meta.dirname, '../../../../../lab/device/iptables.sh');

describeHere(`linux-iptables on a real firewall${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`, () => {
  let device: RunningDevice;
  let firewall: DriverCaller;
  const inside = async (...words: string[]) => {
    const done = await runProgram('ip', ['netns', 'exec', device.namespace, ...words]);
    if (done.exitCode !== 0) throw new Error(done.stderr);
    return done.stdout;
  };
  const look = (name: string, scope = 'ipv4 FORWARD') => firewall.look('rule', { scope, key: name });

  beforeAll(async () => {
    device = await RunningDevice.start(definition, 'netops');
    firewall = new DriverCaller(linuxIptables, await sshEndpoint(device.place), { deadlineMs: 10_000 });
  });
  afterAll(async () => {
    await firewall?.stop();
    await device?.stop();
  });
  beforeEach(async () => {
    await device.faults.clear();
    for (const tool of ['iptables', 'ip6tables']) await inside(tool, '-F');
  });

  foreignObjects(linuxIptables, () => firewall, {
    rule: {
      create: ['rule.create', { name: 'web.1', protocol: 'tcp', firstPort: 443, action: 'accept' }],
      put: async (what) => {
        await inside('iptables', '-F');
        const words = ['-A', 'FORWARD', '-s', '192.0.2.7', '-m', 'comment', '--comment', 'web.1', '-j', 'DROP'];
        if (what === 'another') await inside('iptables', ...words);
      },
      state: () => inside('iptables', '-S'),
    },
  });

  test('its health is reported', async () => {
    expect(await firewall.health()).toEqual({ softwareVersion: 'iptables 1.8.9 (nf_tables)', serial: null });
  });

  test.each([
    [
      'all that a rule may have',
      {
        source: '192.0.2.0/24',
        destination: '198.51.100.7',
        protocol: 'tcp',
        firstPort: 80,
        lastPort: 90,
        inInterface: 'eth0',
        outInterface: 'eth1',
        action: 'reject',
      },
    ],
    ['nothing', { action: 'accept' }],
    ['one port', { protocol: 'udp', firstPort: 53, action: 'drop', chain: 'INPUT', position: 'first' }],
    ['IPv6', { ipVersion: 6, source: '2001:DB8::/32', protocol: 'icmp', action: 'reject' }],
  ] as readonly (readonly [string, JsonObject])[])('the life of a rule with %s', (_what, settings) => {
    const { ipVersion = 4, chain = 'FORWARD' } = settings;
    return live(firewall, {
      ...{ kind: 'rule', create: { name: 'web.1', ...settings }, result: () => null },
      list: [{ ipVersion, chain }, ({ values }) => ({ rules: [expect.objectContaining(values)] })],
    });
  });

  test('the first rule comes before others, and the last one after them', async () => {
    for (const [name, position] of [
      ['b', 'last'],
      ['c', 'last'],
      ['a', 'first'],
    ] as const)
      await firewall.done('rule.create', { name, position, action: 'accept' });
    const { rules } = (await firewall.done('rule.list', {})) as { rules: { name?: string }[] };
    expect(rules.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  test('changes by others are differences, even ones that this driver never makes', async () => {
    const args = { name: 'web', source: '192.0.2.1', action: 'accept' };
    await inside(
      'iptables',
      '-A',
      'FORWARD',
      '!',
      '-s',
      '192.0.2.1',
      '-m',
      'limit',
      '--limit',
      '5/min',
      '-m',
      'comment',
      '--comment',
      'web',
      '-j',
      'DROP',
    );
    const { values, ...found } = (await look('web')) as { values: JsonObject; operationId?: string };
    expect(found).not.toHaveProperty('operationId');
    expect(
      unlike(linuxIptables, 'rule.create', firewall.desired('rule.create', args), values)
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['action', 'other', 'source']);
    await inside('iptables', '-A', 'FORWARD', '-m', 'comment', '--comment', 'web', '-j', 'DROP');
    expect(await look('web')).toMatchObject({ finding: 'UNREADABLE', message: expect.stringContaining('2 rules') });
    expect(await firewall.refused('rule.delete', { name: 'web' })).toBe('FAILED SEVERAL');
    expect(await look('we')).toEqual({ finding: 'ABSENT' });
  });

  test.each([
    ['a chain that is not there', { name: 'x', chain: 'NOWHERE', action: 'drop' }, 'FAILED NO_CHAIN'],
    [
      'an interface that no packet has',
      { name: 'x', chain: 'INPUT', outInterface: 'eth0', action: 'drop' },
      'FAILED DEVICE_REFUSED',
    ],
  ] as const)('%s is refused, and nothing is done', async (_what, args, state) => {
    const before = await inside('iptables', '-S');
    expect(await firewall.refused('rule.create', args)).toBe(state);
    expect(await inside('iptables', '-S')).toBe(before);
  });

  test('a connection that is lost before or after it is unknown, and the mark settles it', async () => {
    for (const [drop, finding] of [
      ['before', 'ABSENT'],
      ['after', 'PRESENT'],
      ['late', 'PRESENT'],
    ] as const) {
      await device.faults.set({ drop, ...(drop === 'late' ? { delayBeforeMs: 50 } : {}) });
      const mark = randomUUID();
      expect(await firewall.call('rule.create', { name: drop, action: 'drop' }, mark)).toMatchObject({
        state: 'NO_REPLY',
        failure: { kind: 'NO_VERDICT' },
      });
      await device.faults.clear();
      const isAsExpected = async () => (await look(drop)).finding === finding;
      if (finding === 'PRESENT') await waitFor('the rule', isAsExpected);
      // No signal shows that a dropped change won't arrive. This is several times as long as a change takes.
      else await stays('the rule is absent', 300, isAsExpected);
      expect([drop, await look(drop)]).toMatchObject([
        drop,
        finding === 'ABSENT' ? { finding } : { finding, operationId: mark },
      ]);
    }
  });

  test('similar names and generated names are distinguished', async () => {
    const random = seededRandom(7);
    const letters = 'aB9._-';
    const names = new Set(['a.b', 'axb', 'a-b', '_', 'a', 'aa', '0'.repeat(63)]);
    while (names.size < 25)
      names.add(
        `a${Array.from({ length: random.integer(0, 12) }, () => letters[random.integer(0, letters.length - 1)]).join('')}`,
      );
    for (const name of names) await firewall.done('rule.create', { name, action: 'accept' });
    const removed = [...names].filter((_, at) => at % 2 === 0);
    for (const name of removed) await firewall.done('rule.delete', { name });
    for (const name of names)
      expect([name, (await look(name)).finding]).toEqual([name, removed.includes(name) ? 'ABSENT' : 'PRESENT']);
  });
});
