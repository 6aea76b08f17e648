// The device `clusters` while it runs: its network and its clusters, and actions on them. Everything ends with its process; a killed one
// leaves only namespaces behind.
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { pathExists } from '../../embedded/find-program.ts';
import type { Address } from '../../platform/net/origin.ts';
import { writeWhole } from '../../platform/secrets/key-file.ts';
import type { DeviceHost, DeviceOptions, HostAct } from '../device.ts';
import { foldersOf, idOf, joinedFolder, readDeviceState, writeDeviceState } from '../device-place.ts';
import { Line } from '../lines.ts';
import { Cluster } from './cluster.ts';
import type { Given } from './given.ts';
import { ClustersNetwork } from './network.ts';
import {
  type ClusterName,
  type ClusterPlan,
  clusterNames,
  clusterRoles,
  controllerPort,
  type Plan,
  peerPort,
  planOf,
  resolverPort,
  s3Port,
  urlsOf,
} from './plan.ts';

interface ClustersOptions extends DeviceOptions {
  readonly given: Given;
}

/** A file in the data folder, for shells. */
const addressesFile = 'clusters.env';
/** Version of the layout of a cluster's folder. */
const folderVersion = 1;
const keepFreeMiB = 256;

export class Clusters {
  readonly #options: ClustersOptions;
  readonly #network: ClustersNetwork;
  readonly #stack = new AsyncDisposableStack();
  readonly #running = new Map<ClusterName, Cluster>();
  #plan: Plan = planOf('127.0.0');

  constructor(options: ClustersOptions) {
    this.#options = options;
    this.#network = new ClustersNetwork(idOf(options.folder));
  }

  async start(): Promise<void> {
    const { folder, log, signal } = this.#options;
    await endLeftOver(folder);
    this.#stack.defer(() => endRunning(folder));
    log.info(`laying the network of ${clusterNames.join(', ')}`);
    this.#plan = await this.#network.layOut((await readDeviceState(folder)).third, signal);
    await writeDeviceState(folder, this.#plan.net);
    const { endpoint, link } = this.#options.given.ports;
    const control = { endpoint: await this.#layLine(endpoint), link: await this.#layLine(link) };
    const begun = this.#plan.clusters.map((each) => this.#begin(each, control));
    await Promise.allSettled(begun);
    await Promise.all(begun);
    this.#stack.defer(() => rm(this.#addressesPath, { force: true }));
    await this.#writeAddresses();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((cluster) => cluster.stop()));
    await this.#stack.disposeAsync();
  }

  /** Clusters connect to the control plane, not the other way round. */
  readonly reaches: readonly Address[] = [];

  get hosts(): readonly DeviceHost[] {
    return this.#plan.clusters.map(({ name, address }) => ({
      ...{ name, address, namespace: this.#network.namespace(name) },
      note: `a cluster of object storage: S3 at ${urlsOf(address).s3}`,
    }));
  }

  /** Throws if there is none with that name. */
  async act(act: HostAct, name: string): Promise<void> {
    const known = clusterNames.find((each) => each === name);
    const cluster = known && this.#running.get(known);
    if (cluster === undefined) throw new Error(`there is no host ${name}: the hosts are ${clusterNames.join(', ')}`);
    if (act === 'kill') return cluster.kill();
    if (act === 'plug') await cluster.begin();
    await this.#network.unplug(name, act === 'unplug');
  }

  /** `control`: addresses of the control plane in this network. */
  async #begin({ name, address }: ClusterPlan, control: { readonly endpoint: string; readonly link: string }) {
    const { log, signal, given } = this.#options;
    const folder = await openDataFolder(join(this.#options.folder, name), { version: folderVersion });
    this.#stack.defer(() => folder.close());
    const machines = join(folder.path, 'machine');
    for (const role of clusterRoles)
      await joinedFolder(machines, given.machines[name][role], {
        role,
        endpoint: `http://${control.endpoint}/graphql`,
      });
    const cluster = new Cluster({
      ...{ name, folder, log, signal },
      wrapper: this.#network.entering(name),
      settings: {
        'internal.machineFolder': machines,
        'objectController.controlPlaneUrls': `wss://${control.link}/link`,
        'objectStore.keepFreeMiB': String(keepFreeMiB),
        ...{ 'objectController.host': address, 'objectController.port': String(controllerPort) },
        ...{ 'objectResolver.host': address, 'objectResolver.port': String(resolverPort) },
        ...{ 'objectServer.peerHost': address, 'objectServer.peerPort': String(peerPort) },
        ...{ 'objectServer.s3Host': address, 'objectServer.s3Port': String(s3Port) },
      },
    });
    this.#running.set(name, cluster);
    await cluster.begin();
  }

  /** Opens a line to a port of the control plane. */
  async #layLine(port: number): Promise<string> {
    const { machine, net } = this.#plan;
    const line = await Line.lay({ port, at: { host: machine, port: 0 }, block: `${net}.0/24` });
    this.#stack.defer(() => line.stop());
    return `${machine}:${line.port}`;
  }

  get #addressesPath(): string {
    return join(dirname(dirname(this.#options.folder)), addressesFile);
  }

  async #writeAddresses(): Promise<void> {
    const lines = this.#plan.clusters.flatMap(({ name, address }) => {
      const { peer, controller, s3 } = urlsOf(address);
      const variable = name.toUpperCase();
      return [`${variable}=${s3}`, `${variable}_PEER=${peer}`, `${variable}_CONTROLLER=${controller}`];
    });
    await writeWhole(this.#addressesPath, `${lines.join('\n')}\n`);
  }
}

/** Ends leftovers of a killed process with this folder's configuration, here or where the folder was before. */
export async function endLeftOver(folder: string): Promise<void> {
  for (const each of await foldersOf(folder)) await endRunning(each);
}

/** Removes folders of sockets that are elsewhere. */
export async function removeLeftOver(folder: string): Promise<void> {
  for (const name of clusterNames) {
    const path = join(folder, name);
    if (!(await pathExists(path))) continue;
    const opened = await openDataFolder(path, { version: folderVersion });
    await rm(opened.socketFolder, { recursive: true, force: true });
    await opened.close();
  }
}

/** Databases end with their owning process. */
async function endRunning(folder: string): Promise<void> {
  await new ClustersNetwork(idOf(folder)).end();
}
