// The whole system as separate real processes on this machine: embedded MariaDB and Redis, system and gateway in one process or
// two, relays (the gateway uses the first, the others compete for its leases), a worker, and the lab. Killed ones restart.
// needs: system
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FirstAccounts, firstAccounts } from '../compose/first-accounts.ts';
import { ownersOf } from '../compose/owners.ts';
import { startProcess } from '../compose/process.ts';
import { type DataFolder, openDataFolder } from '../embedded/data-folder.ts';
import { type EmbeddedMariadb, startMariadb } from '../embedded/mariadb.ts';
import { startRedis } from '../embedded/redis.ts';
import { silentLog } from '../embedded/setup-log.ts';
import { type RunningLab, startLab } from '../lab/lab.ts';
import type { DatabaseLocation } from '../platform/database/database.ts';
import { migrate } from '../platform/database/migrate.ts';
import { createLogger } from '../platform/log/log.ts';
import { readConfig } from '../platform/process/config.ts';
import { makeKeys } from '../platform/secrets/make-keys.ts';
import { subgraphRows } from '../subgraphs/rows.ts';
import { testEgressSettings } from '../tests/support/machine/egress.ts';
import { fixedPort } from './fixed-port.ts';
import { type FirewallLimits, registerFirewall } from './lab-firewall.ts';
import { Part } from './part.ts';
import { serve } from './served-process.ts';

export type Settings = Readonly<Record<string, string | number | boolean>>;

