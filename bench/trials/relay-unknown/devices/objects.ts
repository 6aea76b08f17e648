// A trial's interface to a device whose objects are called again and again: calls on one object, ways to disturb them, and what
// the device itself knows of all calls and objects.
import type { JsonObject } from '../../../../subgraphs/relay/drivers/driver.ts';
import type { Disturbance } from './device.ts';

/** How the object of a dropped call is called again: with the same values, others, to remove it, or with a list in another order. */
export const againKinds = ['same', 'other', 'removed', 'reordered'] as const;
export type AgainKind = (typeof againKinds)[number];

/** What an object is, as text; null: it does not exist. */
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
  /** Creates it, or sets its values: as at first, others, or the first in another order. */
  create(values: Values): ObjectCall;
  /** Idempotent. */
  set(values: Values): ObjectCall;
  remove(): ObjectCall;
}

export const values = ['first', 'other', 'reordered'] as const;
export type Values = (typeof values)[number];

/** One execution by the device; times are Unix milliseconds. */
export interface Execution {
  readonly place: Place;
  /** As `wireOf` gives it for the call. */
  readonly wire: string;
  readonly receivedAtMs: number;
  /** Undefined: refused, or dropped before. */
  readonly appliedAtMs: number | undefined;
}

/** A call of which the device got only the beginning, so that it did nothing: of a connection that ended, or of input that came too late. */
export interface CutShort {
  /** The text on the wire of a journaled call begins with it. */
  readonly wireBegins: string;
  /** Unix milliseconds: when no more of it came. */
  readonly atMs: number;
}

/** Where the lane's backend is: `away` is another device. */
export type Place = 'home' | 'away';

export interface ObjectDevice {
  /** For people. */
  readonly name: string;
  readonly driver: string;
  /** What `Values` differ in, besides `first`. */
  readonly values: readonly Values[];
  /** Its part of the calls of each kind; 0: it has no such calls. */
  readonly shares: Readonly<Record<AgainKind, number>>;
  /** The lane has a second device. */
  readonly moves: boolean;
  /** Input of `backendCreate`, without name, driver and limits. */
  backend(lane: number, place: Place): JsonObject;
  object(lane: number, number: number): TrialObject;
  /** Affects all writes on the lane's objects, until `calm`. */
  disturb(lane: number, disturbance: Disturbance): Promise<void>;
  calm(lane: number): Promise<void>;
  /** Writes that were dropped and are to be done later are done now, where the device can be told so. */
  release(lane: number): void;
  /** Creates, sets or removes an object of a lane's first device without a call, like a person does. */
  byHand(lane: number, object: TrialObject, state: Values | null): Promise<void>;
  /** All objects of the lane's devices now. */
  states(lane: number): Promise<ReadonlyMap<string, ObjectState>>;
  /** Removes them, without a call. */
  clear(lane: number): Promise<void>;
  /** Of all lanes. */
  executions(): Promise<readonly Execution[]>;
  /** The same; absent: such calls are executions. */
  cutShort?(): Promise<readonly CutShort[]>;
  /** The text on the wire of a journaled call. */
  wireOf(wireCall: string): string;
  /** What an object with these values is. */
  stateOf(values: Values | null): ObjectState;
  /** The state that a call of this operation leaves. */
  leaves(operation: string, args: JsonObject): ObjectState;
  /** The state that a mapping with these wanted values says. */
  wanted(desired: JsonObject): ObjectState;
  stop(): Promise<void>;
}
