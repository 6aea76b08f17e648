// Real NETCONF servers (netconfd behind OpenSSH) as a trial's device, one for each lane, because a change locks the whole server. Entries
// have a mark. The device's own log has each commit with its edits.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLog } from '../../../embedded/setup-log.ts';
import { readDeviceLog } from '../../../lab/device-log.ts';
import { netconfModules, type RunningNetconf, startNetconf } from '../../../lab/netconf.ts';
import type { JsonObject } from '../../../subgraphs/relay/drivers/driver.ts';
import {
  type DeviceCall,
  type DeviceRecord,
  type Disturbance,
  type JournaledCall,
  nameOf,
  RecordBook,
  type TrialDevice,
} from './device.ts';
import { addLog, faultsOf } from './lab-device.ts';

interface NetconfServersOptions {
  readonly folder: string;
  readonly lanes: number;
  readonly signal: AbortSignal;
}

export class NetconfServers implements TrialDevice {
  readonly name = 'netconfd over SSH';
  readonly #servers: readonly RunningNetconf[];
  readonly #keys: readonly string[];

  private constructor(servers: readonly RunningNetconf[], keys: readonly string[]) {
    this.#servers = servers;
    this.#keys = keys;
  }

  static async start({ folder, lanes, signal }: NetconfServersOptions): Promise<NetconfServers> {
    const servers: RunningNetconf[] = [];
    try {
      for (let lane = 0; lane < lanes; lane += 1) {
        const started = await startNetconf({ folder: join(folder, String(lane)), log: silentLog, signal });
        if (!started.available) throw new Error(`there is no netconfd: ${started.unavailable}`);
        servers.push(started);
      }
      const keys = await Promise.all(servers.map(({ privateKeyPath }) => readFile(privateKeyPath, 'utf8')));
      return new NetconfServers(servers, keys);
    } catch (error) {
      await Promise.all(servers.map((server) => server.stop()));
      throw error;
    }
  }

  backend(lane: number): JsonObject {
    const { host, port, username, hostKeySha256 } = this.#server(lane);
    const credentials = { username, privateKey: this.#keys[lane] ?? '' };
    return { driver: 'netconf', host, port, hostKeySha256, credentials, options: { modules: netconfModules } };
  }

  create(lane: number, number: number): DeviceCall {
    const name = nameOf(lane, number);
    return callOf('entry.create', name, { value: { mtu: 1_400 }, mark: 'description' });
  }

  add(lane: number, number: number) {
    return {
      call: callOf('entry.merge', `${nameOf(lane, number)}-merged`, { value: { mtu: 1_300 }, mark: 'description' }),
    };
  }

  remove(lane: number, number: number) {
    return { needs: this.create(lane, number), call: () => callOf('entry.delete', nameOf(lane, number), {}) };
  }

  disturb(lane: number, calls: readonly DeviceCall[], disturbance: Disturbance): Promise<void> {
    return this.#server(lane).faults.set(...faultsOf(calls, disturbance));
  }

  calm(lane: number): Promise<void> {
    return this.#server(lane).faults.clear();
  }

  async records(calls: readonly JournaledCall[]): Promise<Map<string, DeviceRecord>> {
    const book = new RecordBook();
    for (const { deviceLogPath } of this.#servers) addLog(book, await readDeviceLog(deviceLogPath), editIn);
    return book.match(calls, ({ wireCall }) => editIn(wireCall));
  }

  /** A few hundred entries in memory slow nothing down. */
  async clean(): Promise<void> {}

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  #server(lane: number): RunningNetconf {
    const found = this.#servers[lane];
    if (found === undefined) throw new Error(`there is no lane ${lane}`);
    return found;
  }
}

function callOf(operation: string, name: string, more: JsonObject): DeviceCall {
  const path = `/lab-vpn:vpn/tunnel[site='trial'][peer='${name}']`;
  return { operation, arguments: { path, ...more }, wireMark: `${name}<`, argumentMark: `'${name}'` };
}

/** The operation, the entry and the call of an edit. */
function editIn(text: string): string {
  const [config = ''] = /<config\b.*?<\/config>/s.exec(text) ?? [];
  const [, operation = ''] = /operation="(\w+)"/.exec(config) ?? [];
  const [name = ''] = /unknown-\d+-\d+(?:-merged)?/.exec(config) ?? [];
  const [mark = ''] = /tg:[0-9a-f-]{36}/.exec(config) ?? [];
  return `${operation} ${name} ${mark}`;
}
