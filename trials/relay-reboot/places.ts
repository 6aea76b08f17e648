// Devices whose objects are at places that anybody may use: a sequence in a list, a number of a rule, a VLAN. A restart loses unsaved
// changes, and then an administrator uses the same place. Uses real FRR and a real Apache with ModSecurity. The documents that the
// simulated switch follows are listed in simulators/onyx.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningWaf } from '../../lab/apache-waf.ts';
import type { RunningRouters } from '../../lab/routers/routers.ts';
import { OnyxSwitch } from '../../simulators/onyx/switch.ts';
import type { JsonObject } from '../../subgraphs/relay/drivers/driver.ts';
import { pinOf } from '../../tests/subgraphs/relay/transports/support/web-device.ts';
import { untilTrue } from '../until.ts';

/** A kind of object. Two slots have different keys. */
interface PlaceKind {
  readonly resource: string;
  create(slot: number, tenant: number): { readonly operation: string; readonly arguments: JsonObject };
  /** Done by hand with the same key. `number`: no two objects have the same values. */
  put(slot: number, number: number): Promise<void>;
  /** Done by hand: removes the existing object. */
  clear(slot: number): Promise<void>;
  /** The object that the device has there. Empty: nothing. */
  state(slot: number): Promise<string>;
}

export interface PlaceDevice {
  readonly name: string;
  /** Input of `backendCreate`, without the name. */
  readonly backend: JsonObject;
  readonly kinds: readonly PlaceKind[];
  /** Loses the tenants' unsaved changes. */
  reboot(): Promise<void>;
  stop(): Promise<void>;
}

interface SshAddress {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly privateKeyPath: string;
  readonly hostKeySha256: string;
}

async function sshBackend(driver: string, address: SshAddress): Promise<JsonObject> {
  const { host, port, hostKeySha256, username, privateKeyPath } = address;
  const privateKey = await readFile(privateKeyPath, 'utf8');
  return { driver, host, port, hostKeySha256, credentials: { username, privateKey } };
}

/** The caller owns the routers, which are in this folder. */
export async function routerPlaces(routers: RunningRouters, folder: string): Promise<PlaceDevice> {
  const [router] = routers.routers;
  const startFile = join(folder, 'router1', 'device', 'frr', 'frr.conf');
  const saved = await readFile(startFile);
  const type = (...lines: readonly string[]) => router.vtysh('configure terminal', ...lines);
  const lines = async (begin: string) => {
    const all = (await router.vtysh('show running-config')).split('\n');
    const found: string[] = [];
    let inside = false;
    for (const line of all) {
      inside = line.startsWith(begin) || (inside && line.startsWith(' '));
      if (inside) found.push(line);
    }
    return found.join('\n');
  };
  const entry: PlaceKind = {
    resource: 'route-map-entry',
    create: (slot, tenant) => ({
      operation: 'routeMapEntry.create',
      arguments: { routeMap: `place-${slot}`, sequence: 10, action: 'permit', localPreference: 100 + tenant },
    }),
    put: async (slot, number) => {
      const action = number % 2 === 0 ? 'deny' : 'permit';
      await type(`route-map place-${slot} ${action} 10`, 'description ADMINISTRATOR', `set metric ${number}`);
    },
    clear: async (slot) => void (await type(`no route-map place-${slot}`).catch(() => undefined)),
    state: (slot) => lines(`route-map place-${slot} `),
  };
  const prefix: PlaceKind = {
    resource: 'prefix-list-entry',
    create: (slot, tenant) => ({
      operation: 'prefixListEntry.create',
      arguments: { list: `place-${slot}`, sequence: 5, action: 'permit', prefix: `10.${tenant}.0.0/16` },
    }),
    put: async (slot, number) => {
      await type(`ip prefix-list place-${slot} seq 5 deny 192.0.2.${number % 256}/32`);
    },
    clear: async (slot) => void (await type(`no ip prefix-list place-${slot}`).catch(() => undefined)),
    state: (slot) => lines(`ip prefix-list place-${slot} `),
  };
  const neighbor: PlaceKind = {
    resource: 'bgp-neighbor',
    create: (slot, tenant) => ({
      operation: 'bgpNeighbor.create',
      arguments: { asNumber: 65_001, address: `10.7.0.${slot + 1}`, remoteAs: 65_100 + tenant },
    }),
    put: async (slot, number) => {
      const begin = `neighbor 10.7.0.${slot + 1}`;
      await type(
        'router bgp 65001',
        `${begin} remote-as ${64_600 + (number % 100)}`,
        `${begin} description ADMINISTRATOR`,
      );
    },
    clear: async (slot) =>
      void (await type('router bgp 65001', `no neighbor 10.7.0.${slot + 1}`).catch(() => undefined)),
    state: async (slot) => {
      const all = (await router.vtysh('show running-config')).split('\n');
      return all.filter((line) => line.trim().startsWith(`neighbor 10.7.0.${slot + 1} `)).join('\n');
    },
  };
  return {
    name: 'router',
    backend: await sshBackend('frr', router),
    kinds: [entry, prefix, neighbor],
    async reboot() {
      await routers.act('kill', 'router1');
      // The lab saves occasionally, and is killed while it does.
      await writeFile(startFile, saved);
      await routers.act('plug', 'router1');
      const answers = await untilTrue(60_000, async () => (await lines('router bgp ')) !== '');
      if (!answers) throw new Error('the router does not answer after its restart');
    },
    async stop() {},
  };
}

