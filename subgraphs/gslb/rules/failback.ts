// When a recovered member serves again: at once, after it has been up for long enough, or when a person releases it.
import type { Verdict } from './quorum.ts';

export type Failback =
  | { readonly mode: 'IMMEDIATE' }
  | { readonly mode: 'DELAYED'; readonly delayMs: number }
  | { readonly mode: 'MANUAL' };

interface Served {
  /** Combined verdict of its monitors. Null if there is none yet. */
  readonly verdict: Verdict | null;
  /** How long that verdict has been in force without a break. */
  readonly verdictForMs: number;
  /** Whether it served until now. */
  readonly serving: boolean;
  /** It was DOWN before. A member that was never UP waits for nothing. */
  readonly wasDown: boolean;
  /** A person let it serve again since it is up. */
  readonly released: boolean;
}

interface Failed {
  readonly serving: boolean;
  /** What an UP member waits for. Null if it serves. */
  readonly waitsFor: 'DELAY' | 'RELEASE' | null;
  /** Time until the delay ends. Null if none is running. */
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
