// Real network namespaces, which need root.
// needs: iproute2, iputils-ping, root
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ip } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/providers/ip.ts';
import { enter } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/providers/shared-network.ts';
import type { WantedNode } from '../../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { waitFor } from '../../../../../support/machine/temporary-folder.ts';
import { canHaveNamespaces, EndingIp, type TestHost, TwoHosts } from '../../../support/two-hosts.ts';
import { wantedNode } from '../../../support/wanted.ts';
import { providerContract } from './contract.ts';

const ip = new Ip([]);

(canHaveNamespaces ? describe : describe.skip)('nodes in namespaces', () => {
  const hosts = new TwoHosts();
  const { one, two } = hosts;
  beforeAll(() => hosts.start());
  afterAll(() => hosts.stop());

  providerContract({
    open: () => one.open(),
    node: (name, index) => one.node(name, index, { subnet: leg(7, `10.0.0.${index + 10}`) }),
    foreign: () => ({ ...wantedNode('b', []), name: 'foreign', address: '192.0.2.1', managementAddress: '198.19.1.9' }),
  });

  test('the last node of a subnet removes its bridge and tunnels, and the last node of all removes everything', async () => {
    const provider = one.open();
    const peers = [two.tunnelAddress];
    const nodes = [
      one.node('first', 1, { subnet: leg(21, '10.0.0.11', peers) }),
      one.node('second', 2, { subnet: leg(22, '10.0.0.11', peers) }),
    ];
    for (const each of nodes) await provider.make(each);
    expect(await inSwitch(one)).toEqual(['b21', 'b22', 'x21', 'x22']);
    // As after a crash: another process knows only the kernel's state.
    await one.open().remove('first');
    expect(await inSwitch(one)).toEqual(['b22', 'x22']);
    await one.open().remove('second');
    expect(await one.left()).toEqual([]);
  });

  test('two projects with the same subnet on two hosts: each reaches its own, and no packet crosses', async () => {
    const [here, there] = [one.open(), two.open()];
    const peer = (host: TestHost) => [host.tunnelAddress];
    const nodes = {
      redHere: one.node('red', 1, { subnet: leg(31, '10.0.0.11', peer(two)) }),
      redThere: two.node('red', 1, { subnet: leg(31, '10.0.0.12', peer(one)) }),
      blueHere: one.node('blue', 2, { subnet: leg(32, '10.0.0.11', peer(two)) }),
      blueThere: two.node('blue', 2, { subnet: leg(32, '10.0.0.13', peer(one)) }),
    };
    for (const node of [nodes.redHere, nodes.blueHere]) await here.make(node);
    for (const node of [nodes.redThere, nodes.blueThere]) await there.make(node);
    await answers(() => reaches(one, 'red', '10.0.0.12'));
    await answers(() => reaches(one, 'blue', '10.0.0.13'));
    await answers(() => reaches(two, 'red', '10.0.0.11'));
    expect(await reaches(one, 'red', '10.0.0.13')).toBe(false);
    expect(await reaches(one, 'blue', '10.0.0.12')).toBe(false);
    // A broadcast in a subnet reaches everyone in it, and no one else.
    const heard = { red: hears(two, 'red'), blue: hears(two, 'blue') };
    await Promise.all([heard.red.ready, heard.blue.ready]);
    for (const name of ['red', 'blue']) await shout(one, name, `from ${name}`);
    await waitFor('both', async () => heard.red.texts.length > 0 && heard.blue.texts.length > 0);
    expect([heard.red.texts, heard.blue.texts]).toEqual([['from red'], ['from blue']]);
    for (const each of [heard.red, heard.blue]) each.stop();
    // The last node of the subnet on the other host is removed, so nothing is sent there any more.
    await there.remove('red');
    await here.make({ ...nodes.redHere, subnet: leg(31, '10.0.0.11', []) });
    const entries = await ip.show(['bridge', '-json', '-netns', one.names.switch, 'fdb', 'show', 'dev', 'x31']);
    expect(entries.filter(({ mac, dst }) => mac === '00:00:00:00:00:00' && dst !== undefined)).toEqual([]);
    for (const name of ['red', 'blue']) await Promise.all([here.remove(name), there.remove(name)]);
    expect([...(await one.left()), ...(await two.left())]).toEqual([]);
  });

  test('a subnet reaches neither the machine nor the management addresses of its nodes', async () => {
    const provider = one.open();
    await provider.make(one.node('inner', 1, { subnet: leg(41, '10.0.0.11') }));
    await provider.make(one.node('outer', 2, { subnet: leg(41, '10.0.0.12') }));
    const space = one.names.namespace('inner');
    await ip.batch(
      ['route add 198.19.1.12/32 via 10.0.0.12 dev subnet', 'route add 172.31.255.1/32 via 10.0.0.12 dev subnet'],
      space,
    );
    await answers(() => reaches(one, 'inner', '10.0.0.12'));
    expect(await reaches(one, 'inner', '198.19.1.12')).toBe(false);
    expect(await reaches(one, 'inner', '172.31.255.1')).toBe(false);
    // The machine itself can ping over the management leg.
    await answers(() => ping(one.via, '198.19.1.12'));
    for (const name of ['inner', 'outer']) await provider.remove(name);
  });

  test('found by trial lb-heal: a node with the addresses of a removed one is reachable at once', async () => {
    const provider = one.open();
    // This node keeps the bridges, and the addresses that they have learned.
    await provider.make(one.node('other', 2));
    const before = one.node('before', 1);
    const addresses = [before.address, before.managementAddress];
    await provider.make(before);
    for (const address of addresses) await answers(() => ping(one.via, address));
    await provider.remove('before');
    await provider.make({ ...before, name: 'after' });
    const known = await ip.show(['ip', '-json', '-netns', one.namespace, 'neigh', 'show']);
    for (const address of addresses) {
      // The bridge remembers the address's old hardware address for about half a minute.
      expect(known.map(({ dst }) => dst)).toContain(address);
      expect((await one.ip.try(['ping', '-c', '3', '-W', '1', address])).code).toBe(0);
    }
    for (const name of ['after', 'other']) await provider.remove(name);
  });

  test('manual removals and changes are repaired, and running programs stay', async () => {
    const node = one.node('hand', 1, { subnet: leg(51, '10.0.0.11') });
    const provider = one.open();
    await provider.make(node);
    const space = one.names.namespace('hand');
    // Only its name, while a program runs in it.
    const child = spawn('nsenter', [`--net=/run/netns/${space}`, 'sleep', '1000']);
    await new Promise((resolve) => child.once('spawn', resolve));
    await waitFor(
      'the program in the namespace',
      async () => (await ip.run(['ip', 'netns', 'pids', space])).trim() === String(child.pid),
    );
    await ip.run(['ip', 'netns', 'del', space]);
    await provider.make(node, child.pid);
    expect((await ip.run(['ip', 'netns', 'pids', space])).trim()).toBe(String(child.pid));
    await answers(() => ping(one.via, node.address));
    // Legs, addresses, bridges.
    for (const [number, damage] of [
      () => one.ip.batch([`link del ${one.names.port('hand', 'public')}`]),
      () => ip.batch(['link del subnet'], space),
      () => ip.batch(['address flush dev management', 'address add 198.19.1.99/24 dev management'], space),
      () => one.ip.batch([`link del ${one.names.bridge('public')}`]),
      () => ip.run(['ip', 'netns', 'del', one.names.switch]),
    ].entries()) {
      await damage();
      await one.open().make(node, child.pid);
      for (const address of [node.address, node.managementAddress])
        await answers(() => ping(one.via, address), `${address} after damage ${number}`);
      const links = await ip.links(space);
      expect([...links.keys()].filter((name) => name !== 'lo').sort()).toEqual(['management', 'public', 'subnet']);
    }
    expect(await ping(one.via, '198.19.1.99')).toBe(false);
    // The whole place, with all its programs.
    await one.open().remove('hand');
    await waitFor('its end', async () => child.exitCode !== null || child.signalCode !== null);
    await provider.make(node);
    await answers(() => ping(one.via, node.address));
    await provider.remove('hand');
  });

  test('after a crash at any step the next comparison finishes or removes the node, and nothing remains', async () => {
    const node = one.node('crash', 1, { subnet: leg(61, '10.0.0.11', [two.tunnelAddress]) });
    const most = 1_000;
    const counted = new EndingIp(one.via, most);
    await one.open(counted).make(node);
    await one.open().remove('crash');
    const steps = most - counted.left;
    expect(steps).toBeGreaterThan(20);
    // Every fourth step. A failure names the step.
    for (let step = Math.floor(Math.random() * 4); step <= steps; step += 4)
      for (const next of step % 16 < 4 ? (['finish', 'remove'] as const) : (['finish'] as const)) {
        await one
          .open(new EndingIp(one.via, step))
          .make(node)
          .catch(() => undefined);
        const provider = one.open();
        if (next === 'finish') {
          await provider.make(node);
          await answers(() => ping(one.via, node.address), `an answer after step ${step}`);
        }
        for (const name of await provider.list()) await provider.remove(name);
        // Without a node there is nothing to list, but a node that was never finished may have left bridges.
        await one.open().remove('crash');
        expect([step, next, await one.left()]).toEqual([step, next, []]);
      }
  }, 240_000);

  test("behind an interface of the machine, the gateway and clients are on that interface's network", async () => {
    // The other host is the gateway here.
    await ip.batch([`link add name outer netns ${one.namespace} type veth peer name inner netns ${two.namespace}`]);
    await two.ip.batch(['address add 198.18.1.1/24 dev inner', 'link set inner up', 'address add 192.0.2.1/32 dev lo']);
    const provider = one.open(one.ip, one.folder, 'outer');
    const node = one.node('behind', 1);
    await provider.make(node);
    await answers(() => ping(two.via, node.address));
    await answers(() => reaches(one, 'behind', '192.0.2.1'));
    // The machine itself has no address there.
    const addresses = await one.ip.show(['ip', '-json', '-4', 'address', 'show', 'dev', one.names.bridge('public')]);
    expect(addresses.flatMap(({ addr_info: entries }) => entries ?? [])).toEqual([]);
    await provider.remove('behind');
    expect(await one.left()).toEqual(['outer']);
    await one.ip.batch(['link del outer']);
  });

  test('other installations on the same machine are left alone', async () => {
    const other = new TwoHosts().one;
    await one.open().make(one.node('same', 1));
    expect(await other.open().list()).toEqual([]);
    await other.open().remove('same');
    await answers(() => ping(one.via, '198.18.1.11'));
    await one.open().remove('same');
  });

  function leg(vni: number, address: string, peers: readonly string[] = []): NonNullable<WantedNode['subnet']> {
    return { address, cidr: '10.0.0.0/24', vni, peers };
  }
});

