// The control plane's side of a lab device while it runs: credentials of machines, ports, and further processes.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { Registry } from 'prom-client';
import type { DataFolder } from '../../embedded/data-folder.ts';
import { Refusal } from '../../platform/errors/errors.ts';
import type { Logger } from '../../platform/log/log.ts';
import { makeAuthority } from '../../platform/machines/authority.ts';
import { readMachineFile, writeMachineFile } from '../../platform/machines/machine-file.ts';
import { newMachineKeys } from '../../platform/machines/machine-keys.ts';
import type { NewMachineRecords } from '../../platform/machines/machine-records.ts';
import type { KnownListeners } from '../../platform/net/egress.ts';
import type { Config } from '../../platform/process/config.ts';
import type { Access, FirstStart, SubgraphRow } from '../../platform/process/subgraph-row.ts';
import { encodeId } from '../../platform/values/ids.ts';
import type { DescribedDevice } from '../device.ts';
import type { GivenCredential } from '../given-file.ts';
import { administrator, type GraphCaller } from './graph.ts';

export const setupHost = '127.0.0.1';
/** Credentials with less time left are not given to a machine, which renews them while it runs. */
const leastLeftMs = 12 * 3_600_000;

interface InstalledProcess {
  readonly url: string | undefined;
  readonly access: Access | undefined;
  readonly registry: Registry;
}

interface LinkOptions {
  readonly rows: readonly SubgraphRow[];
  readonly lab: KnownListeners;
}

interface SetupOptions {
  readonly config: Config;
  readonly rows: readonly SubgraphRow[];
  readonly folder: DataFolder;
  readonly running: InstalledProcess;
  /** Starts another process of the installation. */
  readonly startProcess: (
    config: Config,
    log: Logger,
    options: LinkOptions,
  ) => Promise<{ readonly registry: Registry; stop(): Promise<void> }>;
  readonly lab: KnownListeners;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Requirements of a running device. */
export interface DeviceSetup {
  /** Called before the device starts. Throws when it fails. */
  prepare(): Promise<void>;
  stop(): Promise<void>;
  /** Called when the device runs. Registers it in the graph. */
  register?(device: DescribedDevice): Promise<void>;
  /** Throws when the device is in use. Resolves with a function that deletes it from the graph after its processes have ended. */
  removal(): Promise<() => Promise<void>>;
}

/** Prepares at most once at a time. */
export abstract class PreparedOnce implements DeviceSetup {
  protected readonly options: SetupOptions;
  #prepared: AsyncDisposableStack | undefined;

  constructor(options: SetupOptions) {
    this.options = options;
  }

  protected abstract prepareOn(stack: AsyncDisposableStack): Promise<void>;

  abstract removal(): Promise<() => Promise<void>>;

  async prepare(): Promise<void> {
    if (this.#prepared !== undefined) return;
    const stack = new AsyncDisposableStack();
    try {
      await this.prepareOn(stack);
      this.#prepared = stack;
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  async stop(): Promise<void> {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    await prepared?.disposeAsync();
  }

  protected administrator(): Promise<GraphCaller> {
    const { folder, running, signal } = this.options;
    return administrator({ url: running.url, signal }, folder.path);
  }
}

interface Whole {
  /** Row of the role to which machines connect. */
  readonly row: SubgraphRow;
  readonly firstStart: FirstStart;
  /** Port of the endpoint. */
  readonly port: number;
}

/** Throws if that subgraph is left out. Otherwise the process that starts the lab has everything. */
export function wholeOf({ rows, running: { access, url } }: SetupOptions, role: string): Whole {
  const row = rows.find(({ name }) => name === role);
  if (row === undefined || access === undefined || url === undefined) throw new Error(`there is no ${role} here`);
  return { row, firstStart: access.firstStart, port: Number(new URL(url).port) };
}

interface Links {
  readonly role: string;
  /** Other roles of the process that it needs. */
  readonly others?: readonly string[];
  /** Name of its machine. */
  readonly machine: string;
  /** Folder of that machine's credentials, in the data folder. */
  readonly folder: string;
  /** Addresses where machines of the device connect. */
  readonly settings: object;
}

/** Another process with the role. It is a machine itself, because machines of a device connect to it. */
export async function startLinks(
  stack: AsyncDisposableStack,
  options: SetupOptions,
  { role, others = [], machine, folder, settings }: Links,
): Promise<void> {
  const { config, rows, running, startProcess, lab, log } = options;
  const { firstStart, port } = wholeOf(options, role);
  await makeAuthority(config['keys.folder'] ?? '');
  const machines = await options.folder.subfolder(folder);
  const kept = await readMachineFile(machines, role).catch(() => undefined);
  const own = await credentialOf(firstStart, kept, machine, role);
  await writeMachineFile(machines, { ...own, role, endpoint: `http://${setupHost}:${port}/graphql` });
  const linkConfig = {
    ...{ ...config, roles: [role, ...others], 'internal.machineFolder': machines, [`internal.${role}Port`]: undefined },
    ...{ 'database.connections': 5, ...settings },
  };
  const linkServer = await startProcess(linkConfig, log, { rows, lab });
  stack.defer(() => linkServer.stop());
  stack.defer(shareMetrics(linkServer.registry, running.registry));
}

/** Serves metrics that only `from` has with those of `to`. Returns a function that stops it. */
function shareMetrics(from: Registry, to: Registry): () => void {
  const shared: string[] = [];
  for (const { name } of from.getMetricsAsArray()) {
    const metric = from.getSingleMetric(name);
    if (metric === undefined || to.getSingleMetric(name) !== undefined) continue;
    to.registerMetric(metric);
    shared.push(name);
  }
  return () => {
    for (const name of shared) to.removeSingleMetric(name);
  };
}

function isFresh<Known extends { readonly expiresAt: string }>(known: Known | undefined): known is Known {
  return known !== undefined && Date.parse(known.expiresAt) - Date.now() > leastLeftMs;
}

/** The credentials that a machine of the lab had, if they are still valid. Otherwise new ones. */
export async function credentialOf(
  firstStart: FirstStart,
  kept: GivenCredential | undefined,
  name: string,
  role: string,
  records: NewMachineRecords = {},
): Promise<GivenCredential> {
  return isFresh(kept) ? kept : issue(firstStart, name, role, records);
}

/** A taken name belongs to a machine whose credentials have expired. */
async function issue(firstStart: FirstStart, name: string, ofRole: string, records: NewMachineRecords) {
  const { publicKey, privateKey } = await newMachineKeys();
  const made = (machine: string) => firstStart.issueMachines([{ name: machine, role: ofRole, publicKey, records }]);
  let used = name;
  const [{ id, credential }] = await made(used).catch((error: unknown) => {
    if (!(error instanceof Refusal) || error.errors[0]?.code !== 'ALREADY_EXISTS') throw error;
    used = `${name}-${randomBytes(3).toString('hex')}`;
    return made(used);
  });
  return {
    ...{ id: encodeId('Machine', id), name: used, role: ofRole, key: privateKey },
    ...{ ...credential, expiresAt: credential.expiresAt.toISOString() },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, setupHost, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
