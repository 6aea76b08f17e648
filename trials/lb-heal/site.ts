// A load balancer with everything that it needs. Each part is a process that can fail: MariaDB, Redis, PowerDNS, the listener for hosts,
// two workers, three hosts. As root, the hosts and everything that connects by address are in a separate network namespace, and each node
// has its own. Otherwise they are processes on loopback addresses.
// needs: system, iproute2, nftables, bind9-dnsutils, root
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { ownersOf } from '../../compose/owners.ts';
import { type DataFolder, openDataFolder } from '../../embedded/data-folder.ts';
import { startMariadb } from '../../embedded/mariadb.ts';
import { startRedis } from '../../embedded/redis.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { killQuietly } from '../../embedded/server-process.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import type { LoadBalancerCreateInput } from '../../generated/graph/loadbalancer.ts';
import { type Claim, ownClaims } from '../../lab/claims/claims.ts';
import { claimsOfHost } from '../../lab/claims/host-claims.ts';
import type { RequestContext } from '../../platform/caller/identity.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { recordProject } from '../../platform/edge/projects.ts';
import type { CertificateAndKey } from '../../platform/net/certificates.ts';
import { encodeId, newUuid } from '../../platform/values/ids.ts';
import { Ip } from '../../subgraphs/loadbalancer/agents/lbhost/providers/ip.ts';
import { NetnsProvider } from '../../subgraphs/loadbalancer/agents/lbhost/providers/netns.ts';
import { NetnsNames } from '../../subgraphs/loadbalancer/agents/lbhost/providers/netns-names.ts';
import { enter } from '../../subgraphs/loadbalancer/agents/lbhost/providers/shared-network.ts';
import { BalancerService } from '../../subgraphs/loadbalancer/control/balancers/balancer-service.ts';
import { dnsNames } from '../../subgraphs/loadbalancer/control/balancers/dns-names.ts';
import { nodesOf } from '../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { readBalancer } from '../../subgraphs/loadbalancer/control/stores/balancer-store.ts';
import { Quotas } from '../../subgraphs/loadbalancer/control/stores/quotas.ts';
import { SubnetService } from '../../subgraphs/loadbalancer/control/subnets/subnet-service.ts';
import { loadBalancerRow } from '../../subgraphs/loadbalancer/row.ts';
import type { BalancerRow, NodeRow } from '../../subgraphs/loadbalancer/rules/rows.ts';
import { quotaKinds } from '../../subgraphs/loadbalancer/rules/states.ts';
import { MemberAddresses } from '../../subgraphs/loadbalancer/spec/member-addresses.ts';
import { zone } from '../../tests/dns/support/name-servers.ts';
import { HostProcess } from '../../tests/subgraphs/loadbalancer/support/host-process.ts';
import { recordHost } from '../../tests/subgraphs/loadbalancer/support/host-records.ts';
import { freePort } from '../../tests/support/machine/free-port.ts';
import { endProcessesOf } from '../../tests/support/machine/left-processes.ts';
import { waitFor } from '../../tests/support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../tests/support/product/machines.ts';
import { LocalContext } from '../../tests/support/product/test-context.ts';
import { Child } from './child.ts';

export type Network = 'netns' | 'loopback';

const hostCount = 3;
const workerCount = 2;
/** Times for which a trial waits. */
const settings = {
  'loadbalancer.zone': zone,
  'loadbalancer.dnsTtlSeconds': 1,
  'loadbalancer.replacedNodeKeepMs': 20_000,
  'loadbalancer.nodeDrainMs': 500,
  'loadbalancer.nodeBuildMs': 30_000,
  'loadbalancer.hostGoneMs': 20_000,
  'loadbalancer.mostTakeBacks': 100,
  'dns.lookIntervalMs': 5_000,
};

/** A server of the data folder, which can be restarted with its data. */
interface Server {
  readonly pid: number;
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

export class SiteServer<S extends Server> {
  readonly #start: () => Promise<S>;
  running: S;

  private constructor(start: () => Promise<S>, running: S) {
    this.#start = start;
    this.running = running;
  }

  static async of<S extends Server>(start: () => Promise<S>): Promise<SiteServer<S>> {
    return new SiteServer(start, await start());
  }

  async kill(): Promise<void> {
    process.kill(this.running.pid, 'SIGKILL');
    await this.running.exited;
  }

  async start(): Promise<void> {
    this.running = await this.#start();
  }
}

class SiteHost {
  readonly id: string;
  readonly folder: string;
  readonly process: HostProcess;
  readonly #provider: NetnsProvider | undefined;
  readonly #names: NetnsNames;
  readonly #ip: Ip;

