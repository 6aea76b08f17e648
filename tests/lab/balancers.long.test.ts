// The device `balancers`: load balancers of the graph on its hosts, reached by their names; hosts and nodes that are unplugged, killed and
// put back; and nothing left behind, also after kill -9.
// needs: system, haproxy, keepalived, curl, pdns-server, pdns-backend-sqlite3, nginx-light, bind9-dnsutils, hey, procps, nftables, iproute2, openssl, root
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readFile, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { balancersGiven, type Given } from '../../lab/balancers/given.ts';
import { BalancerNetwork } from '../../lab/balancers/network.ts';
import { plainLabFolder } from '../../lab/folders.ts';
import { namespaces } from '../../lab/switched-network.ts';
import { isRoot, LabSystem } from '../bin/support/lab-system.ts';
import { ask } from '../bin/support/up-process.ts';
import { endProcessesOf } from '../support/left-processes.ts';
import { patience } from '../support/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/temporary-folder.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, '..', '..', 'bin', 'tidegate.ts');
const programs = ['haproxy', 'nginx', 'pdns_server', 'keepalived', 'nft'].map((name) => `/usr/sbin/${name}`);
const hasAll = programs.every(existsSync) && existsSync('/usr/bin/dig');
const describeHere = hasAll ? describe : describe.skip;
const describeAsRoot = hasAll && isRoot ? describe : describe.skip;
const stranger = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--no-new-privs'];

const cmpObject = { type: 'tenant', externalId: '42' };

interface Balancer {
  readonly operatingStatus: string;
  readonly nodes: readonly { readonly name: string; readonly nodeState: string; readonly address: string }[];
}

async function addressesOf(data: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(join(data, 'balancers.env'), 'utf8');
  return Object.fromEntries(text.split('\n').map((line) => line.split('=')));
}

async function createBalancer(system: LabSystem, port: number): Promise<void> {
  const { WEB1, WEB2, WEB3, WEB_PORT } = await addressesOf(system.data);
  const members = [WEB1, WEB2, WEB3].map((host, index) => ({ name: `m${index}`, host, port: Number(WEB_PORT) }));
  const pools = [{ name: 'web', memberProtocol: 'HTTP', members, healthMonitor: { monitorType: 'HTTP', path: '/' } }];
  const listeners = [{ name: 'http', protocol: 'HTTP', port, defaultPool: 'web' }];
  const input = { name: 'web', minNodes: 2, maxNodes: 4, pools, listeners, cmpObject };
  const query =
    'mutation ($input: LoadBalancerCreateInput!) { done: loadBalancerCreate(input: $input) { userErrors { message } } }';
  expect(await system.ask(query, { input })).toEqual({ done: { userErrors: [] } });
}

async function readBalancer(system: LabSystem): Promise<Balancer> {
  const query = '{ loadBalancers { nodes { operatingStatus nodes { name nodeState address } } } }';
  const { loadBalancers: page } = await system.ask<{ loadBalancers: { nodes: [Balancer] } }>(query);
  return page.nodes[0];
}

async function running(system: LabSystem): Promise<void> {
  await waitFor('the part', async () =>
    (await system.lab('list')).some(({ part, state }) => part === 'balancers' && state === 'RUNNING'),
  );
}

/** Names of the programs that were started with a path in the data folder. */
async function programsOf({ data }: LabSystem): Promise<readonly string[]> {
  const { stdout } = await run('pgrep', ['-lf', data]).catch(() => ({ stdout: '' }));
  return stdout.split('\n').flatMap((line) => line.split(' ')[1] ?? []);
}

const isOfNode = (name: string) => name === 'haproxy' || name === 'keepalived';

async function serving(system: LabSystem): Promise<void> {
  await waitFor('two nodes to serve', async () => {
    const { nodes, operatingStatus } = await readBalancer(system);
    return (
      nodes.length === 2 && nodes.every(({ nodeState }) => nodeState === 'SERVING') && operatingStatus === 'ONLINE'
    );
  });
}

/** A failure of `what` also says what the product knew and decided until then. */
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

