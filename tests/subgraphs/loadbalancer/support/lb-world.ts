// Load balancers with all of their parts in one process: graph services, workers (queues and health checks), the link,
// and hosts on loopback addresses. Only HAProxy and PowerDNS are real separate programs.
// needs: haproxy, keepalived
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { ownersOf } from '../../../../compose/owners.ts';
import { createDriftQueue } from '../../../../dns/publish/drift-queue.ts';
import { createPublishQueue } from '../../../../dns/publish/publish-queue.ts';
import { createServerQueue } from '../../../../dns/publish/server-queue.ts';
import { Rfc2136Server } from '../../../../dns/servers/rfc2136-server.ts';
import type { LoadBalancerCreateInput } from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { CheckEngine } from '../../../../platform/checks/check-engine.ts';
import { createCheckMetrics } from '../../../../platform/checks/check-metrics.ts';
import { SelfCheck } from '../../../../platform/checks/self-check.ts';
import { StarvationGuard } from '../../../../platform/checks/starvation-guard.ts';
import { migrate } from '../../../../platform/database/migrate.ts';
import { recordProject } from '../../../../platform/edge/projects.ts';
import { Leases } from '../../../../platform/leases/leases.ts';
import { LinkServer } from '../../../../platform/link/link-server.ts';
import type { CertificateAndKey } from '../../../../platform/net/certificates.ts';
import type { OwedQueue } from '../../../../platform/owed/owed-queue.ts';
import { OwedWork, OwedWorkLostError } from '../../../../platform/owed/owed-work.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { createRedis } from '../../../../platform/work/redis.ts';
import {
  Confinement,
  usualFirstUid,
} from '../../../../subgraphs/loadbalancer/agents/lbhost/confinement/confinement.ts';
import { LbHost } from '../../../../subgraphs/loadbalancer/agents/lbhost/lb-host.ts';
import { LoopbackProvider } from '../../../../subgraphs/loadbalancer/agents/lbhost/providers/loopback.ts';
import { BalancerService } from '../../../../subgraphs/loadbalancer/control/balancers/balancer-service.ts';
import { dnsNames } from '../../../../subgraphs/loadbalancer/control/balancers/dns-names.ts';
import { type Names, noNames } from '../../../../subgraphs/loadbalancer/control/balancers/names.ts';
import { PartService } from '../../../../subgraphs/loadbalancer/control/balancers/part-service.ts';
import { CertificateService } from '../../../../subgraphs/loadbalancer/control/certificates/certificate-service.ts';
import { HostService } from '../../../../subgraphs/loadbalancer/control/hosts/host-service.ts';
import { HostSessions } from '../../../../subgraphs/loadbalancer/control/hosts/host-sessions.ts';
import { HostWatcher } from '../../../../subgraphs/loadbalancer/control/hosts/host-watcher.ts';
import { NodeDocuments } from '../../../../subgraphs/loadbalancer/control/hosts/node-documents.ts';
import { createNodeChecks, usualNodeChecks } from '../../../../subgraphs/loadbalancer/control/nodes/node-checks.ts';
import { NodeService } from '../../../../subgraphs/loadbalancer/control/nodes/node-service.ts';
import { nodesOf } from '../../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { createReconcileQueue } from '../../../../subgraphs/loadbalancer/control/reconcile/reconcile-queue.ts';
import { createScalingWork } from '../../../../subgraphs/loadbalancer/control/scaling/scaling-work.ts';
import { readBalancer } from '../../../../subgraphs/loadbalancer/control/stores/balancer-store.ts';
import { Quotas } from '../../../../subgraphs/loadbalancer/control/stores/quotas.ts';
import { SubnetService } from '../../../../subgraphs/loadbalancer/control/subnets/subnet-service.ts';
import { StatisticsStore } from '../../../../subgraphs/loadbalancer/control/traffic/statistics-store.ts';
import { TrafficRecorder } from '../../../../subgraphs/loadbalancer/control/traffic/traffic-recorder.ts';
import { TrafficSeconds } from '../../../../subgraphs/loadbalancer/control/traffic/traffic-seconds.ts';
import { loadBalancerRow } from '../../../../subgraphs/loadbalancer/row.ts';
import { type HealSettings, usualHealing } from '../../../../subgraphs/loadbalancer/rules/plan-input.ts';
import type { BalancerRow, NodeRow } from '../../../../subgraphs/loadbalancer/rules/rows.ts';
import { MemberAddresses } from '../../../../subgraphs/loadbalancer/spec/member-addresses.ts';
import { type NameServer, nameServers, zone } from '../../../dns/support/name-servers.ts';
import { freePort } from '../../../support/machine/free-port.ts';
import { endProcessesOf } from '../../../support/machine/left-processes.ts';
import { type OwnNetwork, ownNetwork } from '../../../support/machine/own-network.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import { type TestMachine, testAuthority, testMachine } from '../../../support/product/machines.ts';
import { LocalContext } from '../../../support/product/test-context.ts';
import { type TestDatabase, testDatabase } from '../../../support/stores/database.ts';
import { recordHost } from './host-records.ts';

