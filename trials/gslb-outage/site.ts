// A complete GSLB in which each part is a process that can fail: MariaDB, Redis, PowerDNS, conductors, workers, checkers of three vantage
// points and name servers, with endpoints that die and recover.
// needs: system
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { ownersOf } from '../../compose/owners.ts';
import { redisPrefix } from '../../compose/places.ts';
import { type DataFolder, openDataFolder } from '../../embedded/data-folder.ts';
import { startMariadb } from '../../embedded/mariadb.ts';
import { startRedis } from '../../embedded/redis.ts';
import { killQuietly } from '../../embedded/server-process.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { CommandChild } from '../../measure/command-child.ts';
import type { DatabaseLocation } from '../../platform/database/database.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { setCheckerRecord } from '../../platform/machines/checker-record.ts';
import type { CertificateAndKey } from '../../platform/net/certificates.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { type NameServer, zone as plainZone, powerdns } from '../../tests/dns/support/name-servers.ts';
import { GslbPlace, zone } from '../../tests/subgraphs/gslb/support/gslb-place.ts';
import { testEgressSettings } from '../../tests/support/machine/egress.ts';
import { freePort } from '../../tests/support/machine/free-port.ts';
import { waitFor } from '../../tests/support/machine/temporary-folder.ts';
import { type TestMachine, testAuthority, testMachine } from '../../tests/support/product/machines.ts';
import { LocalContext } from '../../tests/support/product/test-context.ts';
import { SiteServer } from '../lb-heal/site.ts';
import { Endpoint } from './endpoints.ts';
import { Outside, type OutsideOptions } from './outside.ts';
import type { Program } from './program.ts';
import { Subscriber } from './subscriber.ts';
import { Way } from './way.ts';

export interface SiteSize {
  readonly endpoints: number;
  readonly conductors: number;
  readonly workers: number;
  readonly nameServers: number;
  /** Per vantage point. */
  readonly checkers: number;
  /** Names. Default: three vantage points. */
  readonly vantagePoints?: readonly string[];
  /** Whether clients follow the graph, through a gateway; default false. */
  readonly gateway?: boolean;
  /** Delay of the monitor; default 1,000. */
  readonly delayMs?: number;
}

type SiteOptions = SiteSize & OutsideOptions;

const mostStarts = 5;
const usualVantagePoints = ['eu', 'us', 'ap'];
const script = fileURLToPath(new URL('./program.ts', import.meta.url));
const pdns = 'powerdns';

/** A process of the trial with its network path to the others. */
export class Part {
  readonly name: string;
  readonly child: CommandChild;
  /** Undefined if it has no separate path. */
  readonly way: Way | undefined;
  /** UUID of its machine. */
  readonly machineId: string;
  /** For conductors: the process's name in rows. */
  owner = '';

  constructor(name: string, child: CommandChild, machineId: string, way?: Way) {
    this.name = name;
    this.child = child;
    this.machineId = machineId;
    this.way = way;
  }

  /** Returns its facts. It retries like a service manager, because on a busy machine a process may time out and exit before it works. */
  async start(): Promise<object> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const said = (await this.child.start()) as { owner?: string };
        this.owner = said.owner ?? '';
        return said;
      } catch (error) {
        if (attempt === mostStarts) throw error;
      }
    }
  }
}

export class Site {
  readonly conductors: Part[] = [];
  readonly workers: Part[] = [];
  readonly checkers: Part[] = [];
  readonly nameServers: Part[] = [];
  readonly endpoints: Endpoint[] = [];
  /** UUIDs of their members, in the same order. */
  readonly memberIds: string[] = [];
  readonly outside: Outside;
  /** If requested: the gateway's process, and a client that follows it. */
  gateway: Part | undefined;
  subscriber: Subscriber | undefined;
  ground!: LocalContext;
  mariadb!: SiteServer<Awaited<ReturnType<typeof startMariadb>>>;
  redis!: SiteServer<Awaited<ReturnType<typeof startRedis>>>;
  powerdns!: NameServer;
  /** Ports for checkers. */
  readonly checkerPorts: number[] = [];
  /** UUID of the name in the zone on our own name servers. */
  nameId = '';
  readonly #folder: string;
  readonly #data: DataFolder;
  readonly #size: SiteSize;
  #authority: Promise<CertificateAndKey> | undefined;

