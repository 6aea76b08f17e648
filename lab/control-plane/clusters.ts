// The control plane's side of the lab's clusters: an address where their controllers connect, credentials with which their machines join, and the
// linked clusters in the graph, with an option.
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMachineFile } from '../../platform/machines/machine-file.ts';
import { clustersGiven, type Given } from '../clusters/given.ts';
import { clusterNames, clusterRoles, linkedNames, urlsOf } from '../clusters/plan.ts';
import type { DescribedDevice } from '../device.ts';
import { plainLabFolder } from '../folders.ts';
import type { GivenCredential } from '../given-file.ts';
import { credentialOf, freePort, PreparedOnce, setupHost, startLinks, wholeOf } from './device-setup.ts';
import { askGraph, changeGraph, type GraphCaller, GraphRefusal } from './graph.ts';

const role = 'object-storage';
/** The control plane's own credentials, towards controllers. */
const machinesIn = join(plainLabFolder, 'clusters-machines');
const optionName = 'usual';
/** Time until the clusters serve users. A busy machine may take longer. The device runs all the same. */
const serveMs = 30_000;
const pauseMs = 100;

interface Known {
  readonly objectClusters: { readonly nodes: readonly KnownCluster[] };
  readonly objectOptions: { readonly nodes: readonly KnownOption[] };
}

interface KnownCluster {
  readonly id: string;
  readonly name: string;
  readonly presence: string;
  readonly peerUrls: readonly string[];
  readonly s3Urls: readonly string[];
  readonly controllers: readonly {
    readonly services: readonly { readonly role: string; readonly ready: boolean }[];
    /** Rings that the cluster uses. */
    readonly rings: readonly { readonly number: number }[];
  }[];
}

interface KnownOption {
  readonly id: string;
  readonly name: string;
  /** Number of its ring. */
  readonly number: number;
  /** It is being deleted. */
  readonly ending: boolean;
}