const most = 100_000;
const quotas = new Quotas({
  ...{ LOAD_BALANCERS: most, LISTENERS: most, POOLS: most, MEMBERS: most, L7_POLICIES: most, NODES: most },
  ...{ CERTIFICATES: most, SUBNETS: most },
});

interface LbWorldOptions {
  /** The name server that publishes names. True: a PowerDNS. */
  readonly dns?: boolean | keyof typeof nameServers;
  readonly settings?: Partial<HealSettings>;
  /** Records traffic, and follows autoscaling policies. */
  readonly scaling?: boolean;
  /** An empty database of the caller. Default: its own. Not with scaling. */
  readonly connection?: TestDatabase['connection'];
}

export interface WorldHost {
  readonly name: string;
  readonly index: number;
  readonly machine: TestMachine;
  readonly folder: string;
  /** The fault that confinement reports on this machine. */
  confinementFault: string | null;
  /** Undefined while its process does not run. */
  host: LbHost | undefined;
}

export class LbWorld {
  readonly projectId = newUuid();
  readonly context: RequestContext = {
    identity: { kind: 'user', id: newUuid(), name: 'root', admin: true, projects: {}, credentialId: newUuid() },
    requestId: 'test',
    loaders: new Map(),
  };
  readonly hosts = new Map<string, WorldHost>();
  readonly webs: { readonly server: Server; readonly port: number }[] = [];
  readonly folder: string;
  readonly ground: LocalContext;
  readonly healthPort: number;
  /** Its hosts have 127.X.1.0/24, 127.X.2.0/24, and so on. */
  readonly network: OwnNetwork;
  dns: NameServer | undefined;
  balancers!: BalancerService;
  parts!: PartService;
  nodeService!: NodeService;
  certificates!: CertificateService;
  hostService!: HostService;
  link!: LinkServer;
  watcher!: HostWatcher;
  #names: Names = noNames;
  #queues: OwedQueue[] = [];
  #redis: Redis | undefined;
  readonly #options: LbWorldOptions;
  readonly #place: TestDatabase | undefined;
  readonly #authority: CertificateAndKey;
  readonly #workers = new Set<Worker>();

