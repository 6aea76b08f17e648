// Whether a member serves, from the verdicts of its monitors, the administrator's state and failback. Pure.
import { type Failback, failback } from './failback.ts';
import type { Judgement } from './judge.ts';
import type { Verdict } from './quorum.ts';
import { soonest } from './soonest.ts';
import type { AdminState, OperatingStatus } from './states.ts';

/** Stored verdict of a member, or of one region's view of it. */
export interface KeptVerdict {
  /** Null if there is none yet. */
  readonly verdict: Verdict | null;
  /** How long it has been in force without a break. */
  readonly verdictForMs: number;
  readonly serving: boolean;
  /** It was DOWN since it last served. */
  readonly wasDown: boolean;
  /** A person has let it serve again since then. */
  readonly released: boolean;
}

export const newVerdict: KeptVerdict = {
  verdict: null,
  verdictForMs: 0,
  serving: false,
  wasDown: false,
  released: false,
};

/** Judgement by one monitor of the member. */
export type Monitored = Pick<Judgement, 'verdict' | 'undecided' | 'againInMs'>;

export interface Settled {
  readonly verdict: Verdict | null;
  readonly changed: boolean;
  /** Whether it has a monitor. */
  readonly monitored: boolean;
  /** Whether some monitor's verdict is unconfirmed. */
  readonly undecided: boolean;
  readonly waitsFor: 'DELAY' | 'RELEASE' | null;
  /** The verdict to store. */
  readonly kept: KeptVerdict;
  readonly againInMs: number | null;
}

/** UP if all monitors are UP, or if there is none. DOWN if one of them is DOWN. */
export function settle(monitors: readonly Monitored[], before: KeptVerdict, rule: Failback): Settled {
  const verdict = together(monitors) ?? before.verdict;
  const changed = verdict !== before.verdict;
  const verdictForMs = changed ? 0 : before.verdictForMs;
  const down = verdict === 'DOWN';
  const wasDown = down || before.wasDown;
  const released = !down && before.released;
  const back = failback(rule, { verdict, verdictForMs, serving: before.serving, wasDown, released });
  const { serving, waitsFor } = back;
  return {
    ...{ verdict, changed, waitsFor, monitored: monitors.length > 0 },
    undecided: monitors.some(({ undecided }) => undecided !== null),
    kept: { verdict, verdictForMs, serving, wasDown: wasDown && !serving, released: released && !serving },
    againInMs: soonest([back.againInMs, ...monitors.map(({ againInMs }) => againInMs)]),
  };
}

function together(monitors: readonly Monitored[]): Verdict | null {
  if (monitors.some(({ verdict }) => verdict === 'DOWN')) return 'DOWN';
  return monitors.every(({ verdict }) => verdict === 'UP') ? 'UP' : null;
}

interface MemberInput {
  readonly memberId: string;
  /** `endsInMs`: null if the state has no end. 0 or less if it has ended. */
  readonly admin: { readonly state: AdminState; readonly endsInMs: number | null };
  /** Verdict of all vantage points together. */
  readonly overall: Settled;
  /** Verdicts by region. Empty if one verdict applies to all clients. */
  readonly byRegion: ReadonlyMap<string, Settled>;
}

export interface MemberStanding {
  readonly memberId: string;
  /** Present state. An expired state of an administrator is AUTO. */
  readonly adminState: AdminState;
  /** State as name servers get it. */
  readonly up: boolean;
  readonly upIn: Readonly<Record<string, boolean>>;
  readonly withheld: boolean;
  /** Null if there is no verdict yet. */
  readonly status: OperatingStatus | null;
  /** Why it does not fully serve. Null if it does. */
  readonly message: string | null;
  readonly againInMs: number | null;
}

export function memberStanding({ memberId, admin, overall, byRegion }: MemberInput): MemberStanding {
  const over = admin.endsInMs !== null && admin.endsInMs <= 0;
  const adminState = over ? 'AUTO' : admin.state;
  const forced = adminState === 'FORCED_UP';
  const up = forced || overall.kept.serving;
  const upIn = forced ? {} : Object.fromEntries([...byRegion].map(([region, { kept }]) => [region, kept.serving]));
  const withheld = adminState === 'DRAIN' || adminState === 'FORCED_DOWN';
  const down = [...byRegion].filter(([region]) => upIn[region] === false);
  const settled = [overall, ...byRegion.values()];
  return {
    ...{ memberId, adminState, up, upIn, withheld },
    ...statusOf(adminState, overall, up, down),
    againInMs: soonest([over ? null : admin.endsInMs, ...settled.map(({ againInMs }) => againInMs)]),
  };
}

function statusOf(
  adminState: AdminState,
  { verdict, waitsFor, monitored }: Settled,
  up: boolean,
  downIn: readonly (readonly [region: string, settled: Settled])[],
): { readonly status: OperatingStatus | null; readonly message: string | null } {
  if (adminState === 'FORCED_DOWN') return { status: 'OFFLINE', message: 'an administrator forced it down' };
  if (adminState === 'FORCED_UP') return { status: 'ONLINE', message: null };
  if (verdict === null) return { status: null, message: 'no verdict yet' };
  if (!up)
    return {
      status: 'OFFLINE',
      message: waitsFor === null ? 'its vantage points report it as down' : `it is up again, and ${waitFor(waitsFor)}`,
    };
  if (downIn.length > 0) {
    const where = `for clients in ${downIn.map(([region]) => region).join(', ')}`;
    const waiting = downIn.map(([, each]) => each.waitsFor).find((each) => each !== null) ?? null;
    return {
      status: 'DEGRADED',
      message: waiting === null ? `it is down ${where}` : `it does not serve ${where}: it ${waitFor(waiting)}`,
    };
  }
  if (adminState === 'DRAIN') return { status: 'DRAINING', message: 'an administrator drains it' };
  return { status: monitored ? 'ONLINE' : 'NO_MONITOR', message: null };
}

function waitFor(what: 'DELAY' | 'RELEASE'): string {
  return `waits for ${what === 'DELAY' ? 'the end of the failback delay' : 'its release'}`;
}
