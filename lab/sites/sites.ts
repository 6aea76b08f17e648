// The device `sites` while it runs: its network, its web servers, checkers, name servers and PowerDNS, and actions on them. Everything ends
// with its process; a killed one leaves only namespaces behind.
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type DataFolder, openDataFolder } from '../../embedded/data-folder.ts';
import { powerdnsKey, startPowerdns } from '../../embedded/powerdns.ts';
import { type EmbeddedServer, killQuietly } from '../../embedded/server-process.ts';
import { type Supervised, supervise } from '../../embedded/supervise.ts';
import type { Address } from '../../platform/net/origin.ts';
import { writeWhole } from '../../platform/secrets/key-file.ts';
import type { DeviceHost, DeviceOptions, HostAct } from '../device.ts';
import {
  foldersOf,
  freeLoopback,
  idOf,
  isFree,
  joinedFolder,
  readDeviceState,
  writeDeviceState,
} from '../device-place.ts';
import { Line } from '../lines.ts';
import { serveRoles } from '../served.ts';
import { startWeb } from '../web.ts';
import type { Given } from './given.ts';
import { type Cut, SitesNetwork } from './network.ts';
import { type Plan, plainZoneName, planOf, type SitePlan, zoneName } from './plan.ts';

interface SitesOptions extends DeviceOptions {
  readonly given: Given;
}

const isRoot = process.getuid?.() === 0;
/** A file in the data folder, for shells. */
const addressesFile = 'sites.env';

/** A member that can be unplugged and killed. */
interface Host {
  readonly name: string;
  readonly address: string;
  readonly note: string;
  /** Name of its namespace. */
  readonly space: string;
  readonly cut: Cut;
  begin(): Promise<Supervised<EmbeddedServer>>;
}

export class Sites {
  readonly #options: SitesOptions;
  /** Undefined on the loopback. */
  readonly #network: SitesNetwork | undefined;
  readonly #running = new Map<string, Supervised<EmbeddedServer>>();
  readonly #lines: Line[] = [];
  #plan: Plan = planOf('127.0.0', false);
  /** URLs of the control plane for its machines. */
  #control = { endpoint: '', checkers: '', nameServers: '', ports: [] as readonly number[] };
  #hosts: readonly Host[] = [];
  /** Folder of PowerDNS. */
  #powerdnsFolder: DataFolder | undefined;

  constructor(options: SitesOptions) {
    this.#options = options;
    this.#network = isRoot ? new SitesNetwork(idOf(options.folder)) : undefined;
  }

  async start(): Promise<void> {
    const { folder, log, signal } = this.#options;
    await endLeftOver(folder);
    log.info('laying the network of the sites');
    const { third } = await readDeviceState(folder);
    this.#plan = this.#network === undefined ? await loopbackPlan(third) : await this.#network.layOut(third, signal);
    await writeDeviceState(folder, this.#plan.net);
    await this.#layLines();
    this.#powerdnsFolder = await openDataFolder(join(folder, 'pdns'), { version: 1 });
    this.#hosts = [
      ...this.#plan.sites.flatMap((site) => [this.#web(site), this.#checker(site)]),
      ...this.#plan.nameServers.map((server) => this.#nameServer(server)),
      this.#powerdns(this.#plan.powerdns, this.#powerdnsFolder),
    ];
    for (const host of this.#hosts) {
      await this.#begin(host);
      log.info(`${host.name} runs: ${host.note}`);
    }
    await this.#writeAddresses();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.#end(name)));
    for (const line of this.#lines.splice(0)) await line.stop();
    await endRunning(this.#options.folder);
    await rm(this.#addressesPath, { force: true });
    await this.#powerdnsFolder?.close();
    this.#powerdnsFolder = undefined;
  }

  /** Includes name servers, which explanations query. */
  get reaches(): readonly Address[] {
    const { sites, nameServers, powerdns, webPort, dnsPort } = this.#plan;
    return [
      ...sites.map(({ address }) => ({ host: address, port: webPort })),
      ...[...nameServers, powerdns].map(({ address }) => ({ host: address, port: dnsPort })),
    ];
  }

  get hosts(): readonly DeviceHost[] {
    return this.#hosts.map(({ name, address, note, space }) => ({
      ...{ name, address, note, namespace: this.#network?.namespace(space) ?? null },
    }));
  }

  /** Throws if there is none with that name. */
  async act(act: HostAct, name: string): Promise<void> {
    const host = this.#hosts.find((each) => each.name === name);
    if (host === undefined)
      throw new Error(`there is no host ${name}: the hosts are ${this.#hosts.map((each) => each.name).join(', ')}`);
    if (act === 'unplug' && this.#network === undefined)
      throw new Error('without root there is no network to unplug from: kill it, or start the lab as root');
    if (act === 'kill') return this.#kill(name);
    if (act === 'plug') await this.#begin(host);
    await this.#network?.setCut(host.space, host.cut, act === 'unplug');
  }

  async #kill(name: string): Promise<void> {
    const pid = this.#running.get(name)?.current.pid;
    const ended = this.#end(name);
    if (pid !== undefined) killQuietly(pid, 'SIGKILL');
    await ended;
  }

  async #begin({ name, begin }: Host): Promise<void> {
    if (!this.#running.has(name)) this.#running.set(name, await begin());
  }

  async #end(name: string): Promise<void> {
    const process = this.#running.get(name);
    this.#running.delete(name);
    await process?.stop();
  }

  #web({ name: space, address, web: name }: SitePlan): Host {
    const { folder, log, signal } = this.#options;
    const port = this.#plan.webPort;
    const options = { name, address, port, folder, wrapper: this.#wrapper(space), log };
    return {
      ...{ name, address: `${address}:${port}`, space, note: `the web server (nginx) of ${space}` },
      cut: { what: 'web', port },
      begin: () =>
        supervise(
          `the lab's ${name}`,
          (ending) => startWeb({ ...options, signal: AbortSignal.any([signal, ending]) }),
          { log },
        ),
    };
  }

