// A trial's interface to a device: calls to make on it, ways to disturb one of them, and the device's own record of every call
// that reached it.
import type { JsonObject, JsonValue } from '../../../subgraphs/relay/drivers/driver.ts';

/** One call of a trial. Two numbers or two lanes never have the same objects. */
export interface DeviceCall {
  /** The driver's operation. */
  readonly operation: string;
  readonly arguments: JsonObject;
  /** A text that appears on the wire only in this call. */
  readonly wireMark: string;
  /** A text that appears only in this call's arguments. */
  readonly argumentMark: string;
}

export type Disturbance =
  /** The connection ends, and nothing is done. */
  | { readonly kind: 'drop-before' }
  /** The call is executed, but the connection ends without an answer. */
  | { readonly kind: 'drop-after' }
  /** The connection ends; the call is executed `lateMs` later. */
  | { readonly kind: 'drop-late'; readonly lateMs: number }
  /** The answer is delayed by this time. */
  | { readonly kind: 'slow'; readonly delayMs: number };

/** The data of a journaled call that is compared with a device's log. */
export interface JournaledCall {
  /** UUID. */
  readonly id: string;
  /** The exact text on the wire. */
  readonly wireCall: string;
  readonly objectKey: string;
  /** According to the journal. */
  readonly neverSent: boolean;
}

/** The device's record of one call; times are Unix milliseconds by the device's clock, which is this machine's. */
export interface DeviceRecord {
  readonly receivedAtMs: number[];
  /** Only successful executions. */
  readonly appliedAtMs: number[];
}

/** The name of a call's object: no two numbers and no two lanes share one. */
export function nameOf(lane: number, number: number): string {
  return `unknown-${lane}-${String(number).padStart(6, '0')}`;
}

export interface TrialDevice {
  /** For people. */
  readonly name: string;
  /** Input of `backendCreate`, without name and limits. Lanes share a device or have one each; calls of two lanes never meet. */
  backend(lane: number): JsonObject;
  /** Not idempotent: creates an object. */
  create(lane: number, number: number): DeviceCall;
  /** Idempotent: adds an element, or sets certain values of an object. `needs`: its prerequisite. */
  add(lane: number, number: number): { readonly call: DeviceCall; readonly needs?: DeviceCall };
  /** The call that the removal requires, and the removal, which may need the result of the creation. */
  remove(lane: number, number: number): { readonly needs: DeviceCall; readonly call: (made: JsonValue) => DeviceCall };
  /** Affects these calls until the lane's next disturbance. */
  disturb(lane: number, calls: readonly DeviceCall[], disturbance: Disturbance): Promise<void>;
  /** Ends the lane's disturbances. */
  calm(lane: number): Promise<void>;
  /** The arrivals so far, for each call. */
  records(calls: readonly JournaledCall[]): Promise<Map<string, DeviceRecord>>;
  /**
   * Removes the objects of the lane's calls, without an entry in the device's log. The lane must have no running call and nothing to
   * settle.
   */
  clean(lane: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Records of calls by their text on the wire. If several calls have the same text, the arrivals are assigned to the one that was sent
 * first. This happens because a removal has no mark, and a call that was never sent is made again.
 */
export class RecordBook {
  readonly #byWire = new Map<string, DeviceRecord>();

  of(wire: string): DeviceRecord {
    const record = this.#byWire.get(wire) ?? { receivedAtMs: [], appliedAtMs: [] };
    this.#byWire.set(wire, record);
    return record;
  }

  /** Returns a record for each call that has one. `wireOf` must match how the records were made. */
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