export class ClustersSetup extends PreparedOnce {
  /** Adds the linked clusters, if the device has none in the graph or there is no option. Updates the addresses of known clusters. */
  async register({ hosts = [] }: DescribedDevice): Promise<void> {
    const admin = await this.administrator();
    const { objectClusters, objectOptions } = await ask(admin);
    const options = objectOptions.nodes.filter(({ ending }) => !ending);
    const known = new Map(objectClusters.nodes.map((each) => [each.name, each]));
    const isNew = options.length === 0 || !clusterNames.some((name) => known.has(name));
    for (const { name, address } of hosts) {
      const { peer, controller, s3 } = urlsOf(address);
      const urls = { peerUrls: [peer], controllerUrls: [controller], s3Urls: [s3] };
      const cluster = known.get(name);
      if (cluster !== undefined && (cluster.peerUrls[0] !== peer || cluster.s3Urls[0] !== s3))
        await changeGraph(admin, 'objectClusterUpdate', { id: cluster.id, ...urls });
      if (cluster === undefined && isNew && linkedNames.some((each) => each === name))
        await changeGraph(admin, 'objectClusterCreate', { name, site: 'lab', ...urls });
    }
    if (options.length === 0) await changeGraph(admin, 'objectOptionCreate', { name: await freeOptionName(admin) });
    await this.#served(
      admin,
      hosts.map(({ name }) => name),
    );
    await changeGraph(admin, 'logout', {});
  }

  /** Throws while there is an account, because clusters may have its data. The last cluster stays in the graph. */
  override async removal(): Promise<() => Promise<void>> {
    const { folder } = this.options;
    const machinesFolder = await folder.subfolder(machinesIn);
    const given = await clustersGiven.read(folder.path);
    const control = await readMachineFile(machinesFolder, role).catch(() => undefined);
    const admin = await this.administrator();
    const { objectClusters, objectOptions } = await ask(admin);
    const own = objectOptions.nodes.filter(({ name, ending }) => !ending && isOwnOption(name));
    for (const option of own)
      await changeGraph(admin, 'objectOptionDelete', { id: option.id }).catch((error: unknown) => {
        if (!(error instanceof GraphRefusal)) throw error;
        throw new Error(`${error.message}; give --orphan-mappings, and the clusters stay in the graph`);
      });
    return async () => {
      await this.stop();
      for (const { id, name } of objectClusters.nodes)
        if (clusterNames.some((each) => each === name))
          await changeGraph(admin, 'objectClusterDelete', { id }).catch((error: unknown) => {
            if (!(error instanceof GraphRefusal)) throw error;
          });
      for (const machine of [...machinesOf(given), control])
        if (machine !== undefined) await changeGraph(admin, 'machineRevoke', { id: machine.id });
      await changeGraph(admin, 'logout', {});
      await clustersGiven.remove(folder.path);
      await rm(machinesFolder, { recursive: true });
    };
  }

  protected override async prepareOn(stack: AsyncDisposableStack): Promise<void> {
    const { folder } = this.options;
    const { firstStart, port: endpoint } = wholeOf(this.options, role);
    const ports = { endpoint, link: await freePort() };
    const settings = { 'objectStorage.linkHost': setupHost, 'objectStorage.linkPort': ports.link };
    // Users log in at the clusters, and the role system checks the logins.
    const others = ['system'];
    await startLinks(stack, this.options, {
      role,
      others,
      machine: 'lab-object-storage',
      folder: machinesIn,
      settings,
    });
    const before = await clustersGiven.read(folder.path);
    const machines: Record<string, Record<string, GivenCredential>> = {};
    for (const name of clusterNames) {
      const own: Record<string, GivenCredential> = {};
      for (const each of clusterRoles)
        own[each] = await credentialOf(firstStart, before?.machines[name][each], `${name}-${each}`, each);
      machines[name] = own;
    }
    await clustersGiven.write(folder.path, { ports, machines: machines as Given['machines'] });
  }

  /** Resolves when the known ones among these names serve users, or when it takes too long. */
  async #served(admin: GraphCaller, names: readonly string[]): Promise<void> {
    for (const until = performance.now() + serveMs; performance.now() < until; ) {
      const { objectClusters, objectOptions } = await ask(admin);
      const rings = objectOptions.nodes.filter(({ ending }) => !ending).map(({ number }) => number);
      if (objectClusters.nodes.every((each) => !names.includes(each.name) || serves(each, rings))) return;
      await sleep(pauseMs, undefined, { signal: admin.signal });
    }
    this.options.log.warn("not all of the lab's clusters serve yet: see tidegate clusters list");
  }
}

function ask(admin: GraphCaller): Promise<Known> {
  const clusters = 'id name presence peerUrls s3Urls controllers { services { role ready } rings { number } }';
  const query = `{ objectClusters(first: 100) { nodes { ${clusters} } } objectOptions(first: 100) { nodes { id name number ending } } }`;
  return askGraph(admin, query, {});
}

/** An earlier lab's option keeps its name until the clusters report that they have no data of it. */
async function freeOptionName(admin: GraphCaller): Promise<string> {
  for (const until = performance.now() + serveMs; performance.now() < until; ) {
    const { objectOptions } = await ask(admin);
    if (!objectOptions.nodes.some(({ name }) => name === optionName)) return optionName;
    await sleep(pauseMs, undefined, { signal: admin.signal });
  }
  return `${optionName}-${randomBytes(3).toString('hex')}`;
}

function isOwnOption(name: string): boolean {
  return name === optionName || name.startsWith(`${optionName}-`);
}

/** `rings`: rings that the cluster must use. An option is useless at a cluster before its ring has arrived there. */
function serves({ presence, controllers }: KnownCluster, rings: readonly number[]): boolean {
  const services = controllers.flatMap((controller) => controller.services);
  const used = new Set(controllers.flatMap((controller) => controller.rings).map(({ number }) => number));
  const isReady = services.some(({ role: each, ready }) => each === 'objectserver' && ready);
  return presence === 'PRESENT' && isReady && rings.every((ring) => used.has(ring));
}

function machinesOf(given: Given | undefined): readonly GivenCredential[] {
  return Object.values(given?.machines ?? {}).flatMap((each) => Object.values(each));
}
