// The device `balancers`, as root. Load balancers of the graph run on its hosts and are reached by name. Hosts and nodes are unplugged,
// killed and put back. Nothing is left behind, even after kill -9.
// needs: system, haproxy, keepalived, curl, pdns-server, pdns-backend-sqlite3, nginx-light, bind9-dnsutils, hey, procps, nftables, iproute2, openssl, root
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BalancerNetwork } from '../../lab/balancers/network.ts';
import { namespaces } from '../../lab/switched-network.ts';
import { isRoot, LabSystem } from '../bin/support/lab-system.ts';
import { endProcessesOf } from '../support/machine/left-processes.ts';
import { patience } from '../support/machine/patience.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import {
  addressesOf,
  cmpObject,
  createBalancer,
  hasBalancerPrograms,
  isOfNode,
  programsOf,
  readBalancer,
  serving,
} from './balancers-system.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, '..', '..', 'bin', 'tidegate.ts');
const describeAsRoot = hasBalancerPrograms && isRoot ? describe : describe.skip;

async function running(system: LabSystem): Promise<void> {
  await waitFor('the part', async () =>
    (await system.lab('list')).some(({ part, state }) => part === 'balancers' && state === 'RUNNING'),
  );
}

/** If `what` fails, the error also shows the product's state and decisions up to then. */
async function explained<T>(system: LabSystem, when: string, what: () => Promise<T>): Promise<T> {
  try {
    return await what();
  } catch (error) {
    const questions = [
      ...[
        ['loadbalancers', 'show', 'web'],
        ['nodes', 'list', '--balancer', 'web'],
        ['hosts', 'list'],
        ['lab', 'hosts'],
      ],
      ...[
        ['loadbalancers', 'decisions', 'web'],
        ['events', 'list', '--limit', '60'],
      ],
    ];
    const answers: string[] = [];
    for (const words of questions) {
      const place = words[0] === 'lab' ? [] : ['--url', `${system.up.url}/graphql`];
      const args = [program, ...words, ...place, '--data', system.data];
      const { stdout, stderr } = await run(process.execPath, args).catch(
        (failed: { stdout: string; stderr: string }) => failed,
      );
      answers.push(`$ tidegate ${words.join(' ')}\n${stdout}${stderr}`);
    }
    const log = system.up.output().slice(-20_000);
    throw new Error(`${String(error)}, while ${when}\n\n${answers.join('\n')}\n${log}`, { cause: error });
  }
}

