// One of the lab's routers as a trial's device: real FRR behind a real OpenSSH, with the device's own log of vtysh. Entries of route maps
// have a mark, static routes do not.
import { readFile } from 'node:fs/promises';
import { readDeviceLog } from '../../../lab/device-log.ts';
import type { RunningRouter } from '../../../lab/routers/routers.ts';
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
import { addLog, faultsOf, LaneFaults } from './lab-device.ts';

/** Arguments of one vtysh. */
const mostCommands = 400;

export class FrrRouter implements TrialDevice {
  readonly name = 'FRR over SSH';
  readonly #router: RunningRouter;
  readonly #privateKey: string;
  readonly faults: LaneFaults;

  private constructor(router: RunningRouter, privateKey: string) {
    this.#router = router;
    this.#privateKey = privateKey;
    this.faults = new LaneFaults(router.faults);
  }

  /** The caller owns the router. */
  static async on(router: RunningRouter): Promise<FrrRouter> {
    return new FrrRouter(router, await readFile(router.privateKeyPath, 'utf8'));
  }

  backend(): JsonObject {
    const { host, port, username, hostKeySha256 } = this.#router;
    return { driver: 'frr', host, port, hostKeySha256, credentials: { username, privateKey: this.#privateKey } };
  }

  create(lane: number, number: number): DeviceCall {
    const name = nameOf(lane, number);
    const args = { routeMap: name, sequence: sequenceOf(number), action: 'permit', localPreference: number };
    return { operation: 'routeMapEntry.create', arguments: args, wireMark: name, argumentMark: name };
  }

  add(lane: number, number: number): { readonly call: DeviceCall } {
    return { call: route('staticRoute.create', lane, number) };
  }

  /** Entries and routes take turns. */
  remove(lane: number, number: number) {
    if (number % 2 === 0) {
      const needs = route('staticRoute.create', lane, number);
      return { needs, call: () => route('staticRoute.delete', lane, number) };
    }
    const needs = this.create(lane, number);
    const was = { action: 'permit', localPreference: number };
    const args = { routeMap: needs.argumentMark, sequence: sequenceOf(number), was };
    const marks = { wireMark: `no route-map ${needs.argumentMark} `, argumentMark: needs.argumentMark };
    return { needs, call: (): DeviceCall => ({ operation: 'routeMapEntry.delete', arguments: args, ...marks }) };
  }

  disturb(lane: number, calls: readonly DeviceCall[], disturbance: Disturbance): Promise<void> {
    return this.faults.set(networkOf(lane), faultsOf(calls, disturbance));
  }

  calm(lane: number): Promise<void> {
    return this.faults.set(networkOf(lane), []);
  }

  async records(calls: readonly JournaledCall[]): Promise<Map<string, DeviceRecord>> {
    const book = new RecordBook();
    addLog(book, await readDeviceLog(this.#router.deviceLogPath), (stdin) => stdin.trim());
    return book.match(calls, ({ wireCall }) => linesIn(wireCall));
  }

  /** The configuration is read back for each call, so it must not grow with the trial. */
  async clean(lane: number): Promise<void> {
    const lines = (await this.#router.vtysh('show running-config')).split('\n').map((line) => line.trim());
    const own = lines.filter(
      (line) => line.startsWith(`route-map unknown-${lane}-`) || line.startsWith(`ip route ${networkOf(lane)}.`),
    );
    for (let from = 0; from < own.length; from += mostCommands) {
      const commands = own.slice(from, from + mostCommands).map((line) => `no ${line}`);
      await this.#router.vtysh('configure terminal', ...commands);
    }
  }

  stop(): Promise<void> {
    return this.faults.stop();
  }
}

/** The script's input to vtysh: the driver's input has a keyword before each line. */
export function linesIn(wireCall: string): string {
  const lines = wireCall.split('\n').filter((line) => line.startsWith('line '));
  return lines
    .map((line) => line.slice('line '.length))
    .join('\n')
    .trim();
}

/** The key makes the objects of a lane different. */
const sequenceOf = (number: number): number => 1 + (number % 65_535);

/** Lanes (at most 50) and numbers (at most 65,535) have separate addresses. */
const networkOf = (lane: number): string => `10.${100 + lane}`;

function route(operation: 'staticRoute.create' | 'staticRoute.delete', lane: number, number: number): DeviceCall {
  const destination = `${networkOf(lane)}.${number >> 8}.${number & 255}`;
  const word = operation === 'staticRoute.delete' ? 'no ip' : 'ip';
  return {
    ...{ operation, arguments: { destination, discard: true } },
    ...{ wireMark: `${word} route ${destination}/32 `, argumentMark: `"${destination}"` },
  };
}