  constructor(id: string, folder: string, own: HostProcess, provider: NetnsProvider | undefined, ip: Ip) {
    this.id = id;
    this.folder = folder;
    this.process = own;
    this.#provider = provider;
    this.#names = new NetnsNames(folder);
    this.#ip = ip;
  }

  /** The machine is gone with everything that ran on it. Its disk remains. */
  async lose(): Promise<void> {
    await this.process.end('SIGKILL');
    await endProcessesOf(`${this.folder}/`);
    for (const name of (await this.#provider?.list()) ?? []) await this.#provider?.remove(name);
  }

  /** It reaches no other host, and its nodes can't be reached. */
  async cut(isCut: boolean): Promise<void> {
    if (isCut) this.process.signal('SIGSTOP');
    await this.#ip.force(
      (['public', 'management'] as const).map((leg) => `link set ${this.#names.bridge(leg)} ${isCut ? 'down' : 'up'}`),
    );
    if (!isCut) this.process.signal('SIGCONT');
  }

  namespaceOf(node: NodeRow): string {
    return this.#names.namespace(node.name);
  }

  /** Names of nodes with running processes or remains in the kernel. */
  async present(): Promise<readonly string[]> {
    const lines = await Promise.all((await haproxies(this.folder)).map(({ line }) => line));
    const running = lines.flatMap((line) => line.split(`${this.folder}/nodes/`)[1]?.split(/[/\0]/)[0] ?? []);
    return [...new Set([...running, ...((await this.#provider?.list()) ?? [])])];
  }

  /** Sends a signal to the node's HAProxy: master and worker. */
  async signal(node: NodeRow, signal: NodeJS.Signals): Promise<void> {
    for (const { pid } of await haproxies(join(this.folder, 'nodes', node.name))) killQuietly(pid, signal);
  }
}

async function haproxies(folder: string): Promise<readonly { readonly pid: number; readonly line: string }[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1);
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.flatMap((pid, at) => {
    const line = lines[at] ?? '';
    return /^[^\0]*haproxy\0/.test(line) && line.includes(`${folder}/`) ? [{ pid, line }] : [];
  });
}

export class Site {
  readonly network: Network;
  readonly hosts: SiteHost[] = [];
  readonly workers: Child[] = [];
  ground!: LocalContext;
  mariadb!: SiteServer<Awaited<ReturnType<typeof startMariadb>>>;
  redis!: SiteServer<Awaited<ReturnType<typeof startRedis>>>;
  dns!: Child;
  control!: Child;
  #balancers!: BalancerService;
  #place: { readonly address: string; readonly port: number } | undefined;
  readonly #folder: string;
  readonly #data: DataFolder;
  readonly #isJoined: boolean;
  readonly #namespace: string;
  readonly #wrapper: readonly string[];
  readonly #projectId = newUuid();
  readonly #context: RequestContext = {
    identity: { kind: 'user', id: newUuid(), name: 'root', admin: true, projects: {}, credentialId: newUuid() },
    requestId: 'trial',
    loaders: new Map(),
  };

  private constructor(network: Network, folder: string, data: DataFolder, isJoined: boolean) {
    this.network = network;
    this.#isJoined = isJoined;
    this.#folder = folder;
    this.#data = data;
    this.#namespace = `lbheal-${randomBytes(3).toString('hex')}`;
    this.#wrapper = network === 'netns' ? enter(this.#namespace) : [];
  }

  /** `isJoined`: with `netns`, connects the hosts' public networks, as nodes with a shared address require. This machine is not in that network. */
  static async open(network: Network, isJoined = false): Promise<Site> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'lb-heal-')));
    const data = await openDataFolder(join(folder, 'data'), { version: 1 });
    const site = new Site(network, folder, data, isJoined);
    try {
      await site.#start();
      return site;
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const folder = this.#data;
    if (this.network === 'netns') {
      await ownClaims.claim(...this.#claims);
      await new Ip([]).batch([`netns add ${this.#namespace}`]);
      await new Ip(this.#wrapper).batch(['link set lo up', 'link add joined type bridge', 'link set joined up']);
    }
    const extraArguments = ['--max-connections=200'];
    this.mariadb = await SiteServer.of(() => startMariadb({ folder, log: silentLog, extraArguments }));
    this.redis = await SiteServer.of(() => startRedis({ folder, log: silentLog }));
    const connection = this.mariadb.running.application;
    await migrate(connection, ownersOf(['loadbalancer'], [loadBalancerRow]));
    const redis = { path: this.redis.running.path, prefix: '{heal}' };
    this.ground = new LocalContext({ connection, connectionLimit: 10 }, { redis });
    const { db, wake, mutations, egress } = this.ground;
    await db.transaction((tx) => recordProject(tx, this.#projectId, 'default'));
    const limits = Object.fromEntries(quotaKinds.map((kind) => [kind, 1_000])) as never;
    const common = { db, wake, mutations, quotas: new Quotas(limits) };
    const subnets = new SubnetService({ ...common, defaultCidr: '10.0.0.0/24' });
    const names = dnsNames({ wake, ttlSeconds: settings['loadbalancer.dnsTtlSeconds'], nameRestMs: 86_400_000 });
    const memberAddresses = new MemberAddresses(egress);
    this.#balancers = new BalancerService({ ...common, subnets, memberAddresses, zone, names });

    this.dns = this.#child('dns', { kind: 'dns' });
    const { keyFile, ...place } = (await this.dns.start()) as { address: string; port: number; keyFile: string };
    this.#place = place;
    const authority = await testAuthority();
    const port = await freePort();
    const { cert, key, ca } = await testMachine(authority, 'loadbalancer', 'control', pino({ level: 'silent' }));
    const shared = { connection, redis };
    this.control = this.#child('control', { kind: 'control', ...shared, port, tls: { cert, key, ca } });
    await this.control.start();
    const servers = { 'dns.servers': [`${place.address}:${place.port}`], 'dns.tsigKeyFile': keyFile };
    for (let number = 1; number <= workerCount; number += 1) {
      const child = this.#child(`worker-${number}`, {
        kind: 'worker',
        ...shared,
        settings: { ...settings, ...servers },
      });
      await child.start();
      this.workers.push(child);
    }
    for (let number = 1; number <= hostCount; number += 1) await this.#addHost(number, port, authority);
    await waitFor('hosts', async () => {
      const rows = await db.query("SELECT 1 FROM lb_host WHERE presence = 'PRESENT'");
      return rows.length === hostCount;
    });
  }

  get #claims(): readonly Claim[] {
    const numbers = Array.from({ length: hostCount }, (_, index) => index + 1);
    const hosts = numbers.flatMap((number) => claimsOfHost(this.#folderOf(number)));
    return [{ kind: 'namespaces', what: this.#namespace }, ...hosts];
  }

  #folderOf(number: number): string {
    return join(this.#folder, `host-${number}`);
  }

  async #addHost(number: number, port: number, authority: CertificateAndKey): Promise<void> {
    const folder = this.#folderOf(number);
    await mkdir(folder);
    const machine = await testMachine(authority, 'lbhost', `host-${number}`, pino({ level: 'silent' }));
    const { id, cert, key, ca } = machine;
    const ranges =
      this.network === 'netns'
        ? { publicRange: `10.201.${number}.0/24`, managementRange: `10.202.${number}.0/24` }
        : { publicRange: `127.93.${number}.0/24`, managementRange: `127.93.${number}.0/24` };
    const ip = new Ip(this.#wrapper);
    const publicInterface = this.#isJoined ? `public-${number}` : undefined;
    if (publicInterface !== undefined)
      await ip.batch([
        `link add ${publicInterface} type veth peer name joined-${number}`,
        ...[
          `link set joined-${number} master joined`,
          `link set joined-${number} up`,
          `link set ${publicInterface} up`,
        ],
      ]);
    const netns = { ...ranges, tunnelAddress: null, publicInterface };
    const record = { ...ranges, provider: this.network === 'netns' ? ('NETNS' as const) : ('LOOPBACK' as const) };
    await this.ground.db.transaction((tx) => recordHost(tx, id, record));
    const own = new HostProcess({
      ...{ folder, tls: { cert, key, ca }, urls: [`wss://127.0.0.1:${port}/link`], healthPort: 8399 },
      ...(this.network === 'netns' ? { netns: { ...netns, via: [] } } : { range: ranges.publicRange }),
      wrapper: this.#wrapper,
    });
    const provider = this.network === 'netns' ? new NetnsProvider({ ...netns, folder, ip }) : undefined;
    this.hosts.push(new SiteHost(id, folder, own, provider, ip));
    await own.start();
  }

  #child(name: string, program: ConstructorParameters<typeof Child>[2]): Child {
    return new Child(this.#wrapper, join(this.#folder, `${name}.json`), program);
  }

  hostOf(node: NodeRow): SiteHost {
    const found = this.hosts.find(({ id }) => id === node.hostId);
    if (found === undefined) throw new Error(`the node ${node.name} is on no host`);
    return found;
  }

  /** Cuts the node off without its host's knowledge, or reconnects it. */
  async cut(node: NodeRow, isCut: boolean): Promise<void> {
    const [command = '', ...args] = [...enter(this.hostOf(node).namespaceOf(node)), 'nft'];
    await runProgram(command, [...args, 'delete', 'table', 'inet', 'heal']);
    const rules = `table inet heal {
      chain in { type filter hook input priority -300; policy drop; }
      chain out { type filter hook output priority -300; policy drop; }
    }`;
    if (isCut) await runProgram(command, [...args, rules]);
  }

  /** The nodes that currently have the shared address. */
  async holdersOf(address: string, nodes: readonly NodeRow[]): Promise<readonly NodeRow[]> {
    const has = await Promise.all(
      nodes.map(async (node) => {
        const space = this.hostOf(node).namespaceOf(node);
        // Removing the node ends all its programs.
        const shown = await runProgram('ip', ['-netns', space, 'address', 'show']).catch(() => undefined);
        return shown?.stdout.includes(` ${address}/32 `) === true;
      }),
    );
    return nodes.filter((_, at) => has[at]);
  }

  async delete(id: string): Promise<void> {
    const { userErrors } = await this.#balancers.delete(this.#context, { id: encodeId('LoadBalancer', id) });
    if (userErrors.length > 0) throw new Error(JSON.stringify(userErrors));
    await waitFor('DELETED', async () => (await this.balancer(id)).provisioningStatus === 'DELETED');
  }

  /** Returns its UUID once it is ACTIVE. */
  async create(nodes: number, more: Partial<Pick<LoadBalancerCreateInput, 'name' | 'topology'>> = {}): Promise<string> {
    const input = {
      ...{ name: 'web', projectId: encodeId('Project', this.#projectId), minNodes: nodes, maxNodes: nodes, ...more },
      listeners: [{ protocol: 'HTTP', port: await freePort(), defaultPool: 'web' }],
      pools: [{ name: 'web', memberProtocol: 'HTTP', members: [{ host: '127.0.0.1', port: 80 }] }],
    } as unknown as LoadBalancerCreateInput;
    const { entity, userErrors } = await this.#balancers.create(this.#context, input);
    if (entity == null) throw new Error(JSON.stringify(userErrors));
    await waitFor('ACTIVE', async () => (await this.balancer(entity.id)).provisioningStatus === 'ACTIVE');
    return entity.id;
  }

  async balancer(id: string): Promise<BalancerRow> {
    const row = await readBalancer(this.ground.db, id);
    if (row === undefined) throw new Error('there is no such load balancer');
    return row;
  }

  /** Excludes deleted ones. The oldest comes first. */
  async nodes(id: string): Promise<readonly NodeRow[]> {
    return (await nodesOf(this.ground.db, [id])).get(id) ?? [];
  }

  /** Queries the name server. In sorted order. Undefined if it does not answer. */
  async ask(name: string, type: string): Promise<readonly string[] | undefined> {
    const { address, port } = this.#place ?? { address: '', port: 0 };
    const args = [`@${address}`, '-p', String(port), '+norecurse', '+time=1', '+tries=1', name, type];
    const [command = '', ...all] = [...this.#wrapper, 'dig', ...args];
    const { stdout } = await runProgram(command, all);
    if (!stdout.includes('status: NOERROR') && !stdout.includes('status: NXDOMAIN')) return undefined;
    const lines = stdout.split('\n').map((line) => line.split(/\s+/));
    return lines.flatMap((words) => (words[3] === type && words[4] !== undefined ? [words[4]] : [])).sort();
  }

  /** As another administrator would. */
  async nsupdate(...lines: readonly string[]): Promise<void> {
    await this.dns.tell(['update', ...lines].join('|'));
  }

  async close(): Promise<void> {
    for (const host of this.hosts) {
      host.process.signal('SIGCONT');
      await host.lose();
    }
    for (const child of [...this.workers, this.control]) await child?.kill();
    await this.dns?.tell('remove').catch(() => undefined);
    await this.dns?.kill();
    await this.ground?.stop();
    await Promise.all([this.redis?.running.stop(), this.mariadb?.running.stop()]);
    await this.#data.close();
    if (this.network === 'netns') {
      const ip = new Ip([]);
      await ip.force([
        ...this.hosts.map(({ folder }) => `netns del ${new NetnsNames(folder).switch}`),
        `netns del ${this.#namespace}`,
      ]);
      ownClaims.release(...this.#claims);
    }
    await rm(this.#folder, { recursive: true, force: true });
    if (!this.#data.socketFolder.startsWith(this.#folder))
      await rm(this.#data.socketFolder, { recursive: true, force: true });
  }
}