  private constructor(
    options: LbWorldOptions,
    place: TestDatabase | undefined,
    ground: LocalContext,
    more: readonly [CertificateAndKey, string, number, OwnNetwork],
  ) {
    this.#options = options;
    this.#place = place;
    this.ground = ground;
    [this.#authority, this.folder, this.healthPort, this.network] = more;
  }

  /** Opens a world with one worker, three web servers, and no host yet. */
  static async open(options: LbWorldOptions = {}): Promise<LbWorld> {
    const place = options.connection === undefined ? await testDatabase({ migrated: false }) : undefined;
    const connection = options.connection ?? place?.connection;
    if (connection === undefined) throw new Error('there is no database');
    await migrate(connection, ownersOf(['loadbalancer'], [loadBalancerRow]));
    const ground = await new LocalContext({ connection, connectionLimit: 12 }).start();
    const folder = await mkdtemp(join(tmpdir(), 'lb-world-'));
    const world = new LbWorld(options, place, ground, [
      await testAuthority(),
      folder,
      await freePort(),
      await ownNetwork(),
    ]);
    await world.#start();
    return world;
  }

  async #start(): Promise<void> {
    const { db, wake, mutations, log, sealer, egress } = this.ground;
    await db.transaction((tx) => recordProject(tx, this.projectId, 'default'));
    const common = { db, wake, mutations, quotas };
    const memberAddresses = new MemberAddresses(egress);
    this.parts = new PartService({ ...common, memberAddresses });
    this.nodeService = new NodeService(common);
    this.hostService = new HostService(common);
    this.certificates = new CertificateService({ ...common, sealer });
    const subnets = new SubnetService({ ...common, defaultCidr: '10.0.0.0/24' });
    const { dns = false } = this.#options;
    if (dns !== false) this.#names = dnsNames({ wake, ttlSeconds: 1, nameRestMs: 86_400_000 });
    const names = this.#names;
    this.balancers = new BalancerService({ ...common, subnets, memberAddresses, zone, names });
    const traffic = this.#options.scaling === true ? this.#scale() : undefined;
    const documents = new NodeDocuments({ db, sealer });
    const sessions = new HostSessions({ db, wake, log, documents, ...(traffic === undefined ? {} : { traffic }) });
    const tls = await testMachine(this.#authority, 'loadbalancer', 'control', log);
    this.link = await LinkServer.listen({
      ...{ host: '127.0.0.1', port: 0, tls, role: 'lbhost', log },
      open: (peer) => sessions.open(peer),
    });
    this.watcher = new HostWatcher({ db, wake, log });
    this.watcher.start();
    const settings = { ...usualHealing, ...this.#options.settings };
    if (dns !== false) {
      this.dns = await nameServers[dns === true ? 'PowerDNS' : dns]();
      const { place, key } = this.dns;
      const servers = [new Rfc2136Server({ place, key, timeoutMs: 1_000 })];
      this.#queues.push(createPublishQueue({ db, wake, servers }));
      this.#queues.push(createServerQueue({ db, wake, log, servers }));
      this.#queues.push(createDriftQueue({ db, wake, log, servers, intervalMs: 5_000 }));
    }
    this.#queues.push(createReconcileQueue({ db, wake, names: this.#names, settings }));
    await this.addWorker();
    for (const name of ['one', 'two', 'three']) {
      const server = createServer((_, response) => response.end(name));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      this.webs.push({ server, port: (server.address() as AddressInfo).port });
    }
  }

  #scale(): TrafficRecorder {
    const { ground } = this;
    const { redisPath, redisPrefix } = this.database;
    const redis = createRedis({ path: redisPath }, { log: ground.log });
    this.#redis = redis;
    this.#queues.push(...createScalingWork({ ...ground, redis, redisPrefix }, { changedMs: 86_400_000 }).queues);
    const seconds = new TrafficSeconds({ redis, redisPrefix });
    const statistics = new StatisticsStore({ redis, redisPrefix });
    return new TrafficRecorder({ db: ground.db, seconds, statistics, registry: new Registry() });
  }

  async addWorker(): Promise<Worker> {
    const worker = new Worker(this.ground, this.#queues);
    await worker.start();
    this.#workers.add(worker);
    return worker;
  }

  get database(): TestDatabase {
    if (this.#place === undefined) throw new Error("the database is its caller's");
    return this.#place;
  }

  get workers(): readonly Worker[] {
    return [...this.#workers];
  }

  async endWorker(worker: Worker): Promise<void> {
    this.#workers.delete(worker);
    await worker.stop();
  }

  /** The credentials that a host enrolls with. */
  machine(name: string): Promise<TestMachine> {
    return testMachine(this.#authority, 'lbhost', name, this.ground.log);
  }

  /** Adds a new host, or restarts one whose process has ended. Its record matches its report and is released. */
  async addHost(name: string): Promise<WorldHost> {
    const { log } = this.ground;
    const known = this.hosts.get(name);
    const index = known?.index ?? this.hosts.size + 1;
    const machine = known?.machine ?? (await this.machine(name));
    const entry: WorldHost = known ?? {
      name,
      index,
      machine,
      folder: join(this.folder, name),
      confinementFault: null,
      host: undefined,
    };
    this.hosts.set(name, entry);
    const range = `127.${this.network.part}.${index}.0/24`;
    await this.ground.db.transaction((tx) =>
      recordHost(tx, machine.id, { provider: 'LOOPBACK', publicRange: range, healthPort: this.healthPort }),
    );
    const programs = { haproxy: '/usr/sbin/haproxy', keepalived: '/usr/sbin/keepalived' };
    const confinement = await Confinement.open({
      ...{ folder: entry.folder, programs: Object.values(programs), firstUid: usualFirstUid },
    });
    entry.confinementFault = confinement.fault;
    entry.host = await LbHost.open({
      ...{ folder: entry.folder, ...programs, confinement, provider: new LoopbackProvider() },
      facts: {
        ...{ provider: 'LOOPBACK', site: null, tunnelAddress: null, maxNodes: 20, healthPort: this.healthPort },
        ...{ publicRange: range, managementRange: range },
      },
      urls: [`wss://127.0.0.1:${this.link.port}/link`],
      ...{ tls: machine, log, addressesOf: () => [] },
    });
    entry.host.start();
    return entry;
  }

  /** Ends the host's process. Its nodes keep serving. */
  async stopHost({ name }: WorldHost): Promise<void> {
    const entry = this.hosts.get(name);
    const host = entry?.host;
    if (entry !== undefined) entry.host = undefined;
    await host?.stop();
  }

  /** Loses the whole machine with everything that ran on it. */
  async loseHost(host: WorldHost): Promise<void> {
    await this.stopHost(host);
    await endProcessesOf(host.folder);
  }

  hostOf(node: NodeRow): WorldHost {
    const found = [...this.hosts.values()].find(({ machine }) => machine.id === node.hostId);
    if (found === undefined) throw new Error(`the node ${node.name} is on no host`);
    return found;
  }

  /** Signals the HAProxy of each of these nodes, master and worker, at the same moment. */
  async signal(nodes: NodeRow | readonly NodeRow[], signal: NodeJS.Signals): Promise<void> {
    const folders = [nodes].flat().map((node) => join(this.hostOf(node).folder, 'nodes', node.name));
    for (const pid of (await Promise.all(folders.map((folder) => processesOf(folder)))).flat()) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has already ended.
      }
    }
  }

  /** Creates an HTTP load balancer with these web servers as members. Default: all. */
  async create(name: string, nodes: number, port: number, webs = this.webs, more: object = {}): Promise<string> {
    const input = {
      ...{ name, projectId: encodeId('Project', this.projectId), minNodes: nodes, maxNodes: 8 },
      listeners: [{ protocol: 'HTTP', port, defaultPool: 'web' }],
      pools: [
        {
          ...{ name: 'web', memberProtocol: 'HTTP', drainMs: 500 },
          members: webs.map((web) => ({ host: '127.0.0.1', port: web.port })),
          healthMonitor: { monitorType: 'HTTP', intervalMs: 200, timeoutMs: 100 },
        },
      ],
      ...more,
    } as unknown as LoadBalancerCreateInput;
    const { entity, userErrors } = await this.balancers.create(this.context, input);
    if (entity === undefined || entity === null) throw new Error(JSON.stringify(userErrors));
    return entity.id;
  }

  async balancer(id: string): Promise<BalancerRow> {
    const row = await readBalancer(this.ground.db, id);
    if (row === undefined) throw new Error('there is no such load balancer');
    return row;
  }

  /** Nodes without deleted ones, oldest first. */
  async nodes(id: string): Promise<readonly NodeRow[]> {
    return (await nodesOf(this.ground.db, [id])).get(id) ?? [];
  }

  untilActive(id: string): Promise<true> {
    return waitFor('ACTIVE', async () => (await this.balancer(id)).provisioningStatus === 'ACTIVE' && (true as const));
  }

  /** The DNS answer, sorted. */
  async answer(id: string): Promise<readonly string[]> {
    return (await this.dns?.dig((await this.balancer(id)).hostName, 'A')) ?? [];
  }

  async close(): Promise<void> {
    for (const host of this.hosts.values()) await this.stopHost(host);
    await endProcessesOf(this.folder);
    for (const worker of this.#workers) await worker.stop();
    await this.link.stop();
    await this.watcher.stop();
    await this.dns?.remove();
    this.#redis?.disconnect();
    await this.ground.stop();
    await this.#place?.drop();
    for (const { server } of this.webs) {
      server.closeAllConnections();
      server.close();
    }
    this.network.release();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The worker role: carries out owed work without Redis, and checks nodes. */
class Worker {
  readonly #ground: LocalContext;
  readonly #queues: readonly OwedQueue[];
  readonly #leases: Leases;
  readonly #selfCheck = new SelfCheck({ timeoutMs: 1_000 });
  readonly #guard = new StarvationGuard({ now: () => performance.now() });
  readonly #engine: CheckEngine<never>;
  #working: Promise<unknown> | undefined;
  #stopped = false;
  /** While true it does no owed work. */
  paused = false;

  constructor(ground: LocalContext, queues: readonly OwedQueue[]) {
    this.#ground = ground;
    this.#queues = queues;
    const { db, wake, log, egress } = ground;
    const owner = newUuid();
    this.#leases = new Leases({ db, owner, log, ttlMs: 3_000, renewMs: 1_000 });
    this.#engine = new CheckEngine({
      tenant: createNodeChecks({ db, wake, egress, settings: usualNodeChecks }),
      ...{ leases: this.#leases, owner, log, guard: this.#guard, selfCheck: this.#selfCheck, egress },
      metrics: createCheckMetrics(new Registry()),
    }) as unknown as CheckEngine<never>;
  }

  async start(): Promise<void> {
    await this.#selfCheck.start();
    this.#guard.start();
    this.#engine.start();
    this.#working = Promise.all(this.#queues.map((queue) => this.#work(queue)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#working;
    await this.#engine.stop();
    this.#guard.stop();
    await this.#selfCheck.stop();
    await this.#leases.stop();
  }

  async #work(queue: OwedQueue): Promise<void> {
    const { db } = this.#ground;
    const options = queue.retry === undefined ? {} : { retry: queue.retry };
    const owed = new OwedWork({ db, claimMs: queue.deadlineMs + 5_000, ...options });
    while (!this.#stopped) {
      await this.#round(queue, owed).catch(() => undefined);
      await sleep(15);
    }
  }

  async #round(queue: OwedQueue, owed: OwedWork): Promise<void> {
    if (this.paused) return;
    for (const { kind, key } of await owed.dueRows({ kinds: [queue.kind], limit: 20 })) {
      const job = await owed.claim(kind, key);
      if (job === undefined) continue;
      await queue.run(job, { signal: AbortSignal.timeout(queue.deadlineMs) }).catch(async (error: unknown) => {
        if (error instanceof OwedWorkLostError) return;
        this.#ground.log.warn({ err: error, kind, key }, 'a job failed');
        await owed.fail(job, error);
      });
    }
  }
}

async function processesOf(folder: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1);
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, at) => lines[at]?.includes(`${folder}/`));
}
