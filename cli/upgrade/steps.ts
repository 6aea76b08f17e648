// The processes of an upgrade, or of the way back, in the order in which they are restarted. Pure.
import type { NamedProcess } from '../../platform/database/registered-processes.ts';
import { type Look, type Program, runs } from './look.ts';

export interface Steps {
  /** In the version that they should have. */
  readonly done: readonly NamedProcess[];
  /** To restart, the next one first. */
  readonly left: readonly NamedProcess[];
  /** Names of processes that have ended in this run, and are not back. */
  readonly away: readonly string[];
  /** Processes that start. */
  readonly starting: number;
  /** It has come back so lately that gateways may not use it again yet. */
  readonly settling: string | undefined;
  /** The next process is beside the primary, and another host has the wanted version: the primary should move there first. */
  readonly needsSwitchover: boolean;
}

/** Gateways of 0.2.0 try a process again at most 10 s after they gave it up. */
export const settleSeconds = 10;

/** `seen`: names of processes that lived earlier in this run. */
export function stepsOf(
  { at, processes, starting, primaryHost }: Look,
  { program, back, seen }: { readonly program: Program; readonly back: boolean; readonly seen: ReadonlySet<string> },
): Steps {
  const isDone = (each: NamedProcess) => runs(each, program) !== back;
  const isAtPrimary = ({ host }: NamedProcess) => primaryHost !== undefined && host === primaryHost;
  const done = processes.filter(isDone);
  const left = processes.filter((each) => !isDone(each)).toSorted(inOrder(back, isAtPrimary));
  const live = new Set(processes.map(({ name }) => name));
  const [next] = left;
  const isYoung = ({ startedAt }: NamedProcess) => at.getTime() - startedAt.getTime() < settleSeconds * 1_000;
  return {
    ...{ done, left, starting: starting.length },
    away: [...seen].filter((name) => !live.has(name)),
    settling: next && done.find(isYoung)?.name,
    needsSwitchover: next !== undefined && isAtPrimary(next) && done.some((each) => !isAtPrimary(each)),
  };
}

/**
 * Hosts without the primary first. Then, because a gateway works with subgraphs of its own release or the next one, the gateways last, or first on
 * the way back. Then host by host.
 */
function inOrder(back: boolean, isAtPrimary: (each: NamedProcess) => boolean) {
  const sign = back ? -1 : 1;
  const compare = (one: string | null, other: string | null) => (one ?? '').localeCompare(other ?? '', 'en');
  return (one: NamedProcess, other: NamedProcess) =>
    Number(isAtPrimary(one)) - Number(isAtPrimary(other)) ||
    sign *
      (Number(hasGateway(one)) - Number(hasGateway(other)) ||
        compare(one.host, other.host) ||
        compare(one.name, other.name));
}

function hasGateway({ roles }: NamedProcess): boolean {
  return roles.includes('gateway');
}

export function isComplete({ left, away, starting }: Steps): boolean {
  return left.length === 0 && away.length === 0 && starting === 0;
}
