// A driver on trial: the operations whose arguments get texts, and how its device sees rendered calls.

import type {
  Driver,
  DriverOperation,
  JsonObject,
  RenderContext,
  TransportKind,
  WireCall,
} from '../../subgraphs/relay/drivers/driver.ts';
import { withDefaults } from '../../subgraphs/relay/drivers/options.ts';

export interface Subject {
  readonly driver: Driver;
  /** Operations that end at a command line or a shell. */
  readonly operations: readonly DriverOperation[];
  readonly context: RenderContext;
  /** Valid arguments, with as many fields as can be combined; `serial` makes each call's objects unique. */
  base(operation: string, serial: number): JsonObject;
  /** The difference between what the device would do and what was requested. Undefined if there is none. It may throw for the same reason. */
  misread(operation: string, args: JsonObject, call: WireCall): Promise<string | undefined> | string | undefined;
}

/** All calls have the same mark, because only its presence matters here, not its value. */
export const operationId = '01900000-0000-7000-8000-000000000042';

export function contextOf(driver: Driver, transport: TransportKind, options: JsonObject = {}): RenderContext {
  return {
    operationId,
    backend: { transport, options: withDefaults({ transport, ...options }, driver), softwareVersion: null },
  };
}

/** The first difference, with both values, shortened. */
export function difference(wanted: JsonObject, read: JsonObject): string | undefined {
  for (const name of new Set([...Object.keys(wanted), ...Object.keys(read)])) {
    const [one, other] = [canonicalJson(wanted[name]), canonicalJson(read[name])];
    if (one !== other) return `${name} is read as ${other.slice(0, 200)}, not ${one.slice(0, 200)}`;
  }
  return undefined;
}

/** The same JSON, regardless of the objects' prototypes. */
export function isSame(one: unknown, other: unknown): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

/** Sorted members, because their order has no meaning. */
function canonicalJson(value: unknown): string {
  const sorted = (_name: string, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each;
  return JSON.stringify(value, sorted) ?? 'nothing';
}
