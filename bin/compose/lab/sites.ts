// What the control plane has for the lab's sites: a place where checkers and name servers connect, their credentials, and in the graph a
// vantage point for each site, a zone in which everybody may create names, and a flavor.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { plainLabFolder } from '../../../lab/folders.ts';
import { sitesGiven } from '../../../lab/sites/given.ts';
import { flavorName, places, siteNames, zoneName } from '../../../lab/sites/plan.ts';
import { readMachineFile } from '../../../platform/machines/machine-file.ts';
import { askGraph, changeGraph, type GraphCaller, GraphRefusal } from './graph.ts';
import { credentialOf, freePort, groundHost, LaidGround, startLinks, wholeOf } from './part-ground.ts';

const role = 'gslb';
/** The control plane's own credentials, towards checkers and name servers. */
const machinesIn = join(plainLabFolder, 'sites-machines');
/** Members' checks may be as frequent as this in the lab. */
const shortestDelayMs = 250;

export class SitesGround extends LaidGround {
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

  protected override async layOn(stack: AsyncDisposableStack): Promise<void> {
    const { folder } = this.options;
    const { firstStart, port: endpoint } = wholeOf(this.options, role);
    await this.#createObjects();
    const ports = { endpoint, checkers: await freePort(), nameServers: await freePort() };
    const settings = {
      ...{ 'gslb.linkHost': groundHost, 'gslb.checkerPort': ports.checkers, 'gslb.dnsPort': ports.nameServers },
    };
    await startLinks(stack, this.options, { role, machine: 'lab-gslb', folder: machinesIn, settings });
    const before = await sitesGiven.read(folder.path);
    const issued = <Name extends string>(name: Name, kept: Parameters<typeof credentialOf>[1], ofRole: string) =>
      credentialOf(firstStart, kept, `lab-${name}`, ofRole);
    await sitesGiven.write(folder.path, {
      ports,
      checkers: {
        eu: await issued('eu', before?.checkers.eu, 'checker'),
        us: await issued('us', before?.checkers.us, 'checker'),
        ap: await issued('ap', before?.checkers.ap, 'checker'),
      },
      nameServers: {
        ns1: await issued('ns1', before?.nameServers.ns1, 'dns'),
        ns2: await issued('ns2', before?.nameServers.ns2, 'dns'),
      },
    });
  }

  /** Those that are there stay as a person has made them. */
  async #createObjects(): Promise<void> {
    const admin = await this.administrator();
    for (const name of siteNames)
      await create(admin, 'gslbVantagePointCreate', { name, region: name, ...places[name] });
    await create(admin, 'gslbFlavorCreate', { name: flavorName, shortestDelayMs });
    await create(admin, 'dnsZoneCreate', { name: zoneName, rights: [{ suffix: zoneName }] });
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

/** By name; those that are gone are gone. */
async function remove(admin: GraphCaller, list: string, mutation: string, names: readonly string[]): Promise<void> {
  const query = `{ ${list}(first: 100) { nodes { id name } } }`;
  const found = await askGraph<Record<string, { nodes: { id: string; name: string }[] }>>(admin, query, {});
  for (const { id, name } of found[list]?.nodes ?? [])
    if (names.includes(name)) await changeGraph(admin, mutation, { id });
}
