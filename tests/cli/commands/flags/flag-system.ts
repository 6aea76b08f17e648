// The system for the test of every option, in this process: all subgraphs behind a gateway, each on a real database; a load balancer host
// whose nodes are real HAProxies; a cluster of object storage; a simulated FortiGate.
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type RunningProcess, startProcess } from '../../../../compose/process.ts';
import { Database } from '../../../../platform/database/database.ts';
import { createLogger } from '../../../../platform/log/log.ts';
import { makeAuthority } from '../../../../platform/machines/authority.ts';
import type { CertificateAndKey } from '../../../../platform/net/certificates.ts';
import { readConfig } from '../../../../platform/process/config.ts';
import { openKeyring } from '../../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../../platform/secrets/seal.ts';
import { FortiGate } from '../../../../simulators/fortios/fortigate.ts';
import { Controller } from '../../../../subgraphs/object-storage/agents/controller/controller.ts';
import { ObjectResolver } from '../../../../subgraphs/object-storage/agents/resolver/object-resolver.ts';
import { ObjectServer } from '../../../../subgraphs/object-storage/agents/server/object-server.ts';
import { serverRole } from '../../../../subgraphs/object-storage/engine/peers/peer-wire.ts';
import { openClusterKey } from '../../../../subgraphs/object-storage/engine/store/cluster-key.ts';
import { controllerRole } from '../../../../subgraphs/object-storage/wire/controller-wire.ts';
import { resolverRole } from '../../../../subgraphs/object-storage/wire/resolve-wire.ts';
import { subgraphRows } from '../../../../subgraphs/rows.ts';
import { storeDatabase } from '../../../subgraphs/object-storage/engine/store/store-database.ts';
import { ScriptedController } from '../../../subgraphs/object-storage/support/scripted-controller.ts';
import { testEgressSettings } from '../../../support/machine/egress.ts';
import { freePort } from '../../../support/machine/free-port.ts';
import { endProcessesOf } from '../../../support/machine/left-processes.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import { testMachine } from '../../../support/product/machines.ts';
import { accountsOf, type SystemPlace, systemPlace } from '../../../support/product/running-system.ts';
import type { TestDatabase } from '../../../support/stores/database.ts';

const log = createLogger({ level: process.env.TEST_LOG ?? 'silent', pretty: false });
const roles = 'gateway,system,worker,relay,loadbalancer,gslb,object-storage';

export const publicRange = '127.94.0.0/24';

export class FlagSystem {
  readonly place: SystemPlace;
  readonly #cleanup = new AsyncDisposableStack();
  readonly #ports = { listen: 0, balancers: 0, objects: 0 };
  #authority: CertificateAndKey = { cert: '', key: '', sha256: '' };
  #process: RunningProcess | undefined;
  #member: Server | undefined;
  #gate: FortiGate | undefined;
  #token = '';

  private constructor(place: SystemPlace) {
    this.place = place;
  }

  /** It has key files, but no process. */
  static async prepare(): Promise<FlagSystem> {
    const system = new FlagSystem(await systemPlace());
    const keys = system.#keys();
    const sha256 = await makeAuthority(keys);
    const [cert, key] = await Promise.all(
      ['pem', 'key'].map((end) => readFile(join(keys, `authority.${end}`), 'utf8')),
    );
    system.#authority = { cert: cert ?? '', key: key ?? '', sha256 };
    for (const name of ['listen', 'balancers', 'objects'] as const) system.#ports[name] = await freePort();
    await writeFile(system.config, JSON.stringify(system.settings()));
    return system;
  }

  /** A path in the folder that is removed after the test. */
  path(name: string): string {
    return join(this.place.folder.path, name);
  }

  /** The file that contains its settings. */
  get config(): string {
    return this.path('settings.json');
  }

  get url(): string {
    return `http://127.0.0.1:${this.#ports.listen}/graphql`;
  }

  /** Of an operator. */
  get token(): string {
    return this.#token;
  }

  get machines(): string {
    return this.path('machines');
  }

