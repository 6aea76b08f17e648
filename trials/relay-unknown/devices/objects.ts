// A trial's interface to a device whose objects are called again and again: calls on one object, ways to disturb them, and the device's own
// record of all calls and objects.
import type { JsonObject } from '../../../subgraphs/relay/drivers/driver.ts';
import type { Disturbance } from './device.ts';

/** How the object of a dropped call is called again: with the same values, with others, to remove it, or with a list in another order. */
export const againKinds = ['same', 'other', 'removed', 'reordered'] as const;
export type AgainKind = (typeof againKinds)[number];

/** The state of an object, as text. Null if it does not exist. */
export type ObjectState = string | null;

export interface ObjectCall {
  /** The driver's operation. */
  readonly operation: string;
  readonly arguments: JsonObject;
}

/** One object that no other trial has. */
export interface TrialObject {
  readonly resource: string;
  readonly scope: string;
  readonly key: string;
  /** Creates it, or sets its values: the first ones, others, or the first ones in another order. */
  create(values: Values): ObjectCall;
  /** Idempotent. */
  set(values: Values): ObjectCall;
  remove(): ObjectCall;
}

const values = ['first', 'other', 'reordered'] as const;
export type Values = (typeof values)[number];

/** One execution by the device; times are Unix milliseconds. */
export interface Execution {
  readonly place: Place;
  /** As `wireOf` returns it for the call. */
  readonly wire: string;
  readonly receivedAtMs: number;
  /** Undefined if it was refused or dropped before. */
  readonly appliedAtMs: number | undefined;
}

/** A call of which the device received only the beginning, so that it had no effect: the connection ended, or input came too late. */
export interface CutShort {
  /** The text on the wire of the journaled call starts with this. */
  readonly wireBegins: string;
  /** Unix milliseconds: when the input stopped. */
  readonly atMs: number;
}

/** The place of the lane's backend. `away` means the other device. */
export type Place = 'home' | 'away';

export interface ObjectDevice {
  /** For people. */
  readonly name: string;
  readonly driver: string;
  /** The values that it supports besides `first`. */
  readonly values: readonly Values[];
  /** Its share of the calls of each kind. 0 if it has no such calls. */
  readonly shares: Readonly<Record<AgainKind, number>>;
  /** The lane has a second device. */
  readonly moves: boolean;
  /** Input of `backendCreate`, without name, driver and limits. */
  backend(lane: number, place: Place): JsonObject;
  object(lane: number, number: number): TrialObject;
  /** Affects all writes on the lane's objects, until `calm`. */
  disturb(lane: number, disturbance: Disturbance): Promise<void>;
  calm(lane: number): Promise<void>;
  /** Executes dropped writes that were to take effect later now, if the device supports that. */
  release(lane: number): void;
  /** Creates, sets or removes an object of a lane's first device without a call, as a person would. */
  byHand(lane: number, object: TrialObject, state: Values | null): Promise<void>;
  /** All objects of the lane's devices now. */
  states(lane: number): Promise<ReadonlyMap<string, ObjectState>>;
  /** Removes them, without a call. */
  clear(lane: number): Promise<void>;
  /** For all lanes. */
  executions(): Promise<readonly Execution[]>;
  /** The same. Absent if such calls are recorded as executions. */
  cutShort?(): Promise<readonly CutShort[]>;
  /** The text on the wire of a journaled call. */
  wireOf(wireCall: string): string;
  /** The state of an object with these values. */
  stateOf(values: Values | null): ObjectState;
  /** The state that a call of this operation leaves. */
  leaves(operation: string, args: JsonObject): ObjectState;
  /** The state according to a mapping with these wanted values. */
  wanted(desired: JsonObject): ObjectState;
  stop(): Promise<void>;
}