async function deleteBalancer(system: LabSystem): Promise<void> {
  const { loadBalancers: page } = await system.ask<{ loadBalancers: { nodes: { id: string }[] } }>(
    '{ loadBalancers { nodes { id } } }',
  );
  const query =
    'mutation ($input: LoadBalancerDeleteInput!) { done: loadBalancerDelete(input: $input) { userErrors { message } } }';
  const deleted = await system.ask(query, { input: { id: page.nodes[0]?.id } });
  expect(deleted).toEqual({ done: { userErrors: [] } });
}

async function logIn({ data, up }: LabSystem): Promise<string> {
  const password = (await readFile(join(data, 'admin.password'), 'utf8')).trim();
  const query = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
  const input = { name: 'admin', password };
  return (await ask<{ login: { accessToken: string } }>(up.url, undefined, query, { input })).login.accessToken;
}

/** Names of hosts, or of machines that are not revoked, as an administrator sees them. */
async function known({ up }: LabSystem, token: string, kind: 'loadBalancerHosts' | 'machines'): Promise<string[]> {
  const query = `{ ${kind} { nodes { name ${kind === 'machines' ? 'machineState' : ''} } } }`;
  const page = await ask<Record<string, { nodes: { name: string; machineState?: string }[] }>>(up.url, token, query);
  return (page[kind]?.nodes ?? []).filter(({ machineState }) => machineState !== 'REVOKED').map(({ name }) => name);
}