  /** Of machines. */
  get authorityFile(): string {
    return join(this.#keys(), 'authority.pem');
  }

  /** Of the administrator. */
  get passwordFile(): string {
    return this.path('accounts/admin.password');
  }

  /** The file in which the worker keeps ends of the audit trail. */
  get anchorFile(): string {
    return this.path('anchors');
  }

  keyFile(name: string): string {
    return join(this.#keys(), `${name}.keys`);
  }

  get gate(): FortiGate {
    if (this.#gate === undefined) throw new Error('not started');
    return this.#gate;
  }

  /** A server that can be a load balancer's member. */
  get member(): string {
    const address = this.#member?.address() as AddressInfo | undefined;
    return `127.0.0.1:${address?.port}`;
  }

  settings(): Record<string, string> {
    return {
      ...this.place.settings,
      roles,
      'listen.port': String(this.#ports.listen),
      'internal.machineFolder': this.machines,
      'objectStorage.linkPort': String(this.#ports.objects),
      'loadbalancer.linkPort': String(this.#ports.balancers),
      'audit.anchorFile': this.anchorFile,
      'gslb.dnsPort': '0',
      'relay.checkIntervalMs': '500',
    };
  }

  /** Its machines have their credentials. */
  async start(): Promise<void> {
    this.#process = await this.#run(this.settings());
    this.#token = await accountsOf(this.place, this.#process);
    this.#gate = await FortiGate.start();
    this.#cleanup.defer(() => this.#gate?.stop());
    const member = createServer((_, response) => response.end('of the member')).listen(0, '127.0.0.1');
    this.#member = member;
    this.#cleanup.defer(() => {
      member.closeAllConnections();
      member.close();
    });
  }

  /** A host of load balancers, with the credentials of `tidegate join` in the folder. */
  async startHost(machineFolder: string, healthPort: number): Promise<RunningProcess> {
    return this.#run({
      ...{ roles: 'lbhost', 'internal.machineFolder': machineFolder, ...testEgressSettings },
      'lbhost.controlUrls': `wss://127.0.0.1:${this.#ports.balancers}/link`,
      ...{ 'lbhost.provider': 'loopback', 'lbhost.publicRange': publicRange, 'lbhost.healthPort': String(healthPort) },
      'lbhost.folder': this.path('host'),
    });
  }

  async #run(flags: Readonly<Record<string, string>>): Promise<RunningProcess> {
    const read = () => readConfig({ flags }, subgraphRows);
    const given = read();
    const running = await startProcess(given, log, { settings: { given, read } });
    this.#cleanup.defer(() => running.stop());
    return running;
  }

  /** Settings of a cluster for `clusters measure`, once its controller has connected. */
  async startCluster(name: string, at: ClusterPorts): Promise<string> {
    const connection = await storeDatabase(this.#cleanup);
    const db = new Database({ connection });
    this.#cleanup.defer(() => db.close());
    const sealer = createSealer(await openKeyring(join(this.#keys(), 'sealing.keys')));
    const key = await openClusterKey(db, sealer);
    const common = { db, key, log, version: 'test', name: `${name}-1` };
    const machine = (role: string) => testMachine(this.#authority, role, `${name}-1`, log);
    const folder = this.path(name);
    const server = new ObjectServer({
      ...{ ...common, cluster: name, folder, keepFreeBytes: 0 },
      peers: { host: '127.0.0.1', port: at.peer, tls: await machine(serverRole) },
      s3: { host: '127.0.0.1', port: at.s3, region: 'us-east-1' },
    });
    server.start();
    this.#cleanup.defer(() => server.stop());
    const controller = new Controller({
      ...{ ...common, urls: [`wss://127.0.0.1:${this.#ports.objects}/link`], tls: await machine(controllerRole) },
      endpoint: { host: '127.0.0.1', port: at.controller, tokenMinutes: 60 },
    });
    await controller.start();
    this.#cleanup.defer(() => controller.stop());
    const resolver = new ObjectResolver({
      ...{ db, log, host: '127.0.0.1', port: 0, name: `${name}-1`, version: 'test', tls: await machine(resolverRole) },
    });
    await resolver.start();
    this.#cleanup.defer(() => resolver.stop());
    await waitFor(`${name} to serve`, () => server.s3Url !== undefined);
    const settings = this.path(`${name}.json`);
    const { socketPath, user, password, database } = connection as TestDatabase['connection'];
    const own = { roles: ['objectserver'], objectStore: { folder } };
    await writeFile(settings, JSON.stringify({ ...own, database: { socketPath, user, password, name: database } }));
    return settings;
  }

  /** It reports but copies nothing, so changes of rings that include its cluster stay in progress. */
  async startSilentController(name: string): Promise<void> {
    const machine = await testMachine(this.#authority, controllerRole, name, log);
    const controller = new ScriptedController(machine, this.#ports.objects, log);
    controller.start();
    this.#cleanup.defer(() => controller.stop());
    await waitFor(`${name} to connect`, () => controller.connected);
    controller.keepSaying({});
  }

  async ask<Data>(query: string, variables: object, token?: string): Promise<Data> {
    const credential = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const headers = { 'content-type': 'application/json', ...credential };
    const response = await fetch(this.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
    const { data, errors } = (await response.json()) as { readonly data?: Data; readonly errors?: unknown };
    if (data === undefined || data === null || errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** It must succeed. Returns the id. */
  async make(mutation: string, input: object, token: string, field = mutation.replace(/Create$/, '')): Promise<string> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const query = `mutation ($input: ${type}!) { made: ${mutation}(input: $input) { ${field} { id } userErrors { code message } } }`;
    interface Made {
      readonly made: { readonly userErrors: readonly object[] } & Readonly<
        Record<string, { readonly id: string } | null>
      >;
    }
    const { made } = await this.ask<Made>(query, { input }, token);
    if (made.userErrors.length > 0) throw new Error(`${mutation}: ${JSON.stringify(made.userErrors)}`);
    return made[field]?.id ?? '';
  }

  async stop(): Promise<void> {
    try {
      await this.#cleanup.disposeAsync();
    } finally {
      await endProcessesOf(this.place.folder.path);
      await this.place.remove();
    }
  }

  #keys(): string {
    return this.place.settings['keys.folder'] ?? '';
  }
}

interface ClusterPorts {
  readonly peer: number;
  readonly controller: number;
  readonly s3: number;
}