describeAsRoot('as root', () => {
  let system: LabSystem;
  /** The prefix of the namespaces of its hosts. */
  let prefix = 'none';
  const nodeNames = new Set<string>();

  beforeAll(async () => {
    system = await LabSystem.start(['--lab', 'firewall']);
  }, 120_000);
  afterAll(async () => {
    await system.stop();
    await endProcessesOf(system.data);
    for (const name of await own()) await run('ip', ['netns', 'delete', name]);
  });

  /** Other users have labs on this machine too. */
  async function own(): Promise<readonly string[]> {
    const isNode = (space: string) => [...nodeNames].some((node) => space.endsWith(`-${node}`));
    return (await namespaces()).filter((space) => space.startsWith(prefix) || isNode(space));
  }

  async function knowNodes(): Promise<void> {
    for (const { name } of (await readBalancer(system)).nodes) nodeNames.add(name);
  }

  async function inClient(...words: readonly string[]): Promise<string> {
    const args = [program, 'lab', 'exec', 'client', '--data', system.data, '--', ...words];
    return (await run(process.execPath, args, { timeout: 60_000 * patience })).stdout;
  }

  /** A client that tries the next address of a name, as most clients do. curl 7.88 does so only after two thirds of its connect timeout. */
  const ask = () =>
    inClient('curl', '-sS', '--retry', '3', '--connect-timeout', '6', '-m', '20', 'http://web.default.lb.lab.test/');

  async function answeredByAll(): Promise<void> {
    const seen = new Set<string>();
    await waitFor('all web servers to have answered', async () => {
      const answered = (await ask().catch(() => '')).split('\n').filter((line) => line !== '');
      // The answer is never that there is no server.
      for (const line of answered) expect(line).toMatch(/^web\d$/);
      for (const name of answered) seen.add(name);
      return seen.size === 3;
    });
  }

  test('a load balancer answers by its name in the client, from all web servers', async () => {
    expect(await system.lab('add', 'balancers')).toMatchObject([
      { part: 'balancers', state: 'RUNNING', backend: null },
    ]);
    const hosts = JSON.parse(await system.told('hosts', '--json')) as { name: string; namespace: string }[];
    prefix = hosts.find(({ name }) => name === 'client')?.namespace.replace(/client$/, '') ?? '';
    expect(prefix).toMatch(/^tg-/);
    await createBalancer(system, 80);
    await answeredByAll();
    await knowNodes();
    const { nodes } = await readBalancer(system);
    const answer = await inClient('dig', '+short', 'web.default.lb.lab.test');
    expect(answer.trim().split('\n').sort()).toEqual(nodes.map(({ address }) => address).sort());
  }, 120_000);

  test("the load balancer's CMP object contains it and the firewall rule", async () => {
    await system.online('firewall');
    const call = await system.write('firewall', { cmpObject });
    expect(call.operation?.state).toBe('SUCCEEDED');
    const args = [program, 'cmp-objects', 'show', 'tenant/42', '--url', `${system.up.url}/graphql`];
    const { stdout } = await run(process.execPath, [...args, '--data', system.data]);
    const [, relay = '', balancers = ''] = stdout.split(/^(?:relay|loadbalancer)$/m);
    expect(relay).toMatch(/ lab-firewall .* blocked\/203\.0\.113\.1 .*ACTIVE/);
    expect(balancers).toMatch(/ web .* http:\/\/web\.default\.lb\.lab\.test\//);
  });

  test('while a node or a host is unplugged, requests are answered, and it is taken back afterwards', async () => {
    await serving(system);
    const { nodes } = await readBalancer(system);
    // There is one node on each host. A replacement runs on the other host, so until the node is taken back, both serving nodes are on one
    // host.
    const whole = nodes.map(({ name }) => name).sort();
    for (const name of [whole[0] ?? '', 'host2']) {
      await system.told('unplug', name);
      try {
        await explained(system, `${name} is unplugged`, () =>
          waitFor('a node to be replaced', async () => {
            expect(await ask()).toMatch(/^web\d\n$/);
            const { nodes: now } = await readBalancer(system);
            return (
              now.some(({ nodeState }) => nodeState === 'REPLACED') &&
              now.filter(({ nodeState }) => nodeState === 'SERVING').length === 2
            );
          }),
        );
        expect(await ask()).toMatch(/^web\d\n$/);
      } finally {
        // The later tests need the part that is unplugged here.
        await system.told('plug', name);
      }
      await explained(system, `${name} is plugged in again`, () =>
        waitFor('what was unplugged to be taken back', async () => {
          const { nodes: now } = await readBalancer(system);
          const back = now.filter(({ name: each, nodeState }) => whole.includes(each) && nodeState === 'SERVING');
          return back.length === 2;
        }),
      );
      await serving(system);
      expect((await readBalancer(system)).nodes.map((each) => each.name).sort()).toEqual(whole);
    }
    expect(await system.lab('hosts')).toContainEqual(expect.objectContaining({ name: 'host2', state: 'UP' }));
  }, 300_000);

  test('a host that is killed loses everything but its disk, and recovers when it is plugged in', async () => {
    await knowNodes();
    const whole = await own();
    await system.told('kill', 'host1');
    expect(await system.lab('hosts')).toContainEqual(expect.objectContaining({ name: 'host1', state: 'KILLED' }));
    expect((await own()).length).toBeLessThan(whole.length - 1);
    expect(await ask()).toMatch(/^web\d\n$/);
    await system.told('plug', 'host1');
    await serving(system);
    await system.told('kill', 'web2');
    await waitFor('the other two to answer', async () => {
      const answers = await Promise.all([ask(), ask(), ask()].map((each) => each.catch(() => 'web2\n')));
      return !answers.includes('web2\n');
    });
    await system.told('plug', 'web2');
    await answeredByAll();
  }, 180_000);

  test('an unknown part is refused with the reason', async () => {
    expect(await system.refusal('unplug', 'toaster')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('host1, host2, web1'),
    });
    expect(await system.refusal('unplug', 'No Host')).toMatchObject({ code: 64 });
  });

  test('after kill -9 of everything that the nodes run on, the next start restores all of it', async () => {
    const { WEB1 } = await addressesOf(system.data);
    await knowNodes();
    await system.end('SIGKILL');
    await waitFor('all to end, also the nodes', async () => (await programsOf(system)).length === 0);
    await waitFor('their namespaces to go', async () => (await own()).length === 0);
    await system.restart('SIGKILL');
    await running(system);
    expect((await addressesOf(system.data)).WEB1).toBe(WEB1);
    await answeredByAll();
  }, 240_000);

  test('a stop leaves nothing behind', async () => {
    await knowNodes();
    await system.end('SIGTERM');
    expect(await own()).toEqual([]);
    expect(await programsOf(system)).toEqual([]);
  }, 60_000);

  test('the next start ends leftovers of a killed start, even without the part', async () => {
    await system.restart('SIGTERM');
    await running(system);
    await answeredByAll();
    await knowNodes();
    await system.restart('SIGKILL', ['--lab', 'firewall']);
    expect(await own()).toEqual([]);
    expect((await programsOf(system)).filter(isOfNode)).toEqual([]);
  }, 240_000);

  test('two labs have separate names and addresses', async () => {
    const labs = ['0000aa', '0000ab'].map((id) => new BalancerNetwork(id));
    const { signal } = new AbortController();
    try {
      const plans = await Promise.all(labs.map((lab) => lab.layOut(7, signal)));
      expect(new Set(plans.map(({ net }) => net)).size).toBe(2);
    } finally {
      for (const lab of labs) await lab.remove(await lab.present());
    }
  }, 60_000);
});
