// A step of a plan: one request for one object. Steps are plain data. carry-out.ts sends them.
import type { JsonObject, JsonValue } from '../../platform/values/json.ts';
import type { MutationName } from './mutations.ts';

/** `disable` and `reset` are for objects that can't be deleted. `keep`: missing from the file, but it stays. */
type Action = 'create' | 'update' | 'delete' | 'disable' | 'reset' | 'keep' | 'nothing';

/** A field that differs. */
export interface Change {
  /** For example limits.concurrency. */
  readonly field: string;
  /** Undefined if it is secret or can't be compared. */
  readonly from?: JsonValue | undefined;
  readonly to?: JsonValue | undefined;
}

export interface Request {
  readonly mutation: MutationName;
  /** Without the idempotency key. Each NotYetMade is replaced by an id. */
  readonly input: JsonObject;
  /** Observed state of the object. A request that must take effect again gets another key. */
  readonly seen?: JsonValue;
}

export interface Step {
  readonly kind: string;
  /** With its parents' names: web/default. */
  readonly name: string;
  readonly line: number;
  readonly action: Action;
  readonly changes: readonly Change[];
  /** Null if it was not created yet. */
  readonly id: string | null;
  /** Its id among the objects of sources, if that differs. */
  readonly ownId?: string;
  /** A part that belongs to the source because it has a document of its own. */
  readonly isSourced?: true;
  /** A note for people. */
  readonly note?: string;
  /** Undefined if there is nothing to do. */
  readonly request?: Request;
  /** Never shown. They are replaced in messages of the server. */
  readonly secrets: readonly string[];
  /** The line for a field of the input. */
  lineOf(field: readonly string[]): number;
}

const marker = 'notYetMade';

/** Stands for the id of an object that an earlier step creates. */
export function notYetMade(kind: string, name: string): JsonObject {
  return { [marker]: stepKey({ kind, name }) };
}

export function stepKey({ kind, name }: Pick<Step, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

/** The key of the step that makes it. Undefined if it is another value. */
export function awaited(value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const key = (value as JsonObject)[marker];
  return typeof key === 'string' ? key : undefined;
}

/** Kinds whose steps belong to a load balancer. Their names begin with its name. */
const ofBalancers: ReadonlySet<string> = new Set([
  ...['LoadBalancer', 'AutoscalingPolicy', 'Pool', 'PoolMember', 'PoolHealthMonitor', 'Listener', 'L7Policy', 'L7Rule'],
]);

interface Group {
  readonly of: string;
  readonly objects: Map<string, Step[]>;
}

/** The steps by kind, and within each kind by object, all in order. A plan has the kinds in the order of their references. */
export function groupsOf(steps: readonly Step[]): readonly (readonly (readonly Step[])[])[] {
  const groups: Group[] = [];
  for (const step of steps) {
    const isOfBalancer = ofBalancers.has(step.kind);
    const of = isOfBalancer ? 'LoadBalancer' : step.kind;
    const name = isOfBalancer ? (step.name.split('/')[0] ?? '') : step.name;
    const last = groups.at(-1);
    const group = last?.of === of ? last : { of, objects: new Map<string, Step[]>() };
    if (group !== last) groups.push(group);
    group.objects.set(name, [...(group.objects.get(name) ?? []), step]);
  }
  return groups.map(({ objects }) => [...objects.values()]);
}
