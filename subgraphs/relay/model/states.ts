// The states of a relayed call, and the one table of how they may follow each other. Every UPDATE of an operation's state
// asks it first, so that an impossible transition is a bug that throws, not a row that lies.
import { invariant } from '../../../platform/errors.ts';

export const operationStates = ['PENDING', 'SENT', 'SUCCEEDED', 'FAILED', 'ACCEPTED', 'UNKNOWN', 'REJECTED'] as const;
export type OperationState = (typeof operationStates)[number];

/** Of a mapping between a CMP object and an object on a device. */
export const mappingStates = ['ACTIVE', 'UNVERIFIED', 'ORPHAN', 'DELETED'] as const;

/** What a look at a mapped object found. */
export const verifyResults = ['MATCHES', 'DRIFTED', 'MISSING'] as const;

/** Who moves a call: its owner (the process that carries it), the recoverer of dead owners' calls, a probe, a person. */
export type Mover = 'owner' | 'recovery' | 'probe' | 'operator';

export interface Transition {
  /** Null: the row is being made. */
  readonly from: OperationState | null;
  readonly to: OperationState;
  readonly by: readonly Mover[];
  /** What must hold; kept by the WHERE of the statement and by the code that calls it. */
  readonly guard: string;
}

export const transitions: readonly Transition[] = [
  { from: null, to: 'PENDING', by: ['owner'], guard: 'idempotency key in the same transaction' },
  {
    from: null,
    to: 'SENT',
    by: ['owner'],
    guard: 'key, claim and lease token in the same transaction; a slot is free',
  },
  {
    from: 'PENDING',
    to: 'SENT',
    by: ['owner'],
    guard: 'claim and lease token; COMMIT acknowledged before a byte is sent',
  },
  { from: 'PENDING', to: 'REJECTED', by: ['owner', 'recovery'], guard: 'never sent; the timeline is not lossy' },
  { from: 'PENDING', to: 'UNKNOWN', by: ['recovery'], guard: 'only on a lossy timeline: it may have been sent' },
  { from: 'SENT', to: 'SUCCEEDED', by: ['owner'], guard: 'reply interpreted' },
  { from: 'SENT', to: 'FAILED', by: ['owner'], guard: 'reply interpreted, or no byte was given to the kernel' },
  { from: 'SENT', to: 'ACCEPTED', by: ['owner'], guard: 'reply interpreted' },
  {
    from: 'SENT',
    to: 'UNKNOWN',
    by: ['owner', 'recovery'],
    guard: 'no verdict; recovery: owner dead, deadline and grace passed',
  },
  {
    from: 'UNKNOWN',
    to: 'SUCCEEDED',
    by: ['owner', 'probe', 'operator'],
    guard: 'late reply to the same owner, or evidence',
  },
  {
    from: 'UNKNOWN',
    to: 'FAILED',
    by: ['owner', 'probe', 'operator'],
    guard: 'late reply; evidence only after quiet_until',
  },
  { from: 'UNKNOWN', to: 'ACCEPTED', by: ['owner'], guard: 'late reply to the same owner' },
  { from: 'ACCEPTED', to: 'SUCCEEDED', by: ['probe', 'operator'], guard: "the job's end was read" },
  { from: 'ACCEPTED', to: 'FAILED', by: ['probe', 'operator'], guard: "the job's end was read" },
];

const finals: ReadonlySet<OperationState> = new Set(['SUCCEEDED', 'FAILED', 'REJECTED']);
const ended: ReadonlySet<OperationState> = new Set([...finals, 'ACCEPTED', 'UNKNOWN']);

/** Nothing follows a final state. */
export function isFinal(state: OperationState): boolean {
  return finals.has(state);
}

/** No more will be heard without asking: what a waiting client waits for. */
export function isEnded(state: OperationState): boolean {
  return ended.has(state);
}

/** True while the call keeps its claim on the backend object. */
export function keepsClaim(state: OperationState): boolean {
  return state === 'SENT' || state === 'UNKNOWN' || state === 'ACCEPTED';
}

/** True for a call that somebody has to settle, by looking: until then the next call on its object is refused. */
export function isUnsettled(state: OperationState | 'GONE'): boolean {
  return state === 'UNKNOWN' || state === 'ACCEPTED';
}

/** Throws on a transition that the table does not have. */
export function assertTransition(from: OperationState | null, to: OperationState, by: Mover): void {
  const possible = transitions.some((each) => each.from === from && each.to === to && each.by.includes(by));
  invariant(possible, `an operation can't go from ${from ?? 'nothing'} to ${to} by ${by}`);
}
