// When a member that came back serves again: at once, after it has been up for long enough, or when a person says so.
import type { Verdict } from './quorum.ts';

export type Failback =
  | { readonly mode: 'IMMEDIATE' }
  | { readonly mode: 'DELAYED'; readonly delayMs: number }
  | { readonly mode: 'MANUAL' };

export interface Served {
  /** Of its monitors together; null: none yet. */
  readonly verdict: Verdict | null;
  /** How long that verdict has been in force without a break. */
  readonly verdictForMs: number;
  /** Whether it served until now. */
  readonly serving: boolean;
  /** It was DOWN before: a first UP waits for nothing. */
  readonly wasDown: boolean;
  /** A person let it serve again since it is up. */
  readonly released: boolean;
}

export interface Failed {
  readonly serving: boolean;
  /** What it waits for although it is up; null: nothing. */
  readonly waitsFor: 'DELAY' | 'RELEASE' | null;
  /** When the delay is over; null: nothing is due. */
  readonly againInMs: number | null;
}

export function failback(rule: Failback, member: Served): Failed {
  const { verdict, verdictForMs, serving, wasDown, released } = member;
  if (verdict !== 'UP') return { serving: false, waitsFor: null, againInMs: null };
  const free = serving || !wasDown || released || rule.mode === 'IMMEDIATE';
  if (free || (rule.mode === 'DELAYED' && verdictForMs >= rule.delayMs))
    return { serving: true, waitsFor: null, againInMs: null };
  if (rule.mode === 'MANUAL') return { serving: false, waitsFor: 'RELEASE', againInMs: null };
  // A clock that jumped back shows less than nothing.
  return { serving: false, waitsFor: 'DELAY', againInMs: rule.delayMs - Math.max(verdictForMs, 0) };
}