  private constructor(folder: string, data: DataFolder, options: SiteOptions) {
    this.#folder = folder;
    this.#data = data;
    this.#size = options;
    this.outside = new Outside(options);
  }

  static async open(options: SiteOptions): Promise<Site> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'gslb-outage-')));
    const data = await openDataFolder(join(folder, 'data'), { version: 1 });
    const site = new Site(folder, data, options);
    try {
      await site.#start();
      return site;
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  get powerdnsName(): string {
    return pdns;
  }

  async #start(): Promise<void> {
    const folder = this.#data;
    this.mariadb = await SiteServer.of(() =>
      startMariadb({ folder, log: silentLog, extraArguments: ['--max-connections=200'] }),
    );
    this.redis = await SiteServer.of(() => startRedis({ folder, log: silentLog }));
    const connection = this.mariadb.running.application;
    await migrate(connection, ownersOf(['gslb', 'system'], subgraphRows));
    const redis = { path: this.redis.running.path, prefix: redisPrefix };
    this.ground = new LocalContext({ connection, connectionLimit: 6 }, { redis });
    const projectId = this.#size.gateway === true ? await this.#openGateway(connection) : undefined;
    await this.#fill(projectId);
    this.powerdns = await powerdns();
    const shared = { connection, redis };
    const credentials = async (role: string, name: string, vantagePoint?: string) => {
      const { id, cert, key, ca } = await this.machine(role, name, vantagePoint);
      return { id, tls: { cert, key, ca } };
    };
    const { conductors, workers, checkers, nameServers, vantagePoints = usualVantagePoints } = this.#size;
    const ports: { readonly checkerPort: number; readonly dnsPort: number }[] = [];
    for (let number = 1; number <= conductors; number += 1) {
      const own = { checkerPort: await freePort(), dnsPort: await freePort() };
      ports.push(own);
      this.checkerPorts.push(own.checkerPort);
      const { id, tls } = await credentials('gslb', `conductor-${number}`);
      this.conductors.push(this.#part(`conductor-${number}`, { kind: 'conductor', ...shared, ...own, tls }, id));
    }
    const { place, keyFile } = this.powerdns;
    const servers = { 'dns.servers': [`${place.address}:${place.port}`], 'dns.tsigKeyFile': keyFile };
    const settings = { ...servers, 'dns.lookIntervalMs': 5_000 };
    for (let number = 1; number <= workers; number += 1)
      this.workers.push(this.#part(`worker-${number}`, { kind: 'worker', ...shared, settings }));
    const wayTo = async (port: 'checkerPort' | 'dnsPort') => {
      const way = await Way.open(ports.map((each) => each[port]));
      return { way, urls: way.ports.map((each) => `wss://127.0.0.1:${each}/link`) };
    };
    for (const vantagePoint of vantagePoints)
      for (let number = 1; number <= checkers; number += 1) {
        const name = `checker-${vantagePoint}-${number}`;
        const { id, tls } = await credentials('checker', name, vantagePoint);
        const { way, urls } = await wayTo('checkerPort');
        this.checkers.push(this.#part(name, { kind: 'checker', vantagePoint, urls, tls }, id, way));
      }
    const dnsPorts: number[] = [];
    for (let number = 1; number <= nameServers; number += 1) {
      const name = `ns${number}`;
      const { id, tls } = await credentials('dns', name);
      const { way, urls } = await wayTo('dnsPort');
      const port = await freePort();
      dnsPorts.push(port);
      const own = { kind: 'nameServer', name, port, folder: join(this.#folder, name), urls, tls } as const;
      this.nameServers.push(this.#part(name, own, id, way));
    }
    // They start one after the other, because in parallel they would starve each other.
    for (const part of this.#parts()) await part.start();
    for (const [at, { name }] of this.nameServers.entries())
      await this.outside.add({ name, port: dnsPorts[at] ?? 0, fqdn: `shop.${zone}` });
    await this.outside.add({ name: pdns, port: place.port, fqdn: `shop.${plainZone}` });
    // Without checkers the caller reports the state of endpoints.
    if (checkers > 0) await this.untilRight();
  }

  /** UUID of the project whose members it shows. */
  async #openGateway(connection: DatabaseLocation): Promise<string> {
    const keys = join(this.#folder, 'keys');
    await makeKeys(keys);
    const { socketPath = '', user, password, database } = connection;
    const flags = {
      ...{ roles: 'gateway,system,gslb', 'listen.port': String(await freePort()), 'keys.folder': keys },
      ...{ 'database.socketPath': socketPath, 'database.user': user, 'database.password': password },
      ...{ 'database.name': database, 'redis.path': this.redis.running.path, ...testEgressSettings },
    };
    this.gateway = this.#part('gateway', { kind: 'gateway', folder: join(this.#folder, 'accounts'), flags });
    const { url, token, projectId } = (await this.gateway.start()) as {
      readonly url: string;
      readonly token: string;
      readonly projectId: string;
    };
    this.subscriber = new Subscriber({ url, token });
    await this.subscriber.start();
    return projectId;
  }

  /** From now on faults count. */
  async untilRight(): Promise<void> {
    await waitFor('all name servers to answer with what lives', () => this.isRight());
    this.outside.begin();
  }

  /** Credentials for a machine of the site. `vantagePoint`: the one in a checker's record. */
  async machine(role: string, name: string, vantagePoint?: string): Promise<TestMachine> {
    this.#authority ??= testAuthority();
    const machine = await testMachine(await this.#authority, role, name, pino({ level: 'silent' }));
    if (vantagePoint !== undefined)
      await this.ground.db.transaction((tx) => setCheckerRecord(tx, machine.id, { vantagePoint }));
    return machine;
  }

  /** Creates the name in a zone of our own name servers and in one of PowerDNS, with the same pool. */
  async #fill(projectId: string | undefined): Promise<void> {
    const place = await GslbPlace.on(this.ground, projectId);
    const { db } = this.ground;
    const { vantagePoints = usualVantagePoints, delayMs = 1_000, endpoints } = this.#size;
    await db.execute(
      `UPDATE gslb_monitor SET type = 'HTTP', spec = JSON_SET(spec, '$.type', 'HTTP', '$.parameters', JSON_OBJECT('path', '/health'),
        '$.delayMs', ?, '$.timeoutMs', ?)`,
      [delayMs, Math.min(delayMs, 500)],
    );
    for (const name of vantagePoints) await place.vantagePointWithout(name);
    const port = await freePort();
    for (let number = 1; number <= endpoints; number += 1) {
      const endpoint = new Endpoint(`127.95.0.${number}`, port);
      await endpoint.start();
      this.endpoints.push(endpoint);
      this.memberIds.push(await place.member(`endpoint-${number}`, { addresses: [endpoint.address], port }));
    }
    this.nameId = await place.name('shop');
    await db.execute(`INSERT INTO gslb_zone (name, id, backend_type) VALUES (?, ?, 'RFC2136')`, [plainZone, newUuid()]);
    await place.name('shop', {}, [place.poolId], plainZone);
  }

  #part(name: string, program: Program, machineId = '', way?: Way): Part {
    return new Part(
      name,
      new CommandChild({ script, file: join(this.#folder, `${name}.json`), program }),
      machineId,
      way,
    );
  }

  #parts(): readonly Part[] {
    return [...this.conductors, ...this.workers, ...this.checkers, ...this.nameServers];
  }

  /** Addresses of the live endpoints, sorted. */
  living(): readonly string[] {
    return this.endpoints.flatMap(({ lives, address }) => (lives ? [address] : [])).sort();
  }

  /** Whether every name server's last answer has exactly the live endpoints. */
  isRight(): boolean {
    const wanted = this.living().join();
    return this.outside.names.every((name) => this.outside.last(name)?.addresses.join() === wanted);
  }

  async close(): Promise<void> {
    this.outside.close();
    await this.subscriber?.stop();
    await this.gateway?.child.kill();
    for (const { child, way } of this.#parts()) {
      await child.kill();
      way?.close();
    }
    if (this.powerdns !== undefined) killQuietly(this.powerdns.pid, 'SIGCONT');
    await this.powerdns?.remove().catch(() => undefined);
    for (const server of [this.mariadb, this.redis])
      if (server !== undefined) killQuietly(server.running.pid, 'SIGCONT');
    await this.ground?.stop();
    await Promise.all([this.redis?.running.stop(), this.mariadb?.running.stop()]);
    for (const endpoint of this.endpoints) await endpoint.die();
    await this.#data.close();
    await rm(this.#folder, { recursive: true, force: true });
    if (!this.#data.socketFolder.startsWith(this.#folder))
      await rm(this.#data.socketFolder, { recursive: true, force: true });
  }
}
