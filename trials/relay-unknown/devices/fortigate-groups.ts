// Address groups of simulated FortiGates: two for each lane. The order of a group's members has no meaning.
import { FortiGate } from '../../../simulators/fortios/fortigate.ts';
import { tableOf } from '../../../simulators/fortios/tables.ts';
import type { JsonObject } from '../../../subgraphs/relay/drivers/driver.ts';
import type { Disturbance } from './device.ts';
import { faultOf, plainWire, proofOf, requestWire } from './fortigates.ts';
import { LateWrites } from './late-writes.ts';
import type { Execution, ObjectCall, ObjectDevice, ObjectState, Place, TrialObject, Values } from './objects.ts';

const vdom = 'root';
const addresses = tableOf('firewall/address');
const groups = tableOf('firewall/addrgrp');
const membersOf: Readonly<Record<Values, readonly string[]>> = {
  first: ['trial-1', 'trial-2'],
  other: ['trial-1', 'trial-3'],
  reordered: ['trial-2', 'trial-1'],
};
/** A killed session is not closed. */
const maxSessions = 100_000;

type Arrival = { -readonly [Field in keyof Execution]: Execution[Field] };

interface Gate {
  readonly gate: FortiGate;
  readonly late: LateWrites;
  readonly arrivals: Arrival[];
}

export class FortigateGroups implements ObjectDevice {
  readonly name = 'FortiOS over HTTPS';
  readonly driver = 'fortios';
  readonly values = ['first', 'other', 'reordered'] as const;
  readonly shares = { same: 2, other: 2, removed: 3, reordered: 1 };
  readonly moves = true;
  readonly #lanes: readonly Readonly<Record<Place, Gate>>[];

  private constructor(lanes: readonly Readonly<Record<Place, Gate>>[]) {
    this.#lanes = lanes;
  }

  static async start(lanes: number): Promise<FortigateGroups> {
    const started = Array.from({ length: lanes }, async () => {
      const [home, away] = await Promise.all([startGate('home'), startGate('away')]);
      return { home, away };
    });
    return new FortigateGroups(await Promise.all(started));
  }

  backend(lane: number, place: Place): JsonObject {
    return proofOf(this.#lane(lane)[place].gate);
  }

  /** With a comment that contains the call's mark, or without one. */
  object(lane: number, number: number): TrialObject {
    const name = `again-${lane}-${String(number).padStart(6, '0')}`;
    const comment: JsonObject = number % 2 === 0 ? { comment: 'trial' } : {};
    const call = (operation: string, more: JsonObject): ObjectCall => ({ operation, arguments: { name, ...more } });
    return {
      ...{ resource: 'address-group', scope: vdom, key: name },
      create: (values) => call('addressGroup.create', { members: membersOf[values], ...comment }),
      set: (values) => call('addressGroup.update', { members: membersOf[values], ...comment }),
      remove: () => call('addressGroup.delete', {}),
    };
  }

  async disturb(lane: number, disturbance: Disturbance): Promise<void> {
    for (const { gate, late } of this.#both(lane)) {
      const { knobs } = gate.device.faults;
      if (disturbance.kind === 'slow') knobs.latencyMs = disturbance.delayMs;
      else if (disturbance.kind === 'drop-late') late.lateMs = disturbance.lateMs;
      else knobs.probability = { [faultOf(disturbance)]: 1 };
    }
  }

  async calm(lane: number): Promise<void> {
    for (const { gate, late } of this.#both(lane)) {
      late.lateMs = undefined;
      gate.device.faults.knobs.latencyMs = 0;
      gate.device.faults.knobs.probability = {};
    }
  }

  release(lane: number): void {
    for (const { late } of this.#both(lane)) late.release();
  }

  async byHand(lane: number, { key }: TrialObject, state: Values | null): Promise<void> {
    const { cmdb } = this.#lane(lane).home.gate.device;
    const isThere = cmdb.get(vdom, groups, key) !== undefined;
    if (state === null) {
      if (isThere) cmdb.remove(vdom, groups, key, 'CLI');
      return;
    }
    const change = { member: membersOf[state] };
    if (isThere) cmdb.update(vdom, groups, key, change, 'CLI');
    else cmdb.create(vdom, groups, key, change, 'CLI');
  }

  async states(lane: number): Promise<ReadonlyMap<string, ObjectState>> {
    const found = new Map<string, ObjectState>();
    for (const { gate } of this.#both(lane))
      for (const [key, entry] of gate.device.cmdb.list(vdom, groups)) found.set(key, stateOf(entry.member));
    return found;
  }

  async clear(lane: number): Promise<void> {
    for (const { gate } of this.#both(lane))
      for (const [key] of [...gate.device.cmdb.list(vdom, groups)]) gate.device.cmdb.remove(vdom, groups, key, 'CLI');
  }

  async executions(): Promise<readonly Execution[]> {
    return this.#lanes.flatMap(({ home, away }) => [...home.arrivals, ...away.arrivals]);
  }

  wireOf(wireCall: string): string {
    return plainWire(wireCall);
  }

  stateOf(values: Values | null): ObjectState {
    return values === null ? null : stateOf(membersOf[values]);
  }

  leaves(operation: string, { members }: JsonObject): ObjectState {
    return operation === 'addressGroup.delete' ? null : stateOf(members);
  }

  wanted({ members }: JsonObject): ObjectState {
    return stateOf(members);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#lanes.flatMap(({ home, away }) => [home.gate.stop(), away.gate.stop()]));
  }

  #both(lane: number): readonly Gate[] {
    const { home, away } = this.#lane(lane);
    return [home, away];
  }

  #lane(lane: number): Readonly<Record<Place, Gate>> {
    const found = this.#lanes[lane];
    if (found === undefined) throw new Error(`there is no lane ${lane}`);
    return found;
  }
}

function stateOf(members: unknown): ObjectState {
  return Array.isArray(members) ? members.map(String).sort().join() : null;
}

async function startGate(place: Place): Promise<Gate> {
  const gate = await FortiGate.start({ maxSessions });
  for (const name of new Set(Object.values(membersOf).flat()))
    gate.device.cmdb.create(vdom, addresses, name, { subnet: '192.0.2.1 255.255.255.255' }, 'CLI');
  const arrivals: Arrival[] = [];
  let latest: Arrival | undefined;
  gate.answerInstead = (request) => {
    latest = undefined;
    if (request.method === 'GET' || !request.path.startsWith('/api/v2/cmdb/')) return undefined;
    latest = { place, wire: requestWire(request), receivedAtMs: Date.now(), appliedAtMs: undefined };
    arrivals.push(latest);
    return undefined;
  };
  const { faults } = gate.device;
  const around = faults.around.bind(faults);
  const late = new LateWrites();
  // Called in the same turn as `answerInstead`.
  faults.around = async (write) => {
    const arrival = latest;
    const noted = {
      ...write,
      apply: () => {
        const answer = write.apply();
        const { status } = answer as { readonly status: number };
        if (arrival !== undefined && status === 200) arrival.appliedAtMs = Date.now();
        return answer;
      },
    };
    return late.take(noted) ? undefined : around(noted);
  };
  return { gate, late, arrivals };
}
