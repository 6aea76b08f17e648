// The icons of names, members and machines.
import { type Mark, MarkBadge, shapes } from '../../view/icons.tsx';
import type { Member } from './kinds/member.ts';
import type { Name } from './kinds/name.ts';

const { check, cross, question, clock, pause, half, drain, dash } = shapes;
const hand = 'M5 8V4.5M7 7V3M9 7V3.5M11 8V5M5 8c0 4 1.5 5.5 3.5 5.5S11 12 11 8';

const operating: Readonly<Record<NonNullable<Name['operatingStatus']>, Mark>> = {
  ACTIVE: { tone: 'good', path: check },
  DEGRADED: { tone: 'warn', path: half },
  DOWN: { tone: 'bad', path: cross },
  ERROR: { tone: 'bad', path: cross },
};

const provisioning: Readonly<Record<Name['provisioningStatus'], Mark>> = {
  ACTIVE: { tone: 'good', path: check },
  PENDING: { tone: 'busy', path: clock },
  ERROR: { tone: 'bad', path: cross },
  DELETED: { tone: 'calm', path: dash },
};

const machines = {
  PRESENT: { tone: 'good', path: check },
  ABSTAINING: { tone: 'warn', path: half },
  ABSENT: { tone: 'bad', path: cross },
} as const satisfies Readonly<Record<string, Mark>>;

const votes = {
  UP: { tone: 'good', path: check },
  DOWN: { tone: 'bad', path: cross },
} as const satisfies Readonly<Record<string, Mark>>;

export function OperatingBadge({ status }: { readonly status: Name['operatingStatus'] }) {
  if (status === null) return <MarkBadge mark={{ tone: 'calm', path: question }} word="no verdict" />;
  return <MarkBadge mark={operating[status]} word={status} />;
}

/** Nothing while everything requested is answered. */
export function ProvisioningBadge({ status }: { readonly status: Name['provisioningStatus'] }) {
  if (status === 'ACTIVE') return null;
  return <MarkBadge mark={provisioning[status]} word={status === 'ERROR' ? 'change failed' : status} />;
}

export function FrozenBadge({ name: { frozenAt } }: { readonly name: Pick<Name, 'frozenAt'> }) {
  return frozenAt === null ? null : <MarkBadge mark={{ tone: 'warn', path: pause }} word="frozen" />;
}

/** Nothing while its checks decide. */
export function AdminBadge({ state }: { readonly state: Member['adminState'] }) {
  if (state === 'AUTO') return null;
  const mark: Mark = state === 'DRAIN' ? { tone: 'busy', path: drain } : { tone: 'warn', path: hand };
  return <MarkBadge mark={mark} word={state.replace('_', ' ')} />;
}

export function MachineBadge({ state }: { readonly state: keyof typeof machines }) {
  return <MarkBadge mark={machines[state]} word={state} />;
}

export function VoteBadge({ verdict }: { readonly verdict: keyof typeof votes | null }) {
  if (verdict === null) return <MarkBadge mark={{ tone: 'calm', path: question }} word="none" />;
  return <MarkBadge mark={votes[verdict]} word={verdict} />;
}

export function votePath(verdict: keyof typeof votes | null): string {
  return verdict === null ? question : votes[verdict].path;
}