interface WholeSystemOptions {
  /** A private data folder, accessible to the user of the embedded servers. */
  readonly folder: string;
  /** Its firewall is the backend `lab-firewall`. */
  readonly lab: boolean;
  /** Default: `lab` in the data folder. */
  readonly labFolder?: string;
  /** Default 2. With 0, the gateway's relay URL has no listener. */
  readonly relays?: number;
  /** `system` and `gateway` are separate processes, instead of `control`; the gateway restarts on its port. */
  readonly gatewayApart?: boolean;
  /** These subgraphs, and the gateway, each run in two processes, `NAME-1` and `NAME-2`, in place of the above. */
  readonly twice?: readonly string[];
  /** Of the lab's firewall. */
  readonly limits?: FirewallLimits;
  /** Further settings of every process, by dotted name. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** The folder of the program that runs the process with that name, asked at each start. Default: this program. */
  readonly program?: (name: string) => string;
  /** Makes the tables and the first accounts. Default: this program. */
  readonly firstStart?: (common: Settings, folder: string) => Promise<FirstAccounts>;
  /** Further environment variables of the process with that name. */
  readonly environment?: (name: string) => Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface WholeSystem {
  /** The gateway's public endpoint, that of the first if there are two. */
  readonly url: string;
  /** Of the subgraphs that the gateway calls over HTTP. */
  readonly subgraphUrls: readonly string[];
  /** An operator's API token. */
  readonly token: string;
  /** UUID of its project. */
  readonly projectId: string;
  readonly connection: DatabaseLocation;
  readonly redisPath: string;
  /** Throws if there is none. */
  readonly lab: RunningLab;
  /** `mariadb`, `redis`, `control` (system and gateway) or `gateway` and `system`, `relay-1` and so on, `worker`. */
  part(name: string): Part;
  readonly parts: readonly Part[];
  /** Leaves no process, namespace or socket; the folder stays. */
  stop(): Promise<void>;
}

/** Throws SetupError, and any other error that prevents a part from starting; started parts are stopped then. */
export async function startWholeSystem(options: WholeSystemOptions): Promise<WholeSystem> {
  const stack = new AsyncDisposableStack();
  try {
    return await start(options, stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function start(options: WholeSystemOptions, stack: AsyncDisposableStack): Promise<WholeSystem> {
  const folder = await openDataFolder(options.folder, { version: 1 });
  stack.defer(() => folder.close());
  const parts: Part[] = [];
  const own = <P extends Part>(part: P): P => {
    parts.push(part);
    stack.defer(() => part.stop());
    return part;
  };
  const mariadb = own(
    await Part.start(
      'mariadb',
      (signal) => startMariadb({ folder, log: silentLog, signal, extraArguments: ['--max-connections=256'] }),
      silentLog,
    ),
  );
  const redis = own(await Part.start('redis', (signal) => startRedis({ folder, log: silentLog, signal }), silentLog));
  const lab = options.lab ? await openLab(options.labFolder ?? join(folder.path, 'lab'), options.signal) : undefined;
  if (lab !== undefined) stack.defer(() => lab.stop());
  const { application } = mariadb.current;
  const common = { ...(await commonSettings(folder, application, redis.current.path)), ...options.settings };
  const accounts = await (options.firstStart ?? firstStartIn(application, options))(common, folder.path);
  const roles = options.twice === undefined ? await rolesOnce(options) : await rolesTwice(options.twice);
  const served = await Promise.all(
    roles.map(async ([name, settings]) => {
      const configFile = join(folder.path, `${name}.json`);
      await writeFile(configFile, JSON.stringify({ ...common, name, ...settings }), { mode: 0o600 });
      const logFile = join(folder.path, `${name}.log`);
      const environment = options.environment?.(name) ?? {};
      const start = (signal: AbortSignal) =>
        serve({ name, configFile, logFile, environment, folder: options.program?.(name), signal });
      return own(await Part.start(name, start, silentLog));
    }),
  );
  const url = served[0]?.current.url;
  if (url === undefined) throw new Error('the gateway did not report its URL');
  if (lab !== undefined) await registerFirewall({ url, token: accounts.token, lab, limits: options.limits ?? {} });
  return {
    url,
    subgraphUrls: Object.entries(roles[0]?.[1] ?? {}).flatMap(([setting, value]) =>
      setting.startsWith('subgraphs.') ? [String(value)] : [],
    ),
    token: accounts.token,
    projectId: accounts.projectId,
    connection: application,
    redisPath: redis.current.path,
    get lab() {
      if (lab === undefined) throw new Error('the whole system was started without the lab');
      return lab;
    },
    parts,
    part(name) {
      const found = parts.find((each) => each.name === name);
      if (found === undefined) throw new Error(`there is no part ${name}`);
      return found;
    },
    stop: () => stack.disposeAsync(),
  };
}

type Roles = readonly (readonly [name: string, settings: Settings])[];

async function rolesOnce(options: WholeSystemOptions): Promise<Roles> {
  const relayPort = await fixedPort();
  const relayUrl = `http://127.0.0.1:${relayPort}`;
  return [
    ...(options.gatewayApart === true
      ? await gatewayAndSystem(relayUrl)
      : [['control', { roles: 'system,gateway', 'listen.port': 0, 'subgraphs.relayUrl': relayUrl }] as const]),
    ...Array.from({ length: options.relays ?? 2 }, (_, index): [string, Settings] => [
      `relay-${index + 1}`,
      { roles: 'relay', ...(index === 0 ? { 'internal.relayPort': relayPort } : {}) },
    ]),
    ['worker', { roles: 'worker' }],
  ];
}

/** The gateways first. */
async function rolesTwice(subgraphs: readonly string[]): Promise<Roles> {
  const urls: Record<string, string> = {};
  const behind: [string, Settings][] = [];
  for (const name of subgraphs) {
    const setting = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const ports = [await fixedPort(), await fixedPort()];
    urls[`subgraphs.${setting}Url`] = ports.map((port) => `http://127.0.0.1:${port}`).join(',');
    ports.forEach((port, index) => {
      behind.push([`${name}-${index + 1}`, { roles: name, [`internal.${setting}Port`]: port }]);
    });
  }
  const gateway = async (): Promise<Settings> => ({ roles: 'gateway', 'listen.port': await fixedPort(), ...urls });
  return [['gateway-1', await gateway()], ['gateway-2', await gateway()], ...behind, ['worker', { roles: 'worker' }]];
}

async function gatewayAndSystem(relayUrl: string): Promise<(readonly [name: string, settings: Settings])[]> {
  const [systemPort, gatewayPort] = [await fixedPort(), await fixedPort()];
  const urls = { 'subgraphs.systemUrl': `http://127.0.0.1:${systemPort}`, 'subgraphs.relayUrl': relayUrl };
  return [
    ['gateway', { roles: 'gateway', 'listen.port': gatewayPort, ...urls }],
    ['system', { roles: 'system', 'internal.systemPort': systemPort }],
  ];
}

async function openLab(folder: string, signal: AbortSignal | undefined): Promise<RunningLab> {
  const lab = await startLab({
    folder,
    log: silentLog,
    ...(signal === undefined ? {} : { signal }),
  });
  if (!lab.available) throw new Error(`there is no lab: ${lab.unavailable}`);
  return lab;
}

async function commonSettings(
  folder: DataFolder,
  database: EmbeddedMariadb['application'],
  redisPath: string,
): Promise<Settings> {
  const keys = await folder.subfolder('keys');
  await makeKeys(keys);
  return {
    'database.socketPath': database.socketPath,
    'database.user': database.user,
    'database.password': database.password,
    'database.name': database.database,
    'redis.path': redisPath,
    'keys.folder': keys,
    ...testEgressSettings,
    'log.format': 'json',
  };
}

function firstStartIn(
  application: DatabaseLocation,
  { twice = ['system', 'relay'] }: WholeSystemOptions,
): NonNullable<WholeSystemOptions['firstStart']> {
  return async (common, folder) => {
    await migrate(application, ownersOf([...twice, 'worker'], subgraphRows));
    return makeAccounts(common, folder);
  };
}

/** Created by a system that runs only for this. */
async function makeAccounts(common: Settings, folder: string): Promise<FirstAccounts> {
  const flags = Object.fromEntries(Object.entries(common).map(([name, value]) => [name, String(value)]));
  const config = readConfig({ flags: { ...flags, roles: 'system' } }, subgraphRows);
  const running = await startProcess(config, createLogger({ level: 'silent', pretty: false }));
  try {
    if (running.access === undefined) throw new Error('the role system was not started');
    return await firstAccounts(running.access, folder);
  } finally {
    await running.stop();
  }
}
