// The device `balancers` while it runs: its network, its processes, and actions on them. Nodes of load balancers outlive the processes of
// their hosts, so they are ended by their namespaces, or by the files with which they were started.
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type EmbeddedServer, killQuietly } from '../../embedded/server-process.ts';
import { type Supervised, supervise } from '../../embedded/supervise.ts';
import type { Address } from '../../platform/net/origin.ts';
import { writeWhole } from '../../platform/secrets/key-file.ts';
import { NetnsNames } from '../../subgraphs/loadbalancer/agents/lbhost/providers/netns-names.ts';
import { type Claim, ownClaims } from '../claims/claims.ts';
import { claimsOfHost } from '../claims/host-claims.ts';
import type { DeviceHost, DeviceOptions, HostAct } from '../device.ts';
import {
  foldersOf,
  freeLoopback,
  idOf,
  isFree,
  joinedFolder,
  makeOwn,
  readDeviceState,
  writeDeviceState,
} from '../device-place.ts';
import { Line, type LineOptions } from '../lines.ts';
import { endProcessesIn, endProcessesOf } from '../processes.ts';
import { serveRoles } from '../served.ts';
import { namespaces, setCut } from '../switched-network.ts';
import { startWeb } from '../web.ts';
import type { Given } from './given.ts';
import { BalancerNetwork } from './network.ts';
import { clientName, hostNames, hostRoom, type Plan, planOf } from './plan.ts';

interface BalancersOptions extends DeviceOptions {
  readonly given: Given;
}

const isRoot = process.getuid?.() === 0;
/** Limit of the setting lbhost.folder, which contains Unix sockets. */
const longestHostFolder = 60;
const loopbackWebPort = 8080;
const dnsPort = 53;
/** A file in the data folder, for shells. */
const addressesFile = 'balancers.env';

export class Balancers {
  readonly #options: BalancersOptions;
  /** Undefined on the loopback. */
  readonly #network: BalancerNetwork | undefined;
  readonly #running = new Map<string, Supervised<EmbeddedServer>>();
  readonly #lines: Line[] = [];
  #plan: Plan = planOf('127.0.0');
  /** URLs of the control plane for its hosts. */
  #urls = { endpoint: '', link: '' };

  constructor(options: BalancersOptions) {
    this.#options = options;
    this.#network = isRoot ? new BalancerNetwork(idOf(options.folder)) : undefined;
  }