/** The caller owns the firewall. */
export async function wafPlaces(waf: RunningWaf): Promise<PlaceDevice> {
  const site = 'shop.lab';
  const file = (slot: number) => join(waf.configFolder, 'waf/sites', site, 'rules', `${7_000 + slot}.conf`);
  const slots = new Set<number>();
  const rule: PlaceKind = {
    resource: 'rule',
    create: (slot, tenant) => {
      slots.add(slot);
      const pattern = `tenant-${tenant}`;
      const args = { site, id: 7_000 + slot, variables: ['ARGS'], operator: 'contains', pattern };
      return { operation: 'rule.create', arguments: args };
    },
    put: (slot, number) => {
      const line = `SecRule ARGS "@contains ${number}" "id:${7_000 + slot},phase:2,deny"`;
      return writeFile(file(slot), `# by an administrator\n${line}\n`);
    },
    clear: (slot) => rm(file(slot), { force: true }),
    state: (slot) => readFile(file(slot), 'utf8').catch(() => ''),
  };
  return {
    name: 'waf',
    backend: await sshBackend('modsecurity', waf.ssh),
    kinds: [rule],
    // As after a restart from an image.
    async reboot() {
      for (const slot of slots) await rule.clear(slot);
    },
    async stop() {},
  };
}

export async function switchPlaces(): Promise<PlaceDevice> {
  const device = await OnyxSwitch.start();
  const number = (slot: number) => 40 + slot;
  const vlan: PlaceKind = {
    resource: 'vlan',
    create: (slot, tenant) => ({
      operation: 'vlan.create',
      arguments: { vlan: number(slot), name: `tenant-${tenant}` },
    }),
    put: async (slot, value) => void device.config.vlans.set(number(slot), { name: `administrator-${value}` }),
    clear: async (slot) => void device.config.vlans.delete(number(slot)),
    state: async (slot) => JSON.stringify(device.config.vlans.get(number(slot))) ?? '',
  };
  const { https } = device;
  return {
    name: 'switch',
    backend: {
      ...{ driver: 'onyx', host: https.host, port: https.port, options: { transport: 'https' } },
      ...{ certificateSha256: pinOf(https.certificate.sha256), credentials: { username: 'admin', password: 'secret' } },
    },
    kinds: [vlan],
    reboot: async () => device.reload(),
    stop: () => device.stop(),
  };
}
