// Everything on one machine: the data folder, private MariaDB and Redis (and PowerDNS) under supervision, all roles, the lab with its firewall
// as a first backend, and the accounts of a first start.
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { openDataFolder } from '../embedded/data-folder.ts';
import { startMariadb } from '../embedded/mariadb.ts';
import { startRedis } from '../embedded/redis.ts';
import { supervise } from '../embedded/supervise.ts';
import { BalancerSetup, balancerSettings } from '../lab/control-plane/balancers.ts';
import { ClustersSetup } from '../lab/control-plane/clusters.ts';
import { openControl } from '../lab/control-plane/control.ts';
import { InboxSetup } from '../lab/control-plane/inbox.ts';
import { endLeftOver, Lab } from '../lab/control-plane/lab.ts';
import { SitesSetup } from '../lab/control-plane/sites.ts';
import type { DeviceName } from '../lab/device.ts';
import type { LabSource } from '../lab/lab-source.ts';
import { signFirst } from '../platform/audit/ends.ts';
import { Database, type DatabaseLocation } from '../platform/database/database.ts';
import { migrate } from '../platform/database/migrate.ts';
import { endAllLeases } from '../platform/leases/ended-leases.ts';
import { createLogger, type Logger } from '../platform/log/log.ts';
import { type Config, type ConfigSources, readConfig, rolesOf } from '../platform/process/config.ts';
import type { SubgraphRow } from '../platform/process/subgraph-row.ts';
import { fileExists, writeWhole } from '../platform/secrets/key-file.ts';
import { KeyFolder, keyFilePath } from '../platform/secrets/key-folder.ts';
import { makeKeys } from '../platform/secrets/make-keys.ts';
import { atMost } from '../platform/work/within.ts';
import { subgraphRows } from '../subgraphs/rows.ts';
import { watchBusyMachine } from './busy-machine.ts';
import { egressOfLab } from './egress.ts';
import { firstAccounts } from './first-accounts.ts';
import { ownersOf } from './owners.ts';
import { dataVersion } from './places.ts';
import { startPrivateDns } from './private-dns.ts';
import { type RunningProcess, startProcess } from './process.ts';
import { isUnbound, resealAll } from './reseal.ts';
import { describeStart } from './start-summary.ts';
import { startTogether } from './start-together.ts';

/** Time that a start waits for the lab's parts. */
const slowPartMs = 15_000;

export interface AllInOneOptions {
  readonly config: Config;
  /** The settings as they are now, for a reload of the graph. Throws ConfigError. If absent, the graph is fixed. */
  readonly readSettings?: () => Config;
  readonly dataPath: string;
  readonly withLab: boolean;
  /** Default: the devices of the last start. */
  readonly labDevices?: readonly DeviceName[] | undefined;
  /** The source of the lab's parts that need root. Default: this process. */
  readonly labSource?: LabSource;
  /** All subgraphs. Default: those of subgraphs/rows.ts. */
  readonly rows?: readonly SubgraphRow[];
  readonly signal: AbortSignal;
  /** Opens the log in the data folder, which this process owns by then. Default: JSON lines on `stdout`. */
  readonly openLog?: (dataPath: string) => { readonly log: Logger; readonly path: string };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  /** Whether the summary has a link that logs the administrator in once. Default: no. */
  readonly givesLoginCode?: boolean;
}

export interface AllInOne {
  /** The running parts, for display. */
  readonly summary: string;
  readonly process: RunningProcess;
  /** Location of the private MariaDB, for tools. */
  readonly database: DatabaseLocation;
  /** Undefined if there is none. */
  readonly lab: Lab | undefined;
  stop(): Promise<void>;
}

/** The settings of an all-in-one run. The parts that it starts itself can't be set. */
export function allInOneConfig(sources: ConfigSources, rows: readonly SubgraphRow[] = subgraphRows): Config {
  const roles = rolesOf(rows).standard.join(',');
  return readConfig({ ...sources, flags: { 'log.level': 'info', ...sources.flags, roles } }, rows);
}

