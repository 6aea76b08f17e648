// One round: a member dies and recovers. The lying vantage points are too few to decide, and everything else can go wrong too. Then comes a
// quiet period, in which the verdict must become the truth.
import { majorityRule, type QuorumRule, type Verdict } from '../../subgraphs/gslb/rules/quorum.ts';
import type { Random } from '../random.ts';
import { Conductor, type Parts, realParts, type VantagePoint } from './conductor.ts';
import { Checker, type Said, Timeline, type ToChecker, type ToConductor } from './world.ts';

export const freshMs = 5_000;
const faultsMs = 90_000;
const quietMs = 30_000;
const absentMs = 8_000;

export interface Round {
  readonly rule: QuorumRule;
  readonly conductor: Conductor;
  readonly said: readonly Said[];
  readonly vantagePoints: readonly VantagePoint[];
  /** The times when the member changed. It starts with UP. */
  readonly truth: readonly { readonly atMs: number; readonly verdict: Verdict }[];
  readonly liars: readonly string[];
  /** The number of faults of each kind. */
  readonly faults: ReadonlyMap<string, number>;
}

export function runRound(random: Random, parts: Parts = realParts): Round {
  const timeline = new Timeline();
  const vantagePoints = Array.from({ length: random.pick([1, 2, 3, 3, 4, 5, 7]) }, (_, at): VantagePoint => {
    const name = `vp${at}`;
    return { name, region: random.pick(['eu', 'us', 'ap']), checkers: [`${name}a`, `${name}b`] };
  });
  const rule = randomRule(random, vantagePoints);
  const conductor = new Conductor(parts, vantagePoints, rule, absentMs);
  const most = Math.ceil(vantagePoints.length / 2) - 1;
  const liars = random.shuffle(vantagePoints.map(({ name }) => name)).slice(0, random.integer(0, most));
  const truth: { atMs: number; verdict: Verdict }[] = [{ atMs: 0, verdict: 'UP' }];
  const isUp = () => truth.at(-1)?.verdict === 'UP';
  const said: Said[] = [];
  const faults = new Map<string, number>();
  const did = (fault: string) => void faults.set(fault, (faults.get(fault) ?? 0) + 1);
  const checkers = new Map<string, Checker>();
  const cut = new Set<string>();
  const slow = new Set<string>();
  const owners = new Map<string, string>();
  const quiet = () => timeline.nowMs >= faultsMs;

  /** Messages in either direction may be lost, late or duplicated, and therefore reordered. */
  const carry = (checker: string, deliver: () => void) => {
    if (cut.has(checker)) return did('lost');
    const copies = !quiet() && random.next() < 0.05 ? 2 : 1;
    if (copies > 1) did('doubled');
    for (let copy = 0; copy < copies; copy += 1) {
      const late = !quiet() && (slow.has(checker) ? random.next() < 0.5 : random.next() < 0.03);
      if (late) did('late');
      timeline.in(late ? random.integer(500, 20_000) : random.integer(1, 60), deliver);
    }
  };
  const toChecker = (checker: string, message: ToChecker) =>
    carry(checker, () => checkers.get(checker)?.receive(message));
  const tellEpoch = (checker: string, vantagePoint: string) =>
    toChecker(checker, { kind: 'EPOCH', epoch: conductor.epochOf(checker), owner: owners.get(vantagePoint) ?? '' });
  const receive = (message: ToConductor, vantagePoint: string) => {
    const { checker } = message;
    const stampMs = timeline.nowMs;
    if (message.kind === 'HELLO') {
      const incarnation = conductor.connect(checker);
      toChecker(checker, { kind: 'GRANT', nonce: message.nonce, incarnation, stampMs });
      tellEpoch(checker, vantagePoint);
      return;
    }
    const { incarnation, number } = message.batch;
    if (conductor.note(checker, message.batch, timeline.nowMs))
      toChecker(checker, { kind: 'TAKEN', incarnation, number, stampMs });
    else {
      toChecker(checker, { kind: 'REFUSED', incarnation });
      tellEpoch(checker, vantagePoint);
    }
  };
  const share = (vantagePoint: VantagePoint, owner: string) => {
    owners.set(vantagePoint.name, owner);
    conductor.share(vantagePoint);
    for (const checker of vantagePoint.checkers) tellEpoch(checker, vantagePoint.name);
  };

  for (const vantagePoint of vantagePoints) {
    const lies = liars.includes(vantagePoint.name);
    const lie = random.pick<() => Verdict>([
      () => (isUp() ? 'DOWN' : 'UP'),
      () => 'DOWN',
      () => random.pick(['UP', 'DOWN']),
    ]);
    const check = lies ? () => (quiet() ? (isUp() ? 'UP' : 'DOWN') : lie()) : (): Verdict => (isUp() ? 'UP' : 'DOWN');
    for (const name of vantagePoint.checkers) {
      const send = (message: ToConductor) => carry(name, () => receive(message, vantagePoint.name));
      checkers.set(name, new Checker({ name, vantagePoint: vantagePoint.name, timeline, random, check, send, said }));
    }
    share(vantagePoint, random.pick(vantagePoint.checkers));
  }

  const turn = () => {
    if (quiet()) return;
    truth.push({ atMs: timeline.nowMs, verdict: isUp() ? 'DOWN' : 'UP' });
    timeline.in(random.integer(5_000, 40_000), turn);
  };
  timeline.in(random.integer(3_000, 30_000), turn);
  const looks = () => {
    conductor.look(timeline.nowMs);
    timeline.in(1_000, looks);
  };
  timeline.in(1_000, looks);

  /** Starts a fault for a while. All faults end before the quiet period at the end. */
  const disturb = () => {
    if (quiet()) return;
    const vantagePoint = random.pick(vantagePoints);
    const name = random.pick(vantagePoint.checkers);
    const checker = checkers.get(name);
    const lastsMs = Math.min(random.integer(500, 25_000), faultsMs - timeline.nowMs);
    const fault = random.pick(['cut', 'slow', 'silent', 'starved', 'clock', 'shared'] as const);
    const other = checker?.state !== 'RUNS';
    if (fault === 'cut' || fault === 'slow') {
      const set = fault === 'cut' ? cut : slow;
      set.add(name);
      timeline.in(lastsMs, () => set.delete(name));
    } else if (fault === 'clock') {
      if (checker !== undefined) checker.clockOffsetMs += random.integer(-3_600_000, 3_600_000);
    } else if (fault === 'shared') share(vantagePoint, random.pick(vantagePoint.checkers));
    else if (other) return void timeline.in(100, disturb);
    else if (fault === 'silent') {
      checker.kill();
      timeline.in(lastsMs, () => checker.start());
    } else {
      checker.stop();
      timeline.in(lastsMs, () => checker.goOn());
    }
    did(fault);
    timeline.in(random.integer(200, 8_000), disturb);
  };
  timeline.in(random.integer(1_000, 10_000), disturb);
  timeline.runUntil(faultsMs + quietMs);
  return { rule, conductor, said, vantagePoints, truth, liars, faults };
}

/** A majority or more. Some rules require two regions, if there are two. */
function randomRule(random: Random, vantagePoints: readonly VantagePoint[]): QuorumRule {
  const watching = vantagePoints.length;
  const majority = majorityRule(watching, freshMs);
  const regions = new Set(vantagePoints.map(({ region }) => region)).size;
  const leastRegions = random.next() < 0.3 ? Math.min(2, regions) : 1;
  const share = random.pick([
    { percent: 51 },
    { percent: 67 },
    { count: watching },
    { count: Math.floor(watching / 2) + 1 },
  ]);
  return { ...majority, downAtLeast: share, upAtLeast: random.pick([share, majority.upAtLeast]), leastRegions };
}
