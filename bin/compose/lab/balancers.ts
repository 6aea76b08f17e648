// What the control plane has for the lab's load balancer hosts: credentials with which they join, a place where they connect, and a private
// DNS server. All of it runs only while the part does; the settings that publish names there are given at each start with a lab.
import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Registry } from 'prom-client';
import type { DnsSettings } from '../../../dns/publish/settings.ts';
import type { DataFolder } from '../../../embedded/data-folder.ts';
import { powerdnsKey, startPowerdns } from '../../../embedded/powerdns.ts';
import { supervise } from '../../../embedded/supervise.ts';
import { type HostCredential, readGiven, removeGiven, writeGiven } from '../../../lab/balancers/given.ts';
import { hostNames } from '../../../lab/balancers/plan.ts';
import { plainLabFolder } from '../../../lab/folders.ts';
import { type Config, settingsOf } from '../../../platform/config.ts';
import { Refusal } from '../../../platform/errors.ts';
import { encodeId } from '../../../platform/ids.ts';
import type { Logger } from '../../../platform/log.ts';
import { makeAuthority } from '../../../platform/machines/authority.ts';
import { type MachineFile, readMachineFile, writeMachineFile } from '../../../platform/machines/machine-file.ts';
import { newMachineKeys } from '../../../platform/machines/machine-keys.ts';
import type { KnownListeners } from '../../../platform/net/egress.ts';
import type { FirstStart, SubgraphRow } from '../../../platform/subgraph-row.ts';
import { type RunningProcess, startProcess } from '../process.ts';
import { LeavingHosts } from './balancer-hosts.ts';

const role = 'loadbalancer';
/** The control plane's own credentials, towards hosts. */
const machinesIn = join(plainLabFolder, 'machines');
const host = '127.0.0.1';
const zone = 'lb.lab.test';
const [zoneSetting, rangesSetting] = ['loadbalancer.zone', 'loadbalancer.managementRanges'];
/** Where the lab's nodes have their management addresses as root. */
const managementRange = '198.19.0.0/16';
/** Credentials with less time left are not given to a machine, which renews them while it runs. */
const leastLeftMs = 12 * 3_600_000;

/** Settings of a start with a lab: names of load balancers are in its zone, unless other DNS servers are set. */
export async function balancerSettings(
  config: Config,
  rows: readonly SubgraphRow[],
  folder: DataFolder,
): Promise<Readonly<Record<string, unknown>>> {
  if (!rows.some(({ name }) => name === role)) return {};
  const given = config as Partial<DnsSettings> & Readonly<Record<string, unknown>>;
  const ranges = given[rangesSetting];
  const reached = Array.isArray(ranges) ? { [rangesSetting]: [...ranges, managementRange] } : {};
  if (given['dns.privateServer'] !== undefined || (given['dns.servers'] ?? []).length > 0) return reached;
  return {
    ...reached,
    // The setting's own default is for installations.
    ...(given[zoneSetting] === 'lb.internal' ? { [zoneSetting]: zone } : {}),
    'dns.servers': [{ address: host, port: await dnsPort(folder) }],
    'dns.tsigKeyFile': (await powerdnsKey(folder)).keyFile,
  };
}

/** The same at each start: the part may come later. */
async function dnsPort(folder: DataFolder): Promise<number> {
  const path = join(await folder.subfolder(plainLabFolder), 'dns.port');
  const kept = Number(await readFile(path, 'utf8').catch(() => ''));
  if (Number.isInteger(kept) && kept > 0 && kept < 65_536) return kept;
  const made = await freePort();
  await writeFile(path, `${made}\n`, { mode: 0o600 });
  return made;
}