/** Starts everything. After a failure it stops the started parts. Throws SetupError, ConfigError, system errors. */
export async function startAllInOne(options: AllInOneOptions): Promise<AllInOne> {
  const stack = new AsyncDisposableStack();
  try {
    const started = await startComponents(options, stack);
    return { ...started, stop: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function startComponents(options: AllInOneOptions, stack: AsyncDisposableStack): Promise<Omit<AllInOne, 'stop'>> {
  const { config, signal, stdout, rows = subgraphRows } = options;
  await refuseTakenPort(config);
  const folder = await openDataFolder(options.dataPath, { version: dataVersion });
  stack.defer(() => folder.close());
  const opened = options.openLog?.(folder.path);
  const log = opened?.log ?? createLogger({ level: config['log.level'], pretty: false, destination: stdout });
  const busy = watchBusyMachine({ log });
  stack.defer(() => busy.stop());

  const lab = options.withLab
    ? await Lab.open({
        ...{ dataPath: folder.path, asked: options.labDevices, log, signal },
        ...(options.labSource === undefined ? {} : { rootSource: options.labSource }),
      })
    : undefined;
  const [mariadb, redis, dns] = await startServers(options, stack, { folder, log, lab });
  const database = mariadb.current.application;
  const keys = await prepareDatabase(database, { folder, log, roles: config.roles, rows });
  const whole: Config = {
    ...config,
    'database.socketPath': database.socketPath,
    'database.user': database.user,
    'database.password': database.password,
    'database.name': database.database,
    'database.dataFolder': folder.path,
    'redis.path': redis.current.path,
    'keys.folder': keys,
    ...dns?.settings,
    ...(lab === undefined ? {} : await balancerSettings(config, rows, folder)),
    ...(lab?.hasDevices === true ? egressOfLab(config) : {}),
  };
  signal.throwIfAborted();
  const { readSettings: read } = options;
  const settings = read === undefined ? {} : { settings: { given: config, read } };
  const labServes = Promise.withResolvers<void>();
  // Runs before the process is ready: a client that sees it ready may request the lab.
  const control = lab && (await openControl(folder, lab, labServes.promise));
  stack.defer(async () => control?.stop());
  const running = await startProcess(whole, log, { rows, lab: lab?.places, ...settings });
  stack.defer(() => running.stop());

  if (running.access === undefined) throw new Error('an all-in-one process has the role system');
  const accounts = await firstAccounts(running.access, folder.path);
  if (running.url !== undefined) {
    const file = join(folder.path, 'url');
    await writeWhole(file, `${callable(running.url)}\n`, 0o644);
    stack.defer(() => rm(file, { force: true }));
  }
  if (lab !== undefined) {
    const setup = { config: whole, rows, folder, running, startProcess, lab: lab.places, log, signal };
    await serveLab(lab, stack, setup, accounts.token);
    labServes.resolve();
    // Stops before its parts.
    stack.defer(async () => control?.stop());
  }
  const loginCode = options.givesLoginCode ? await running.access.firstStart.issueLoginCode('admin') : undefined;
  return {
    summary: describeStart({
      ...{ url: running.url ?? '', loginCode, ...accounts, dataPath: folder.path, logPath: opened?.path },
      ...{ roles: config.roles, mariadb: database.socketPath, redis: redis.current.path, lab: lab?.list() },
    }),
    process: running,
    database: mariadb.current.application,
    lab,
  };
}

type Folder = Awaited<ReturnType<typeof openDataFolder>>;

interface ServerPlace {
  readonly folder: Folder;
  readonly log: Logger;
  readonly lab: Lab | undefined;
}

function startServers(
  { config, labSource, signal, rows = subgraphRows }: AllInOneOptions,
  stack: AsyncDisposableStack,
  { folder, log, lab }: ServerPlace,
) {
  return startTogether(stack, signal, (start) => [
    start(
      (giveUp) =>
        supervise('MariaDB', (ending) => startMariadb({ folder, log, signal: AbortSignal.any([giveUp, ending]) }), {
          log,
        }),
      (server) => server.stop(),
    ),
    start(
      (giveUp) =>
        supervise('Redis', (ending) => startRedis({ folder, log, signal: AbortSignal.any([giveUp, ending]) }), { log }),
      (server) => server.stop(),
    ),
    start(
      (giveUp) => startPrivateDns(config, rows, { folder, log, signal: giveUp }),
      async (server) => server?.stop(),
    ),
    start(
      async () => {
        // This process owns the folder now, so the remains of a lab in it have no owner.
        await endLeftOver({ dataPath: folder.path, rootSource: labSource, log, signal });
        await lab?.begin();
      },
      async () => lab?.stop(),
    ),
  ]);
}

interface DatabaseWork {
  readonly folder: Folder;
  readonly log: Logger;
  readonly roles: Config['roles'];
  readonly rows: readonly SubgraphRow[];
}

/** Its tables, and the keys of what is in them. Returns the folder of the keys. */
async function prepareDatabase(location: DatabaseLocation, work: DatabaseWork): Promise<string> {
  const { folder, log, roles, rows } = work;
  await migrate(location, ownersOf(roles, rows));
  await endLeases(location);
  const keys = await folder.subfolder('keys');
  const isNew = !(await fileExists(keyFilePath(keys, 'audit')));
  await makeKeys(keys);
  if (isNew) await signTrail(location, keys, log);
  const sealing = keyFilePath(keys, 'sealing');
  if (await isUnbound(sealing)) await bindSecrets(location, sealing, rows, log);
  return keys;
}

type LabSetup = ConstructorParameters<typeof BalancerSetup>[0] & { readonly running: RunningProcess };

async function serveLab(lab: Lab, stack: AsyncDisposableStack, setup: LabSetup, token: string): Promise<void> {
  const { running, signal } = setup;
  const setups = {
    ...{ balancers: new BalancerSetup(setup), sites: new SitesSetup(setup) },
    clusters: new ClustersSetup(setup),
    inbox: new InboxSetup({ running, token, signal }),
  };
  for (const each of Object.values(setups)) stack.defer(() => each.stop());
  // A first download takes longer than a start may. The start then continues, and the part is added later.
  await atMost(slowPartMs, lab.serve({ running, token, signal, setups }));
}

/** Only the process with the folder's lock works here, so leases of earlier starts have no holder. */
async function endLeases(connection: DatabaseLocation): Promise<void> {
  const db = new Database({ connection, connectionLimit: 1 });
  try {
    await endAllLeases(db);
  } finally {
    await db.close();
  }
}

/** For a data folder from before keys existed: signs its existing audit trail. */
async function signTrail(connection: DatabaseLocation, keys: string, log: Logger): Promise<void> {
  const folder = new KeyFolder({ folder: keys, log });
  const db = new Database({ connection, connectionLimit: 1 });
  try {
    await signFirst(db, { signingKeys: await folder.signing('audit'), publicKeys: await folder.publicKeys() });
  } finally {
    await db.close();
  }
}

/** For a data folder from before secrets were bound to their place: binds them to their present place. */
async function bindSecrets(
  connection: DatabaseLocation,
  file: string,
  rows: readonly SubgraphRow[],
  log: Logger,
): Promise<void> {
  const db = new Database({ connection, connectionLimit: 2 });
  try {
    const { trusted, failed } = await resealAll({ db, file, rows });
    if (trusted.length > 0) log.warn({ trusted }, 'stored credentials are now bound to the address of their backend');
    if (failed.length > 0) log.error({ failed }, 'stored credentials could not be resealed: send them again');
  } finally {
    await db.close();
  }
}

/** Reports a taken port before anything is started. The gateway's own listen has the final say. */
async function refuseTakenPort(config: Config): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(config['listen.port'], config['listen.host'], () => probe.close(() => resolve()));
  });
}

/** The URL that clients on this machine read in the data folder. */
function callable(listening: string): string {
  return listening.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}
