// The icons of names, members and machines.
import { formatPresence } from '../../view/event-words.ts';
import { type Mark, MarkBadge, shapes } from '../../view/icons.tsx';
import type { Member } from './kinds/member.ts';
import type { Name } from './kinds/name.ts';

const { check, cross, question, pause, half, drain } = shapes;
const hand = 'M5 8V4.5M7 7V3M9 7V3.5M11 8V5M5 8c0 4 1.5 5.5 3.5 5.5S11 12 11 8';

const operating: Readonly<Record<Name['operatingStatus'], Mark>> = {
  ONLINE: { tone: 'good', path: check },
  DEGRADED: { tone: 'warn', path: half },
  DRAINING: { tone: 'busy', path: drain },
  OFFLINE: { tone: 'bad', path: cross },
  ERROR: { tone: 'bad', path: cross },
  NO_MONITOR: { tone: 'calm', path: check },
  UNKNOWN: { tone: 'calm', path: question },
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
  const word = status === 'UNKNOWN' ? 'no verdict' : status.replace('_', ' ');
  return <MarkBadge mark={operating[status]} word={word} />;
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

export function MachineBadge({ presence }: { readonly presence: keyof typeof machines }) {
  return <MarkBadge mark={machines[presence]} word={formatPresence(presence)} />;
}

export function votePath(verdict: keyof typeof votes | null): string {
  return verdict === null ? question : votes[verdict].path;
}
