// Static routes of one of the lab's routers: real FRR behind a real OpenSSH. A route has a distance, and no mark.
import { readDeviceLog } from '../../../lab/device-log.ts';
import type { RunningRouter } from '../../../lab/routers/routers.ts';
import type { JsonObject } from '../../../subgraphs/relay/drivers/driver.ts';
import type { Disturbance } from './device.ts';
import { type FrrRouter, linesIn } from './frr-router.ts';
import { faultOf } from './lab-device.ts';
import type { CutShort, Execution, ObjectCall, ObjectDevice, ObjectState, TrialObject, Values } from './objects.ts';

const distances: Readonly<Record<Values, number>> = { first: 5, other: 9, reordered: 5 };
/** Arguments of one vtysh. */
const mostCommands = 400;

export class FrrRoutes implements ObjectDevice {
  readonly name = 'FRR over SSH';
  readonly driver = 'frr';
  readonly values = ['first', 'other'] as const;
  readonly shares = { same: 1, other: 2, removed: 1, reordered: 0 };
  readonly moves = false;
  readonly #device: FrrRouter;
  readonly #router: RunningRouter;

  /** The caller owns both. */
  constructor(device: FrrRouter, router: RunningRouter) {
    this.#device = device;
    this.#router = router;
  }

  backend(): JsonObject {
    const { driver: _same, ...address } = this.#device.backend();
    return address;
  }

  object(lane: number, number: number): TrialObject {
    const destination = `${networkOf(lane)}.${number >> 8}.${number & 255}`;
    const set = (values: Values): ObjectCall => ({
      ...{ operation: 'staticRoute.create', arguments: { destination, discard: true, distance: distances[values] } },
    });
    return {
      ...{ resource: 'static-route', scope: 'default', key: `${destination}/32 blackhole`, create: set, set },
      remove: () => ({ operation: 'staticRoute.delete', arguments: { destination, discard: true } }),
    };
  }

  disturb(lane: number, disturbance: Disturbance): Promise<void> {
    const matching = `ip route ${networkOf(lane)}.`;
    return this.#device.faults.set(networkOf(lane), [{ matching, ...faultOf(disturbance) }]);
  }

  calm(lane: number): Promise<void> {
    return this.#device.faults.set(networkOf(lane), []);
  }

  release(): void {}

  async byHand(_lane: number, { key }: TrialObject, state: Values | null): Promise<void> {
    const command = state === null ? `no ip route ${key}` : `ip route ${key} ${distances[state]}`;
    await this.#router.vtysh('configure terminal', command);
  }

  async states(lane: number): Promise<ReadonlyMap<string, ObjectState>> {
    const found = (await this.#lines(lane)).map((line) => {
      const [, , destination, target, distance = '1'] = line.split(' ');
      return [`${destination} ${target}`, distance] as const;
    });
    return new Map(found);
  }

  async clear(lane: number): Promise<void> {
    const own = (await this.#lines(lane)).map((line) => `no ${line}`);
    for (let from = 0; from < own.length; from += mostCommands)
      await this.#router.vtysh('configure terminal', ...own.slice(from, from + mostCommands));
  }

  async executions(): Promise<readonly Execution[]> {
    const found = new Map<string, { -readonly [Field in keyof Execution]: Execution[Field] }>();
    for (const entry of await readDeviceLog(this.#router.deviceLogPath)) {
      if (entry.kind !== 'apply') continue;
      const { atMs } = entry;
      const seen = found.get(entry.id);
      if (entry.phase === 'received')
        found.set(entry.id, { place: 'home', wire: entry.stdin.trim(), receivedAtMs: atMs, appliedAtMs: undefined });
      else if (entry.phase === 'applied' && entry.exit === 0 && seen !== undefined) seen.appliedAtMs = atMs;
    }
    return [...found.values()];
  }

  async cutShort(): Promise<readonly CutShort[]> {
    const log = await readDeviceLog(this.#router.deviceLogPath);
    return log.flatMap((entry) => {
      if (entry.kind !== 'session' || entry.phase !== 'received' || isWhole(entry.stdin)) return [];
      const [, script = ''] = entry.args;
      return [{ wireBegins: `${script}\n${entry.stdin}`, atMs: entry.atMs }];
    });
  }

  wireOf(wireCall: string): string {
    return linesIn(wireCall);
  }

  stateOf(values: Values | null): ObjectState {
    return values === null ? null : String(distances[values]);
  }

  leaves(operation: string, { distance }: JsonObject): ObjectState {
    return operation === 'staticRoute.delete' ? null : String(distance);
  }

  wanted({ distance }: JsonObject): ObjectState {
    return String(distance);
  }

  async stop(): Promise<void> {}

  async #lines(lane: number): Promise<string[]> {
    const lines = (await this.#router.vtysh('show running-config')).split('\n');
    return lines.filter((line) => line.startsWith(`ip route ${networkOf(lane)}.`));
  }
}

/** The driver's input ends with this line. */
const isWhole = (input: string): boolean => /(?:^|\n)end\n$/.test(input);

/** Separate from the routes of the other calls. */
const networkOf = (lane: number): string => `10.${200 + lane}`;