  async start(): Promise<void> {
    const { folder, log, signal } = this.#options;
    log.info('laying the network of the hosts, the web servers and the client');
    await ownClaims.claim(...claimsOf(folder));
    await endLeftOver(folder);
    const before = await readDeviceState(folder);
    this.#plan =
      this.#network === undefined ? await loopbackPlan(before.third) : await this.#network.layOut(before.third, signal);
    await writeDeviceState(folder, this.#plan.net);
    await this.#layLines();
    for (const { name } of [...this.#plan.webs, ...this.#plan.hosts]) {
      await this.#begin(name);
      log.info(`${name} runs`);
    }
    await this.#writeFiles();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.#end(name)));
    for (const line of this.#lines.splice(0)) await line.stop();
    await endRunning(this.#options.folder);
    ownClaims.release(...claimsOf(this.#options.folder));
    await rm(this.#addressesPath, { force: true });
  }

  get reaches(): readonly Address[] {
    return this.#plan.webs.map(({ address, port }) => ({ host: address, port }));
  }

  get hosts(): readonly DeviceHost[] {
    const { hosts, webs, client } = this.#plan;
    const clients =
      this.#network === undefined
        ? []
        : [{ name: clientName, address: client, note: 'a client, for "lab exec client"' }];
    return [
      ...hosts.map(({ name, address, publicRange }) => {
        const at = this.#network === undefined ? '127.0.0.1' : address;
        return { name, address: at, note: `a load balancer host, whose nodes have addresses in ${publicRange}` };
      }),
      ...webs.map(({ name, address, port }) => ({ name, address: `${address}:${port}`, note: 'a web server (nginx)' })),
      ...clients,
    ].map((each) => ({ ...each, namespace: this.#network?.namespace(each.name) ?? null }));
  }

  /** `name`: a host, or a node of a load balancer. Throws if there is none. */
  async act(act: HostAct, name: string): Promise<void> {
    if (act === 'unplug' && this.#network === undefined)
      throw new Error('without root there is no network to unplug from: kill it, or start the lab as root');
    if (!this.hosts.some((host) => host.name === name)) return this.#actOnNode(act, name);
    if (act === 'kill') return this.#kill(name);
    if (act === 'plug') await this.#begin(name);
    await this.#network?.setPlugged([name, `${name}t`], act === 'plug');
  }

  async #actOnNode(act: HostAct, node: string): Promise<void> {
    const known = await namespacesOr(this.#network);
    const space = hostNames.map((name) => this.#names(name).namespace(node)).find((each) => known.includes(each));
    if (space === undefined)
      throw new Error(
        `there is no host and no node ${node}: the hosts are ${this.hosts.map((host) => host.name).join(', ')}; ` +
          'nodes are known as root only',
      );
    if (act === 'kill') await endProcessesIn([space]);
    else await setCut(space, act === 'unplug');
  }

  /** Like a power failure: only the disk of a load balancer host remains. */
  async #kill(name: string): Promise<void> {
    const pid = this.#running.get(name)?.current.pid;
    const ended = this.#end(name);
    if (pid !== undefined) killQuietly(pid, 'SIGKILL');
    const isHost = hostNames.some((host) => host === name);
    if (this.#network === undefined) {
      if (isHost) await endProcessesOf(this.#hostFolder(name));
    } else {
      const space = this.#network.namespace(name);
      const nodes = isHost ? await spacesOf([this.#names(name)]) : [];
      await endProcessesIn([space, ...nodes]);
      for (const each of isHost ? [...nodes, space] : []) await this.#network.removeSpace(each);
    }
    await ended;
  }

  async #begin(name: string): Promise<void> {
    if (this.#running.has(name)) return;
    const { log, signal } = this.#options;
    const web = this.#plan.webs.find((each) => each.name === name);
    const index = this.#plan.hosts.findIndex((each) => each.name === name);
    if (web !== undefined) {
      const { folder } = this.#options;
      const wrapper = this.#wrapper(name);
      const start = (ending: AbortSignal) =>
        startWeb({ ...web, folder, wrapper, log, signal: AbortSignal.any([signal, ending]) });
      this.#running.set(name, await supervise(`the lab's ${name}`, start, { log }));
    } else if (index >= 0) {
      if (this.#network !== undefined && !(await this.#network.has(name)))
        await this.#network.addHost(this.#plan, index);
      const settings = await this.#hostSettings(index);
      this.#running.set(
        name,
        await serveRoles({ name, wrapper: this.#wrapper(name), roles: ['lbhost'], settings, log }),
      );
    }
  }

  async #hostSettings(index: number): Promise<Readonly<Record<string, string>>> {
    const host = this.#plan.hosts[index];
    if (host === undefined) throw new Error(`there is no host ${index}`);
    const { name, publicRange, managementRange, tunnelAddress } = host;
    const folder = this.#hostFolder(name);
    await makeOwn(folder);
    return {
      'internal.machineFolder': await this.#joined(index),
      'lbhost.controlUrls': this.#urls.link,
      'lbhost.folder': folder,
      'lbhost.provider': this.#network === undefined ? 'loopback' : 'netns',
      'lbhost.publicRange': publicRange,
      'lbhost.managementRange': managementRange,
      ...(this.#network === undefined ? {} : { 'lbhost.tunnelAddress': tunnelAddress }),
      'lbhost.site': 'lab',
      'lbhost.mostNodes': String(hostRoom),
    };
  }

  /** The folder of the host's credentials. */
  async #joined(index: number): Promise<string> {
    const given = this.#options.given.hosts[index];
    if (given === undefined) throw new Error(`there are no credentials for host ${index}`);
    const folder = join(this.#options.folder, `${hostNames[index]}-machine`);
    return joinedFolder(folder, given, { role: 'lbhost', endpoint: this.#urls.endpoint });
  }

  async #end(name: string): Promise<void> {
    const process = this.#running.get(name);
    this.#running.delete(name);
    await process?.stop();
  }

  /** Avoids `ip netns exec`, whose separate mount namespace would hide the namespaces of nodes from other processes. */
  #wrapper(name: string): readonly string[] {
    return this.#network?.entering(name) ?? [];
  }

  #names(host: string): NetnsNames {
    return new NetnsNames(this.#hostFolder(host));
  }

  #hostFolder(name: string): string {
    return hostFolderIn(this.#options.folder, name);
  }

  async #layLines(): Promise<void> {
    const { endpoint, link, dns } = this.#options.given.ports;
    const { machine: host, net } = this.#plan;
    const lay = async (options: Pick<LineOptions, 'port'> & { udp?: boolean; at?: number }) => {
      const line = await Line.lay({ ...options, at: { host, port: options.at ?? 0 }, block: `${net}.0/24` });
      this.#lines.push(line);
      return `${host}:${line.port}`;
    };
    const isInside = this.#network !== undefined;
    const [endpointAt, linkAt] = isInside
      ? [await lay({ port: endpoint }), await lay({ port: link })]
      : [`127.0.0.1:${endpoint}`, `127.0.0.1:${link}`];
    if (isInside) await lay({ port: dns, at: dnsPort, udp: true });
    this.#urls = { endpoint: `http://${endpointAt}/graphql`, link: `wss://${linkAt}/link` };
  }

  get #addressesPath(): string {
    return join(dirname(dirname(this.#options.folder)), addressesFile);
  }

  async #writeFiles(): Promise<void> {
    const { folder, given } = this.#options;
    const { webs, machine } = this.#plan;
    const dns = this.#network === undefined ? ['127.0.0.1', given.ports.dns] : [machine, dnsPort];
    const lines = [
      ...webs.map(({ name, address }) => `${name.toUpperCase()}=${address}`),
      ...[`WEB_PORT=${webs[0]?.port}`, `DNS=${dns[0]}`, `DNS_PORT=${dns[1]}`],
    ];
    await writeWhole(this.#addressesPath, `${lines.join('\n')}\n`);
    if (this.#network === undefined) return;
    await writeFile(join(folder, 'resolv.conf'), `nameserver ${machine}\n`);
    await writeFile(join(folder, 'nsswitch.conf'), 'hosts: files dns\n');
  }
}

/** Ends processes that a killed process left running with this folder's configuration, here or where the folder was before. */
export async function endLeftOver(folder: string): Promise<void> {
  for (const each of await foldersOf(folder)) await endRunning(each);
}

/** Includes nodes of hosts, which outlive the processes of their hosts. */
async function endRunning(folder: string): Promise<void> {
  const hosts = hostNames.map((name) => hostFolderIn(folder, name));
  if (isRoot) {
    const network = new BalancerNetwork(idOf(folder));
    const spaces = [...(await network.present()), ...(await spacesOf(hosts.map((host) => new NetnsNames(host))))];
    await endProcessesIn(spaces);
    await network.remove(spaces);
  } else for (const host of hosts) await endProcessesOf(host);
}

/** Namespaces of the hosts' nodes, which outlive the processes of their hosts. */
function claimsOf(folder: string): readonly Claim[] {
  return hostNames
    .map((name) => hostFolderIn(folder, name))
    .flatMap((host) => (isRoot ? claimsOfHost(host) : [{ kind: 'processes', what: host }]));
}

/** Removes everything outside the device's folder. */
export async function removeOutside(folder: string): Promise<void> {
  for (const name of hostNames) await rm(hostFolderIn(folder, name), { recursive: true, force: true });
}

/** If the path is too long, uses a folder elsewhere with a short path. */
function hostFolderIn(folder: string, name: string): string {
  const path = join(folder, name);
  if (path.length <= longestHostFolder) return path;
  const uid = process.getuid?.() ?? 0;
  return `${uid === 0 ? '/run' : '/tmp'}/tidegate-lab-${uid}-${idOf(folder)}-${name}`;
}

async function spacesOf(hosts: readonly NetnsNames[]): Promise<string[]> {
  const isOne = (space: string) => hosts.some((names) => space === names.switch || names.nodeOf(space) !== undefined);
  return (await namespaces()).filter(isOne);
}

async function namespacesOr(network: BalancerNetwork | undefined): Promise<readonly string[]> {
  return network === undefined ? [] : namespaces();
}

function loopbackPlan(preferred: number | undefined): Promise<Plan> {
  const of = (net: string) => planOf(net, loopbackWebPort);
  const free = (net: string) => isFree(of(net).webs[0]?.address ?? net, loopbackWebPort);
  return freeLoopback('127.79', preferred, free).then(of);
}
