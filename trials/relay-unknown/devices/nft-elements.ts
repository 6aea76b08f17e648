// Elements of sets of the lab's firewall: real nft behind a real OpenSSH. An element has no values; it either exists or not.
import type { JsonObject } from '../../../subgraphs/relay/drivers/driver.ts';
import type { Disturbance } from './device.ts';
import { faultOf } from './lab-device.ts';
import type { NftFirewall } from './nft-firewall.ts';
import type { Execution, ObjectCall, ObjectDevice, ObjectState, TrialObject, Values } from './objects.ts';

interface ListedSet {
  readonly set?: { readonly elem?: readonly unknown[] };
}

export class NftElements implements ObjectDevice {
  readonly name = 'nft over SSH';
  readonly driver = 'linux-nftables';
  readonly values = ['first'] as const;
  readonly shares = { same: 1, other: 0, removed: 1, reordered: 0 };
  readonly moves = false;
  readonly #firewall: NftFirewall;

  private constructor(firewall: NftFirewall) {
    this.#firewall = firewall;
  }

  /** The caller owns the firewall. */
  static async on(firewall: NftFirewall, lanes: number): Promise<NftElements> {
    const names = Array.from({ length: lanes }, (_, lane) => setOf(lane));
    await firewall.nft(names.map((name) => `add set inet filter ${name} { type ipv4_addr; flags interval; }`));
    return new NftElements(firewall);
  }

  backend(): JsonObject {
    const { driver: _same, ...address } = this.#firewall.backend();
    return address;
  }

  object(lane: number, number: number): TrialObject {
    const [set, address] = [setOf(lane), addressOf(number)];
    const call = (operation: string): ObjectCall => ({ operation, arguments: { set, address } });
    return {
      ...{ resource: 'address-set-element', scope: 'inet filter', key: `${set}/${address}` },
      create: () => call('setElement.add'),
      set: () => call('setElement.add'),
      remove: () => call('setElement.remove'),
    };
  }

  disturb(lane: number, disturbance: Disturbance): Promise<void> {
    const fault = { matching: `"${setOf(lane)}"`, ...faultOf(disturbance) };
    return this.#firewall.faults.set(setOf(lane), [fault]);
  }

  calm(lane: number): Promise<void> {
    return this.#firewall.faults.set(setOf(lane), []);
  }

  release(): void {}

  async byHand(_lane: number, { key }: TrialObject, state: Values | null): Promise<void> {
    const [set = '', address = ''] = key.split('/');
    const add = `add element inet filter ${set} { ${address} }`;
    // They are in one batch, because nft 1.0.6 has no `destroy`, and refuses to delete something that does not exist.
    await this.#firewall.nft(state === null ? [add, add.replace('add', 'delete')] : [add]);
  }

  async states(lane: number): Promise<ReadonlyMap<string, ObjectState>> {
    const listed = JSON.parse(await this.#firewall.list(setOf(lane))) as {
      readonly nftables: readonly ListedSet[];
    };
    const elements = listed.nftables.flatMap(({ set }) => set?.elem ?? []);
    return new Map(elements.map((element) => [`${setOf(lane)}/${addressIn(element)}`, present]));
  }

  async clear(lane: number): Promise<void> {
    await this.#firewall.nft([`flush set inet filter ${setOf(lane)}`]);
  }

  async executions(): Promise<readonly Execution[]> {
    const found = new Map<string, { -readonly [Field in keyof Execution]: Execution[Field] }>();
    for (const entry of await this.#firewall.log()) {
      if (entry.kind !== 'apply') continue;
      const { atMs } = entry;
      const seen = found.get(entry.id);
      if (entry.phase === 'received')
        found.set(entry.id, { place: 'home', wire: entry.stdin.trim(), receivedAtMs: atMs, appliedAtMs: undefined });
      else if (entry.phase === 'applied' && entry.exit === 0 && seen !== undefined) seen.appliedAtMs = atMs;
    }
    return [...found.values()];
  }

  /** The first line is the command. */
  wireOf(wireCall: string): string {
    return wireCall.slice(wireCall.indexOf('\n') + 1).trim();
  }

  stateOf(values: Values | null): ObjectState {
    return values === null ? null : present;
  }

  leaves(operation: string): ObjectState {
    return operation === 'setElement.remove' ? null : present;
  }

  wanted(): ObjectState {
    return present;
  }

  async stop(): Promise<void> {}
}

const present = 'present';
const setOf = (lane: number): string => `again${lane}`;

/** In 10.0.0.0/8, no two of them adjacent. */
function addressOf(number: number): string {
  const value = number * 2;
  return `10.${(value >> 16) & 255}.${(value >> 8) & 255}.${value & 255}`;
}

function addressIn(element: unknown): string {
  if (typeof element === 'string') return element;
  const { elem } = element as { readonly elem?: { readonly val?: unknown } };
  return String(elem?.val);
}