describeAsRoot('as root', () => {
  let system: LabSystem;
  /** Of the namespaces of its hosts. */
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

  /** Others have labs on this machine, too. */
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

  /** A client that tries the next address of a name, as most do. curl 7.88 does so only after two thirds of its connect timeout. */
  const ask = () =>
    inClient('curl', '-sS', '--retry', '3', '--connect-timeout', '6', '-m', '20', 'http://web.default.lb.lab.test/');

  async function answeredByAll(): Promise<void> {
    const seen = new Set<string>();
    await waitFor('all web servers to have answered', async () => {
      const answered = (await ask().catch(() => '')).split('\n').filter((line) => line !== '');
      // Never that there is no server.
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

  test('its CMP object has it beside the rule of the firewall', async () => {
    await system.online('firewall');
    const call = await system.write('firewall', { cmpObject });
    expect(call.operation?.state).toBe('SUCCEEDED');
    const args = [program, 'cmp-objects', 'show', 'tenant/42', '--url', `${system.up.url}/graphql`];
    const { stdout } = await run(process.execPath, [...args, '--data', system.data]);
    const [, relay = '', balancers = ''] = stdout.split(/^(?:relay|loadbalancer)$/m);
    expect(relay).toMatch(/ lab-firewall .* blocked\/203\.0\.113\.1 .*ACTIVE/);
    expect(balancers).toMatch(/ web .* http:\/\/web\.default\.lb\.lab\.test\//);
  });

  test('while a node or a host is unplugged, requests are answered, and it is taken back', async () => {
    await serving(system);
    const { nodes } = await readBalancer(system);
    // One on each host. A replacement is on the other host: until the node is taken back, both that serve are on one.
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
        // The tests after this one need what is unplugged here.
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

  test('a host that is killed loses everything but its disk, and has it again when it is plugged in', async () => {
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

  test('what is not there is refused with the reason', async () => {
    expect(await system.refusal('unplug', 'toaster')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('host1, host2, web1'),
    });
    expect(await system.refusal('unplug', 'No Host')).toMatchObject({ code: 2 });
  });

  test('after kill -9 of everything that the nodes run on, the next start has all of it again', async () => {
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

  test('a stop leaves nothing', async () => {
    await knowNodes();
    await system.end('SIGTERM');
    expect(await own()).toEqual([]);
    expect(await programsOf(system)).toEqual([]);
  }, 60_000);

  test('leftovers of a killed start are ended by the next one, also without the part', async () => {
    await system.restart('SIGTERM');
    await running(system);
    await answeredByAll();
    await knowNodes();
    await system.restart('SIGKILL', ['--lab', 'firewall']);
    expect(await own()).toEqual([]);
    expect((await programsOf(system)).filter(isOfNode)).toEqual([]);
  }, 240_000);

  test('two labs have names and addresses of their own', async () => {
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

describeHere('without root', () => {
  let system: LabSystem | undefined;
  afterAll(async () => {
    await system?.stop();
    if (system !== undefined) await endProcessesOf(system.data);
  });

  test('it is on the loopback: answered by the addresses that its DNS server gives', async () => {
    const lab = await LabSystem.start(['--lab', 'balancers'], isRoot ? stranger : []);
    system = lab;
    await createBalancer(lab, 8000);
    await serving(lab);
    const { DNS, DNS_PORT } = await addressesOf(lab.data);
    const question = [`@${DNS}`, '-p', `${DNS_PORT}`, '+short', 'web.default.lb.lab.test'];
    const addresses = await waitFor('its addresses', async () => {
      const found = (await run('dig', question)).stdout.trim().split('\n');
      return found.length === 2 && found;
    });
    for (const address of addresses) {
      expect(address).toMatch(/^127\.79\./);
      expect(await (await fetch(`http://${address}:8000/`)).text()).toMatch(/^web\d\n$/);
    }
    await waitFor('its figures among the metrics', async () => {
      const text = await (await fetch(`${lab.up.url}/metrics`)).text();
      return /^tidegate_load_balancer_listener_requests_total\{load_balancer="web",.*port="8000"\} [1-9]/m.test(text);
    });
    expect(await lab.refusal('unplug', 'host1')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('root'),
    });
    await lab.told('kill', 'host1');
    await lab.told('plug', 'host1');
    await serving(lab);
    const { stdout: keeper } = await run('pgrep', ['-f', `plain-keeper.ts ${lab.data}`]);
    process.kill(Number(keeper), 'SIGKILL');
    await lab.end('SIGKILL');
    await waitFor('all to end, also the nodes', async () => (await programsOf(lab)).length === 0);
    await lab.restart('SIGKILL', ['--lab', 'neo']);
    expect((await programsOf(lab)).filter(isOfNode)).toEqual([]);
    await lab.lab('add', 'balancers');
    await serving(lab);
    expect(await lab.refusal('remove', 'balancers')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('delete the load balancers first'),
    });
    await deleteBalancer(lab);
    await waitFor('its removal', () =>
      lab.lab('remove', 'balancers').then(
        () => true,
        () => false,
      ),
    );
    expect((await programsOf(lab)).filter(isOfNode)).toEqual([]);
    const admin = await logIn(lab);
    await waitFor(
      'its hosts to leave the graph',
      async () => (await known(lab, admin, 'loadBalancerHosts')).length === 0,
    );
    expect(await known(lab, admin, 'machines')).toEqual([]);
    await lab.lab('add', 'balancers');
    await createBalancer(lab, 8000);
    await serving(lab);
    await lab.end('SIGTERM');
    expect(await programsOf(lab)).toEqual([]);
  }, 360_000);
});

describe('what the control plane gives', () => {
  let folder: TemporaryFolder;
  const credential = { id: 'x', name: 'lab-host1', token: 't', certificate: 'c', key: 'k', authority: 'a' };
  const host = { ...credential, expiresAt: new Date(0).toISOString() };
  const given: Given = { ports: { endpoint: 1, link: 2, dns: 3 }, hosts: [host, host] };

  beforeAll(async () => {
    folder = await temporaryFolder();
    await mkdir(join(folder.path, plainLabFolder));
    await balancersGiven.write(folder.path, given);
  });
  afterAll(() => folder.remove());

  test('is read again, and only its owner can', async () => {
    expect(await balancersGiven.read(folder.path)).toEqual(given);
    const path = join(folder.path, plainLabFolder, 'balancers.given.json');
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
    // Root reads it as a stranger's: no link is followed, and nothing but its own form is taken.
    await rename(path, join(dirname(path), 'elsewhere'));
    await symlink(join(dirname(path), 'elsewhere'), path);
    expect(await balancersGiven.read(folder.path)).toBeUndefined();
  });

  test('anything else is nothing', async () => {
    const other = await temporaryFolder();
    await mkdir(join(other.path, plainLabFolder));
    expect(await balancersGiven.read(other.path)).toBeUndefined();
    await balancersGiven.write(other.path, { ...given, ports: { ...given.ports, dns: 70_000 } });
    expect(await balancersGiven.read(other.path)).toBeUndefined();
    await other.remove();
  });
});
