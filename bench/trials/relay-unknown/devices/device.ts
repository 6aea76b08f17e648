// What a trial needs of a device: calls to make on it, ways to disturb one of them, and what the device itself says of every
// call that reached it.
import type { JsonObject, JsonValue } from '../../../../subgraphs/relay/drivers/driver.ts';

/** One call of a trial. Objects of two numbers, or two lanes, are never the same. */
export interface DeviceCall {
  /** The driver's operation. */
  readonly operation: string;
  readonly arguments: JsonObject;
  /** Text that, of all calls on the wire, only this one has. */
  readonly wireMark: string;
  /** The same of its arguments. */
  readonly argumentMark: string;
}

export type Disturbance =
  /** The connection ends; nothing is done. */
  | { readonly kind: 'drop-before' }
  /** It is done; the connection ends instead of an answer. */
  | { readonly kind: 'drop-after' }
  /** The connection ends, and `lateMs` later it is done. */
  | { readonly kind: 'drop-late'; readonly lateMs: number }
  /** The answer takes so long. */
  | { readonly kind: 'slow'; readonly delayMs: number };

/** A journaled call, as far as a device's log can be held against it. */
export interface JournaledCall {
  /** UUID. */
  readonly id: string;
  /** Exactly what goes over the wire. */
  readonly wireCall: string;
  readonly objectKey: string;
  /** The journal says so. */
  readonly neverSent: boolean;
}

/** What the device says of one call; times are Unix milliseconds by the device's clock, which is this machine's. */
export interface DeviceRecord {
  readonly receivedAtMs: number[];
  /** Only where it was carried out with success. */
  readonly appliedAtMs: number[];
}

export interface TrialDevice {
  /** For people. */
  readonly name: string;
  /** Of `backendCreate`, without name and limits. Lanes share a device or have one each; calls of two lanes never meet. */
  backend(lane: number): JsonObject;
  /** Not idempotent: makes an object. */
  create(lane: number, number: number): DeviceCall;
  /** Idempotent: adds an element, or changes an object to certain values. `needs`: what must be there before. */
  add(lane: number, number: number): { readonly call: DeviceCall; readonly needs?: DeviceCall };
  /** What the removal needs, and the removal, for which the result of making it may be needed. */
  remove(lane: number, number: number): { readonly needs: DeviceCall; readonly call: (made: JsonValue) => DeviceCall };
  /** Of these calls, until the lane's next disturbance. */
  disturb(lane: number, calls: readonly DeviceCall[], disturbance: Disturbance): Promise<void>;
  /** No more disturbances of the lane. */
  calm(lane: number): Promise<void>;
  /** What reached it so far, for each of the calls. */
  records(calls: readonly JournaledCall[]): Promise<Map<string, DeviceRecord>>;
  /** Removes what the lane's calls made, past its log. The lane has no call under way and nothing to be settled. */
  clean(lane: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Records of calls by what is on the wire. Where calls are the same there (a removal has no mark, and one that was never sent
 * is made anew), the first has what arrived of those that were sent.
 */
export class RecordBook {
  readonly #byWire = new Map<string, DeviceRecord>();

  of(wire: string): DeviceRecord {
    const record = this.#byWire.get(wire) ?? { receivedAtMs: [], appliedAtMs: [] };
    this.#byWire.set(wire, record);
    return record;
  }

  /** For each call that has a record; `wireOf` as records were made. */
  match(calls: readonly JournaledCall[], wireOf: (call: JournaledCall) => string): Map<string, DeviceRecord> {
    const left = new Map(this.#byWire);
    const found = new Map<string, DeviceRecord>();
    const sentFirst = calls.toSorted((a, b) => Number(a.neverSent) - Number(b.neverSent));
    for (const call of sentFirst) {
      const wire = wireOf(call);
      const record = left.get(wire);
      left.delete(wire);
      if (record !== undefined) found.set(call.id, record);
    }
    return found;
  }
}
