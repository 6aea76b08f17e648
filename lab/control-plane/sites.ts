// The control plane's side of the lab's sites: an address where checkers and name servers connect, their credentials, and in the graph a vantage
// point for each site, a zone in which every project may create names, and a flavor.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readMachineFile } from '../../platform/machines/machine-file.ts';
import type { DescribedDevice } from '../device.ts';
import { plainLabFolder } from '../folders.ts';
import { sitesGiven } from '../sites/given.ts';
import { flavorName, nameServerNames, places, type SiteName, siteNames, zoneName } from '../sites/plan.ts';
import { credentialOf, freePort, PreparedOnce, setupHost, startLinks, wholeOf } from './device-setup.ts';
import { askGraph, changeGraph, type GraphCaller, GraphRefusal } from './graph.ts';

const role = 'gslb';
/** The control plane's own credentials, towards checkers and name servers. */
const machinesIn = join(plainLabFolder, 'sites-machines');
/** Members' checks may be as frequent as this in the lab. */
const shortestDelayMs = 250;

export class SitesSetup extends PreparedOnce {
  /** Throws while there are names in the zone. */
  override async removal(): Promise<() => Promise<void>> {
    const { folder } = this.options;
    const machinesFolder = await folder.subfolder(machinesIn);
    const given = await sitesGiven.read(folder.path);
    const control = await readMachineFile(machinesFolder, role).catch(() => undefined);
    const admin = await this.administrator();
    await remove(admin, 'dnsZones', 'dnsZoneDelete', [zoneName]).catch((error: unknown) => {
      if (!(error instanceof GraphRefusal)) throw error;
      throw new Error(`${error.message}: delete the GSLBs in ${zoneName} first, or give --orphan-mappings`);
    });
    return async () => {
      await this.stop();
      await remove(admin, 'gslbFlavors', 'gslbFlavorDelete', [flavorName]);
      await remove(admin, 'gslbVantagePoints', 'gslbVantagePointDelete', siteNames);
      const known = [...Object.values(given?.checkers ?? {}), ...Object.values(given?.nameServers ?? {}), control];
      for (const machine of known)
        if (machine !== undefined) await changeGraph(admin, 'machineRevoke', { id: machine.id });
      await changeGraph(admin, 'logout', {});
      await sitesGiven.remove(folder.path);
      await rm(machinesFolder, { recursive: true });
    };
  }

  /** Zones publish its name servers at the addresses that the device found free. */
  async register({ hosts = [] }: DescribedDevice): Promise<void> {
    const given = await sitesGiven.read(this.options.folder.path);
    if (given === undefined) throw new Error('the name servers of the part are not known');
    const admin = await this.administrator();
    for (const name of nameServerNames) {
      const [address = ''] = hosts.find((host) => host.name === name)?.address.split(':') ?? [];
      const input = { machineId: given.nameServers[name]?.id, addresses: [address] };
      await changeGraph(admin, 'gslbNameServerRecordSet', input);
    }
    await changeGraph(admin, 'logout', {});
  }

  protected override async prepareOn(stack: AsyncDisposableStack): Promise<void> {
    const { folder } = this.options;
    const { firstStart, port: endpoint } = wholeOf(this.options, role);
    await this.#createObjects(await firstStart.ensureProject('default'));
    const ports = { endpoint, checkers: await freePort(), nameServers: await freePort() };
    const settings = {
      ...{ 'gslb.linkHost': setupHost, 'gslb.checkerPort': ports.checkers, 'gslb.dnsPort': ports.nameServers },
    };
    await startLinks(stack, this.options, { role, machine: 'lab-gslb', folder: machinesIn, settings });
    const before = await sitesGiven.read(folder.path);
    const checker = (vantagePoint: SiteName) =>
      credentialOf(firstStart, before?.checkers[vantagePoint], `lab-${vantagePoint}`, 'checker', {
        gslbChecker: { vantagePoint },
      });
    const nameServer = (name: (typeof nameServerNames)[number]) =>
      credentialOf(firstStart, before?.nameServers[name], `lab-${name}`, 'dns');
    await sitesGiven.write(folder.path, {
      ports,
      checkers: { eu: await checker('eu'), us: await checker('us'), ap: await checker('ap') },
      nameServers: { ns1: await nameServer('ns1'), ns2: await nameServer('ns2') },
    });
  }

  /** Leaves existing objects as a person has changed them. */
  async #createObjects(ownProject: string): Promise<void> {
    const admin = await this.administrator();
    for (const name of siteNames)
      await create(admin, 'gslbVantagePointCreate', { name, region: name, ...places[name] });
    await create(admin, 'gslbFlavorCreate', { name: flavorName, shortestIntervalMs: shortestDelayMs });
    // Every project may create names below PROJECT.ZONE. The project of the lab's own token may create any.
    const rights = [{ suffix: zoneName }, { suffix: zoneName, projectId: ownProject }];
    await create(admin, 'dnsZoneCreate', { name: zoneName, rights });
    await changeGraph(admin, 'logout', {});
  }
}

async function create(admin: GraphCaller, mutation: string, input: object): Promise<void> {
  try {
    await changeGraph(admin, mutation, input);
  } catch (error) {
    if (!(error instanceof GraphRefusal) || error.code !== 'ALREADY_EXISTS') throw error;
  }
}

/** Removes objects by name. Ignores missing ones. */
async function remove(admin: GraphCaller, list: string, mutation: string, names: readonly string[]): Promise<void> {
  const query = `{ ${list}(first: 100) { nodes { id name } } }`;
  const found = await askGraph<Record<string, { nodes: { id: string; name: string }[] }>>(admin, query, {});
  for (const { id, name } of found[list]?.nodes ?? [])
    if (names.includes(name)) await changeGraph(admin, mutation, { id });
}
