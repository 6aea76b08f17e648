// The control plane's side of the lab's load balancer hosts: credentials with which they join, an address where they connect, and a private DNS
// server. It runs only while the device does. The settings that publish names there are given at each start with a lab.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DnsSettings } from '../../dns/publish/settings.ts';
import type { DataFolder } from '../../embedded/data-folder.ts';
import { powerdnsKey, startPowerdns } from '../../embedded/powerdns.ts';
import { supervise } from '../../embedded/supervise.ts';
import { readMachineFile } from '../../platform/machines/machine-file.ts';
import { type Config, settingsOf } from '../../platform/process/config.ts';
import type { SubgraphRow } from '../../platform/process/subgraph-row.ts';
import { balancersGiven } from '../balancers/given.ts';
import { hostNames, hostRoom, planOf, webNames } from '../balancers/plan.ts';
import type { DescribedDevice } from '../device.ts';
import { plainLabFolder } from '../folders.ts';
import type { GivenCredential } from '../given-file.ts';
import { LeavingHosts, letHostsIn } from './balancer-hosts.ts';
import { credentialOf, freePort, setupHost as host, PreparedOnce, startLinks, wholeOf } from './device-setup.ts';
import { changeGraph } from './graph.ts';

const role = 'loadbalancer';
/** The control plane's own credentials, towards hosts. */
const machinesIn = join(plainLabFolder, 'machines');
const zone = 'lb.lab.test';
const [zoneSetting, rangesSetting] = ['loadbalancer.zone', 'loadbalancer.managementRanges'];
/** Management network of the lab's nodes, as root. */
const managementRange = '198.19.0.0/16';
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

/** Equal at each start, because the device may be started later. */
async function dnsPort(folder: DataFolder): Promise<number> {
  const path = join(await folder.subfolder(plainLabFolder), 'dns.port');
  const kept = Number(await readFile(path, 'utf8').catch(() => ''));
  if (Number.isInteger(kept) && kept > 0 && kept < 65_536) return kept;
  const made = await freePort();
  await writeFile(path, `${made}\n`, { mode: 0o600 });
  return made;
}

/** `options.config`: includes the settings above. */
export class BalancerSetup extends PreparedOnce {
  /** Lets its hosts have nodes, with the addresses that the device found free. */
  async register({ hosts = [] }: DescribedDevice): Promise<void> {
    const given = await balancersGiven.read(this.options.folder.path);
    const web = hosts.find(({ name }) => name === webNames[0]);
    if (given === undefined || web === undefined) throw new Error('the hosts of the part are not known');
    const plan = planOf(web.address.split('.').slice(0, 3).join('.'));
    const admin = await this.administrator();
    const wanted = given.hosts.map(({ id: machine }, index) => {
      const { publicRange, managementRange } = plan.hosts[index] ?? plan.hosts[0];
      const provider = web.namespace === null ? 'LOOPBACK' : 'NETNS';
      return { machine, record: { site: 'lab', provider, publicRange, managementRange, maxNodes: hostRoom } };
    });
    await letHostsIn(admin, wanted);
    await changeGraph(admin, 'logout', {});
  }

  /** Throws when load balancers have nodes on its hosts. Resolves with a function that deletes the hosts from the graph after they have ended. */
  override async removal(): Promise<() => Promise<void>> {
    const { folder, running, signal } = this.options;
    const machinesFolder = await folder.subfolder(machinesIn);
    const control = await readMachineFile(machinesFolder, role).catch(() => undefined);
    const known = [
      ...((await balancersGiven.read(folder.path))?.hosts ?? []),
      ...(control === undefined ? [] : [control]),
    ];
    const machines = known.map(({ id }) => id);
    const leaving = await LeavingHosts.of({ url: running.url, signal }, folder.path, machines);
    return async () => {
      await this.stop();
      await leaving.remove();
      await balancersGiven.remove(folder.path);
      await rm(machinesFolder, { recursive: true });
    };
  }

  protected override async prepareOn(stack: AsyncDisposableStack): Promise<void> {
    const { config, folder, log, signal } = this.options;
    const { row, firstStart, port: endpoint } = wholeOf(this.options, role);

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
    await startLinks(stack, this.options, {
      ...{ role, machine: 'lab-control', folder: machinesIn },
      settings: { 'loadbalancer.linkHost': host, 'loadbalancer.linkPort': link },
    });

    const before = (await balancersGiven.read(folder.path))?.hosts ?? [];
    const hosts: GivenCredential[] = [];
    for (const [index, name] of hostNames.entries())
      hosts.push(await credentialOf(firstStart, before[index], `lab-${name}`, 'lbhost'));
    const [one, two] = hosts as [GivenCredential, GivenCredential];
    await balancersGiven.write(folder.path, { ports: { endpoint, link, dns }, hosts: [one, two] });
  }
}
