// Judges one step of a row by the requests that arrived and by the client's report.
import type { CallStep, FollowStep, WaitStep } from '../../clients/failure-table/row.ts';
import type { RowWorld, Seen, SeenKind, Step } from './row-world.ts';

/** A client's report of a task. */
export interface Report {
  readonly outcome?: string;
  readonly saw?: readonly string[];
  readonly gaveUp?: string | null;
}

/** Timers may fire a little early. */
const earlyMs = 10;
/** Minimum pause without a time from the server. A client that repeats at once would flood the network. */
const leastPauseMs = 5;
/** Events that a client may have received early if it reads at its user's pace: these, and the data in both kernels' buffers. */
const mostTakenEarlyBytes = 32 * 1024 * 1024;
const lateMs = 5_000;

/** Faults in words. Empty if correct. `tookMs`: time from the task to the report. */
export function faultsOf(world: RowWorld, step: Step, report: Report, tookMs: number): readonly string[] {
  const common = [...new Set(world.faults), ...pauseFaults(world.seen)];
  switch (step.do) {
    case 'call':
      return [...common, ...callFaults(world, step, report, tookMs), ...loginFaults(world, step.expects)];
    case 'wait':
      return [...common, ...waitFaults(world, step, report, tookMs)];
    case 'follow':
      return [...common, ...followFaults(world, step, report, tookMs), ...loginFaults(world, step.expects)];
  }
}

function callFaults(world: RowWorld, { expects, deadlineMs }: CallStep, report: Report, tookMs: number): string[] {
  const faults: string[] = [];
  const sends = world.seen.filter(({ kind }) => kind === 'send');
  const inputs = sends.map(({ args }) => args.input as Readonly<Record<string, unknown>>);
  const otherKey = inputs.find(({ idempotencyKey }) => idempotencyKey !== world.idempotencyKey)?.idempotencyKey;
  if (otherKey !== undefined)
    faults.push(`sent the key ${JSON.stringify(otherKey)} in place of the task's ${world.idempotencyKey}`);
  if (inputs.some((input) => !world.isTaskInput(input))) faults.push("sent another input than the task's");
  const keys = world.carriedOutKeys;
  if (keys.length > 1) faults.push(`had the call carried out ${keys.length} times, under different keys`);
  if (expects.isCarriedOut && keys.length === 0) faults.push('ended before the call was carried out');
  if (!expects.isCarriedOut && keys.length > 0)
    faults.push('repeated a call that was refused for good, until it was carried out');
  const outcomes = [expects.outcome].flat();
  if (!outcomes.some((each) => each === report.outcome))
    faults.push(`reports ${report.outcome ?? 'no outcome'}; it is ${outcomes.join(' or ')}`);
  const mostMs = (deadlineMs ?? 0) + lateMs;
  if (deadlineMs !== undefined && tookMs > mostMs)
    faults.push(`reported after ${Math.round(tookMs)} ms; its deadline was ${deadlineMs} ms`);
  return [...faults, ...countFaults(world, 'send', expects.sends, 'requests of the mutation')];
}

function waitFaults(world: RowWorld, { expects, timeoutMs }: WaitStep, report: Report, tookMs: number): string[] {
  const faults: string[] = [];
  if (report.outcome !== expects.outcome)
    faults.push(`reports ${report.outcome ?? 'no outcome'}; it is ${expects.outcome}`);
  if (timeoutMs !== undefined && tookMs < timeoutMs - earlyMs)
    faults.push(`gave up after ${Math.round(tookMs)} ms; its timeout was ${timeoutMs} ms`);
  if (timeoutMs !== undefined && tookMs > timeoutMs + lateMs)
    faults.push(`reported after ${Math.round(tookMs)} ms; its timeout was ${timeoutMs} ms`);
  const reads = world.seen.filter(({ kind }) => kind === 'read' || kind === 'look').length;
  return [...faults, ...outsideOf(reads, expects.reads, 'reads of the work')];
}

function followFaults(world: RowWorld, step: FollowStep, report: Report, tookMs: number): string[] {
  const { expects } = step;
  const faults: string[] = [];
  const saw = report.saw ?? [];
  if (!matches(saw, expects.saw))
    faults.push(`passed on ${shortened(saw) || 'nothing'}; it is ${shortened(expects.saw)}`);
  if ((report.gaveUp ?? undefined) !== expects.gaveUp)
    faults.push(`gave up with ${report.gaveUp ?? 'nothing'}; it is ${expects.gaveUp ?? 'not to give up'}`);
  if (tookMs < (step.consumerPauseMs ?? 0) - earlyMs)
    faults.push(`took all changes in ${Math.round(tookMs)} ms; its consumer has a pause of ${step.consumerPauseMs} ms`);
  const taken = world.takenEarlyBytes;
  if (step.consumerPauseMs !== undefined && taken > mostTakenEarlyBytes)
    faults.push(`took ${Math.round(taken / 1024 / 1024)} MiB while its consumer was busy with the first event`);
  return [...faults, ...countFaults(world, 'subscribe', expects.subscriptions, 'subscriptions')];
}

function loginFaults(world: RowWorld, { refreshes, logins }: CallStep['expects'] | FollowStep['expects']): string[] {
  return [
    ...(refreshes === undefined ? [] : countFaults(world, 'refresh', refreshes, 'exchanges of the refresh token')),
    ...(logins === undefined ? [] : countFaults(world, 'login', logins, 'logins')),
  ];
}

function countFaults(world: RowWorld, kind: SeenKind, range: readonly [number, number], what: string): string[] {
  return outsideOf(world.count(kind), range, what);
}

function outsideOf(count: number, [least, most]: readonly [number, number], what: string): string[] {
  if (count >= least && count <= most) return [];
  return [`sent ${count} ${what}; it is ${least === most ? least : `${least} to ${most}`}`];
}

/** Each answer with a retry time, and each lost answer, requires a pause before the next request of its kind. */
function pauseFaults(seen: readonly Seen[]): string[] {
  return seen.flatMap((each, index) => {
    const next = seen.slice(index + 1).find(({ kind }) => kind === each.kind);
    if (next === undefined || each.answeredAtMs === 0) return [];
    const pausedMs = next.atMs - each.answeredAtMs;
    if (each.retryAfterMs > 0 && pausedMs < each.retryAfterMs - earlyMs)
      return [
        `sent again after ${Math.round(pausedMs)} ms, before the ${each.retryAfterMs} ms that the answer asked for`,
      ];
    const isFailure = ['cut', 'page', 'redirect', 'silence'].includes(each.play);
    return isFailure && pausedMs < leastPauseMs ? ['sent again at once after a request without an answer'] : [];
  });
}

/** A question mark makes an entry optional. */
function matches(saw: readonly string[], expected: readonly string[]): boolean {
  const [first, ...rest] = expected;
  if (first === undefined) return saw.length === 0;
  if (saw[0] === first.replace('?', '') && matches(saw.slice(1), rest)) return true;
  return first.endsWith('?') && matches(saw, rest);
}

function shortened(texts: readonly string[]): string {
  return texts.length <= 12 ? texts.join(', ') : `${texts.slice(0, 6).join(', ')}, … (${texts.length})`;
}