export interface BalancerGroundOptions {
  /** With the settings above. */
  readonly config: Config;
  readonly rows: readonly SubgraphRow[];
  readonly folder: DataFolder;
  readonly running: RunningProcess;
  readonly lab: KnownListeners;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export class BalancerGround {
  readonly #options: BalancerGroundOptions;
  #laid: AsyncDisposableStack | undefined;

  constructor(options: BalancerGroundOptions) {
    this.#options = options;
  }

  /** Before the part starts. Throws when it can't be laid. */
  async lay(): Promise<void> {
    if (this.#laid !== undefined) return;
    const stack = new AsyncDisposableStack();
    try {
      await this.#lay(stack);
      this.#laid = stack;
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  async stop(): Promise<void> {
    const laid = this.#laid;
    this.#laid = undefined;
    await laid?.disposeAsync();
  }

  /** Throws when load balancers have nodes on its hosts. Resolves with what takes these out of the graph once they have ended. */
  async removal(): Promise<() => Promise<void>> {
    const { folder, running, signal } = this.#options;
    const machinesFolder = await folder.subfolder(machinesIn);
    const control = await readMachineFile(machinesFolder, role).catch(() => undefined);
    const known = [...((await readGiven(folder.path))?.hosts ?? []), ...(control === undefined ? [] : [control])];
    const machines = known.map(({ id }) => id);
    const leaving = await LeavingHosts.of({ url: running.url, signal }, folder.path, machines);
    return async () => {
      await this.stop();
      await leaving.remove();
      await removeGiven(folder.path);
      await rm(machinesFolder, { recursive: true });
    };
  }

  async #lay(stack: AsyncDisposableStack): Promise<void> {
    const { config, rows, folder, running, lab, log, signal } = this.#options;
    const row = rows.find(({ name }) => name === role);
    const { access, url } = running;
    if (row === undefined || access === undefined || url === undefined)
      throw new Error('there are no load balancers here');
    await makeAuthority(config['keys.folder'] ?? '');
    const endpoint = `http://${host}:${new URL(url).port}/graphql`;
    const machines = await folder.subfolder(machinesIn);
    const known = await readMachineFile(machines, role).catch(() => undefined);
    const own = isFresh(known) ? known : await issue(access.firstStart, 'lab-control', role);
    await writeMachineFile(machines, { ...own, role, endpoint });

    const { 'dns.privateServer': other, 'dns.servers': servers } = config as Partial<DnsSettings>;
    const dns = (other ?? servers?.find(({ address }) => address === host))?.port ?? (await freePort());
    if (other === undefined) {
      const zones = row.zones?.(settingsOf(row, config)) ?? [];
      const start = (ending: AbortSignal) =>
        startPowerdns({ folder, log, address: host, port: dns, zones, signal: AbortSignal.any([signal, ending]) });
      const server = await supervise('PowerDNS', start, { log });
      stack.defer(() => server.stop());
    }

    const link = await freePort();
    const linkConfig = {
      ...{ ...config, roles: [role], 'internal.machineFolder': machines, 'internal.loadbalancerPort': undefined },
      ...{ 'loadbalancer.linkHost': host, 'loadbalancer.linkPort': link, 'database.connections': 5 },
    };
    const linkServer = await startProcess(linkConfig, log, { rows, lab });
    stack.defer(() => linkServer.stop());
    stack.defer(shareMetrics(linkServer.registry, running.registry));

    const before = (await readGiven(folder.path))?.hosts ?? [];
    const hosts: HostCredential[] = [];
    for (const [index, name] of hostNames.entries()) {
      const kept = before[index];
      hosts.push(isFresh(kept) ? kept : await issue(access.firstStart, `lab-${name}`, 'lbhost'));
    }
    const [one, two] = hosts as [HostCredential, HostCredential];
    await writeGiven(folder.path, { ports: { endpoint: Number(new URL(url).port), link, dns }, hosts: [one, two] });
  }
}

/** What only `from` counts is also served with `to`. Returns the end of that. */
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

/** A name that is taken is that of a machine whose credentials have expired. */
async function issue(firstStart: FirstStart, name: string, ofRole: string): Promise<Omit<MachineFile, 'endpoint'>> {
  const { publicKey, privateKey } = await newMachineKeys();
  const made = (machine: string) => firstStart.issueMachine({ name: machine, role: ofRole, publicKey });
  let used = name;
  const { id, credential } = await made(used).catch((error: unknown) => {
    if (!(error instanceof Refusal) || error.errors[0]?.code !== 'ALREADY_EXISTS') throw error;
    used = `${name}-${randomBytes(3).toString('hex')}`;
    return made(used);
  });
  return {
    ...{ id: encodeId('Machine', id), name: used, role: ofRole, key: privateKey },
    ...{ ...credential, expiresAt: credential.expiresAt.toISOString() },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
