// The states of a relayed call, and the table of their transitions. Every UPDATE of an operation's state is checked against it
// first, so that an impossible transition is a bug that throws, not a wrong row.
import { invariant } from '../../../platform/errors/errors.ts';

export const operationStates = ['PENDING', 'SENT', 'SUCCEEDED', 'FAILED', 'ACCEPTED', 'UNKNOWN', 'REJECTED'] as const;
export type OperationState = (typeof operationStates)[number];

/** States of a mapping between a CMP object and an object on a device. */
export const mappingStates = ['ACTIVE', 'UNVERIFIED', 'ORPHAN', 'DELETED'] as const;

/** Findings of a read of a mapped object. */
export const verifyResults = ['MATCHES', 'DRIFTED', 'MISSING'] as const;

/** The mover of a call: its owner (the process that carries it), the recovery of dead owners' calls, a probe, a person. */
export type Mover = 'owner' | 'recovery' | 'probe' | 'operator';

interface Transition {
  /** Null if the row is being inserted. */
  readonly from: OperationState | null;
  readonly to: OperationState;
  readonly by: readonly Mover[];
  /** The precondition; enforced by the statement's WHERE and by the calling code. */
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
    from: null,
    to: 'FAILED',
    by: ['owner'],
    guard:
      'nothing was sent, and the row keeps an INSERT whose fate is not known from taking effect; or as the next ones',
  },
  { from: null, to: 'SUCCEEDED', by: ['owner'], guard: 'reply interpreted; a failover lost the row' },
  { from: null, to: 'ACCEPTED', by: ['owner'], guard: 'reply interpreted; a failover lost the row' },
  { from: null, to: 'UNKNOWN', by: ['owner'], guard: 'no verdict; a failover lost the row' },
  {
    from: 'PENDING',
    to: 'SENT',
    by: ['owner'],
    guard: 'claim and lease token; COMMIT acknowledged before a byte is sent',
  },
  { from: 'PENDING', to: 'REJECTED', by: ['owner', 'recovery'], guard: 'never sent; no later timeline is lossy' },
  {
    from: 'PENDING',
    to: 'UNKNOWN',
    by: ['owner', 'recovery'],
    guard: 'a later timeline is lossy: it may have been sent; owner: it was, and has no verdict',
  },
  { from: 'PENDING', to: 'SUCCEEDED', by: ['owner'], guard: 'reply interpreted; a failover lost that it was sent' },
  { from: 'PENDING', to: 'FAILED', by: ['owner'], guard: 'reply interpreted; a failover lost that it was sent' },
  { from: 'PENDING', to: 'ACCEPTED', by: ['owner'], guard: 'reply interpreted; a failover lost that it was sent' },
  { from: 'SENT', to: 'SUCCEEDED', by: ['owner'], guard: 'reply interpreted' },
  { from: 'SENT', to: 'FAILED', by: ['owner'], guard: 'reply interpreted, or no byte was given to the kernel' },
  { from: 'SENT', to: 'ACCEPTED', by: ['owner'], guard: 'reply interpreted' },
  {
    from: 'SENT',
    to: 'UNKNOWN',
    by: ['owner', 'recovery'],
    guard: 'no verdict; recovery: deadline and grace passed, with a living owner also the send window',
  },
  {
    from: 'UNKNOWN',
    to: 'SUCCEEDED',
    by: ['owner', 'probe', 'operator'],
    guard: "late reply to the same owner, or evidence: before quiet_until only the call's own mark",
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

/** A final state has no successor. */
export function isFinal(state: OperationState): boolean {
  return finals.has(state);
}

/** In these states nothing changes without a probe. A waiting client waits for such a state. */
export function isEnded(state: OperationState): boolean {
  return ended.has(state);
}

/** True while the call keeps its claim on the backend object. */
export function keepsClaim(state: OperationState): boolean {
  return state === 'SENT' || state === 'UNKNOWN' || state === 'ACCEPTED';
}

/** True for a call that must be settled by a look at the device. Until then the next call on its object is refused. */
export function isUnsettled(state: OperationState | 'GONE'): boolean {
  return state === 'UNKNOWN' || state === 'ACCEPTED';
}

/** Throws on a transition that is not in the table. */
export function assertTransition(from: OperationState | null, to: OperationState, by: Mover): void {
  const possible = transitions.some((each) => each.from === from && each.to === to && each.by.includes(by));
  invariant(possible, `an operation can't go from ${from ?? 'nothing'} to ${to} by ${by}`);
}