async function inSwitch(host: TestHost): Promise<readonly string[]> {
  return [...(await ip.links(host.names.switch)).keys()].filter((name) => /^[bx]\d/.test(name)).sort();
}

function reaches(host: TestHost, node: string, address: string): Promise<boolean> {
  return ping(enter(host.names.namespace(node)), address);
}

/** The first packets may be lost while a bridge learns its new port. */
async function answers(ping: () => Promise<boolean>, what = 'an answer'): Promise<void> {
  await waitFor(what, ping);
}

async function ping(via: readonly string[], address: string): Promise<boolean> {
  const { code } = await new Ip(via).try(['ping', '-c', '1', '-W', '1', address]);
  return code === 0;
}

/** Captures the broadcasts that arrive at a node. */
function hears(host: TestHost, node: string): { ready: Promise<void>; texts: string[]; stop: () => void } {
  const program = `require('dgram').createSocket('udp4').on('message', (m) => console.log(String(m))).bind(9999, () => console.log('ready'))`;
  const [command = '', ...args] = [...enter(host.names.namespace(node)), process.execPath, '-e', program];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const texts: string[] = [];
  const ready = new Promise<void>((resolve) =>
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.startsWith('ready')) resolve();
      texts.push(...text.split('\n').filter((line) => line !== '' && line !== 'ready'));
    }),
  );
  return { ready, texts, stop: () => child.kill('SIGKILL') };
}

async function shout(host: TestHost, node: string, text: string): Promise<void> {
  const program = `const s = require('dgram').createSocket('udp4'); s.bind(0, () => { s.setBroadcast(true); s.send('${text}', 9999, '10.0.0.255', () => s.close()); })`;
  await ip.run([...enter(host.names.namespace(node)), process.execPath, '-e', program]);
}