  #checker({ name: site, address, checker: name }: SitePlan): Host {
    const { folder, given } = this.#options;
    const { machine, net } = this.#plan;
    const { endpoint, checkers, ports } = this.#control;
    return {
      ...{ name, address, space: site, note: `the checker of the vantage point ${site}` },
      cut: { what: 'checker', machine, ports },
      begin: async () =>
        this.#serve(name, site, 'checker', {
          'internal.machineFolder': await joinedFolder(join(folder, `${name}-machine`), given.checkers[site], {
            ...{ role: 'checker', endpoint },
          }),
          'checker.controlUrls': checkers,
          'checker.vantagePoint': site,
          'egress.allow': `${net}.0/24`,
        }),
    };
  }

  #nameServer({ name, address }: Plan['nameServers'][number]): Host {
    const { folder, given } = this.#options;
    const { dnsPort } = this.#plan;
    const { endpoint, nameServers } = this.#control;
    const credential = given.nameServers[name as keyof Given['nameServers']];
    return {
      ...{ name, address: `${address}:${dnsPort}`, space: name, note: `a name server of ${zoneName}` },
      cut: { what: 'all' },
      begin: async () =>
        this.#serve(name, name, 'dns', {
          'internal.machineFolder': await joinedFolder(join(folder, `${name}-machine`), credential, {
            ...{ role: 'dns', endpoint },
          }),
          'nameserver.controlUrls': nameServers,
          'nameserver.listen': `${address}:${dnsPort}`,
          'nameserver.folder': join(folder, name),
        }),
    };
  }

  #powerdns({ name, address }: Plan['powerdns'], dataFolder: DataFolder): Host {
    const { log, signal } = this.#options;
    const { dnsPort: port } = this.#plan;
    const options = { folder: dataFolder, address, port, zones: [plainZoneName], wrapper: this.#wrapper(name), log };
    return {
      ...{ name, address: `${address}:${port}`, space: name, note: `a PowerDNS with the zone ${plainZoneName}` },
      cut: { what: 'all' },
      begin: () =>
        supervise(
          `the lab's ${name}`,
          (ending) => startPowerdns({ ...options, signal: AbortSignal.any([signal, ending]) }),
          { log },
        ),
    };
  }

  #serve(
    name: string,
    space: string,
    role: 'checker' | 'dns',
    settings: Readonly<Record<string, string>>,
  ): Promise<Supervised<EmbeddedServer>> {
    const { log } = this.#options;
    const given = { 'log.level': 'warn', ...settings };
    return serveRoles({ name, wrapper: this.#wrapper(space), roles: [role], settings: given, log });
  }

  #wrapper(space: string): readonly string[] {
    return this.#network?.entering(space) ?? [];
  }

  async #layLines(): Promise<void> {
    const { ports } = this.#options.given;
    const at: number[] = [];
    for (const port of [ports.endpoint, ports.checkers, ports.nameServers]) at.push(await this.#layLine(port));
    const host = this.#network === undefined ? '127.0.0.1' : this.#plan.machine;
    const [endpoint, checkers, nameServers] = at.map((port) => `${host}:${port}`);
    this.#control = {
      ...{ endpoint: `http://${endpoint}/graphql`, ports: at },
      ...{ checkers: `wss://${checkers}/link`, nameServers: `wss://${nameServers}/link` },
    };
  }

  /** A line to a port of the control plane; on the loopback the port itself. */
  async #layLine(port: number): Promise<number> {
    if (this.#network === undefined) return port;
    const { machine, net } = this.#plan;
    const line = await Line.lay({ port, at: { host: machine, port: 0 }, block: `${net}.0/24` });
    this.#lines.push(line);
    return line.port;
  }

  get #addressesPath(): string {
    return join(dirname(dirname(this.#options.folder)), addressesFile);
  }

  async #writeAddresses(): Promise<void> {
    const { sites, nameServers, powerdns, clients, webPort, dnsPort } = this.#plan;
    const key = this.#powerdnsFolder === undefined ? '' : (await powerdnsKey(this.#powerdnsFolder)).secret;
    const lines = [
      ...[...sites, ...nameServers, powerdns].map(({ name, address }) => `${name.toUpperCase()}=${address}`),
      ...[`CLIENTS=${clients}`, `WEB_PORT=${webPort}`, `DNS_PORT=${dnsPort}`],
      // For a DNS backend that a person creates.
      `PDNS_KEY=${key}`,
      // For a name server that a person starts.
      ...[`ENDPOINT=http://127.0.0.1:${this.#options.given.ports.endpoint}/graphql`],
      `DNS_LINK=wss://127.0.0.1:${this.#options.given.ports.nameServers}/link`,
    ];
    await writeWhole(this.#addressesPath, `${lines.join('\n')}\n`);
  }
}

/** Ends leftovers of a killed process with this folder's configuration, here or where the folder was before. */
export async function endLeftOver(folder: string): Promise<void> {
  for (const each of await foldersOf(folder)) await endRunning(each);
}

async function endRunning(folder: string): Promise<void> {
  if (isRoot) await new SitesNetwork(idOf(folder)).end();
}

function loopbackPlan(preferred: number | undefined): Promise<Plan> {
  const of = (net: string) => planOf(net, false);
  const free = async (net: string) => {
    const { sites, nameServers, webPort, dnsPort } = of(net);
    return (await isFree(sites[0]?.address ?? net, webPort)) && isFree(nameServers[0]?.address ?? net, dnsPort);
  };
  return freeLoopback('127.78', preferred, free).then(of);
}
