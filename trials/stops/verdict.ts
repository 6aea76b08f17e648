// The judge of one trial: compares the clients' answers, the journal and the event streams with what the device did.
import type { UserErrorCode } from '../../platform/errors/errors.ts';
import { noAnswer } from '../calls/gateway-client.ts';
import type { Attempt } from '../calls/stream.ts';
import { type Answer, type JournalRow, judge as judgeCalls } from '../calls/verdict.ts';
import { judgeItems, type LoggedItem, type TableRow } from '../events/verdict.ts';
import type { Applied } from './nft-monitor.ts';
import type { Read } from './reads.ts';

const figures = [
  'lost',
  'repeated',
  'eventGaps',
  'hung',
  'notRecovered',
  'wrongAnswers',
  'uncoded',
  'endedProcesses',
] as const;
export type Figure = (typeof figures)[number];
export type Finding = readonly [figure: Figure, what: string];

/** A stream of one client, with the events that it requested. */
interface Stream {
  readonly items: readonly LoggedItem[];
  readonly wanted: readonly TableRow[];
  /** Why it ended, or what it received that is not an item. */
  readonly faults: readonly string[];
}

export interface Evidence {
  /** Final answers under load. */
  readonly answers: readonly Answer[];
  /** Every request under load, in order of its reply. */
  readonly attempts: readonly Attempt[];
  readonly reads: readonly Read[];
  /** The same keys, sent again after recovery: the last reply of each. */
  readonly again: readonly Attempt[];
  /** From each SIGTERM to the end: requests that have reached the system must not be cut. */
  readonly drains: readonly { readonly fromMs: number; readonly toMs: number }[];
  readonly journal: readonly JournalRow[];
  readonly keys: ReadonlyMap<string, string>;
  /** How often the device received each operation. */
  readonly received: ReadonlyMap<string, { readonly received: number }>;
  /** The actions of its kernel. */
  readonly applied: ReadonlyMap<string, Applied>;
  readonly streams: readonly Stream[];
  readonly brokenInvariants: readonly string[];
}

/** Replies that nothing was done. */
const nothingDone: ReadonlySet<string> = new Set<UserErrorCode | 'NOT_SENT' | 'REJECTED'>([
  ...(['UNAVAILABLE', 'DISK_FULL', 'BUSY', 'RATE_LIMITED', 'CIRCUIT_OPEN'] as const),
  ...(['NOT_SENT', 'REJECTED'] as const),
]);
const refused = 'network: ECONNREFUSED';
/** By then a request has reached the system. A request that has not may be reset with its connection, as HTTP allows. */
const reachedMs = 100;

export function judge(evidence: Evidence): readonly Finding[] {
  return [
    ...judgeDevice(evidence),
    ...judgeReplies(evidence),
    ...judgeRepetitions(evidence),
    ...evidence.streams.flatMap(judgeStream),
    ...evidence.brokenInvariants.map((what): Finding => ['wrongAnswers', what]),
  ];
}

function judgeDevice({ answers, journal, keys, received, applied }: Evidence): readonly Finding[] {
  const device = new Map(
    [...new Set([...received.keys(), ...applied.keys()])].map((id) => [
      id,
      { received: received.get(id)?.received ?? 0, applied: applied.get(id)?.times ?? 0 },
    ]),
  );
  // Without the lives of processes: the reasons of UNKNOWN are judged by `trials -- calls`.
  const { findings } = judgeCalls({ answers, journal, keys, device, disturbances: [], lives: [] });
  return findings.map((finding): Finding => {
    const [, kind = '', what = ''] = /^(\w+): (.*)$/s.exec(finding) ?? [];
    return kind === 'lost' || kind === 'repeated' ? [kind, what] : ['wrongAnswers', finding];
  });
}

function judgeReplies({ answers, attempts, reads, again, drains, applied, keys }: Evidence): readonly Finding[] {
  const findings: Finding[] = [];
  const changes = [...attempts, ...again].map(({ request, ...rest }) => ({ name: request.key, ...rest }));
  for (const { name, reply, startedAtMs, endedAtMs } of [
    ...changes,
    ...reads.map((each) => ({ name: 'a read', ...each })),
  ]) {
    const about = `${name}, asked at ${new Date(startedAtMs).toISOString()}`;
    if (reply?.kind === 'unexpected') findings.push(['uncoded', `${about}: ${reply.what}`]);
    if (reply?.kind !== 'again') continue;
    if (reply.why === noAnswer) findings.push(['hung', `${about}: no answer after ${endedAtMs - startedAtMs} ms`]);
    const cut = drains.some(
      ({ fromMs, toMs }) => startedAtMs + reachedMs <= fromMs && endedAtMs >= fromMs && endedAtMs <= toMs,
    );
    if (cut && reply.why.startsWith('network') && reply.why !== refused)
      findings.push(['uncoded', `${about}, while the system stopped: ${reply.why}`]);
  }
  for (const { key, outcome } of answers)
    if (outcome === 'UNANSWERED') findings.push(['hung', `${key} has no final answer`]);
  // The device received the call before the first request that could have caused it.
  for (const [key, tries] of Map.groupBy(attempts, ({ request }) => request.key)) {
    const first = tries.find(({ reply }) => reply.kind !== 'again' || !nothingDone.has(reply.why));
    const told = applied.get(keys.get(key) ?? '');
    if (told !== undefined && told.firstAtMs < (first?.startedAtMs ?? Number.POSITIVE_INFINITY))
      findings.push([
        'wrongAnswers',
        `${key}: told to the device, though every answer until then says that nothing was done`,
      ]);
  }
  return findings;
}

/** A key with a result gives the same result again. */
function judgeRepetitions({ answers, again }: Evidence): readonly Finding[] {
  const replies = new Map(again.map(({ request, reply }) => [request.key, reply]));
  return answers.flatMap(({ key, outcome, operationId }): Finding[] => {
    const reply = replies.get(key);
    if (outcome === 'UNANSWERED' || reply === undefined) return [];
    const same = reply.kind === 'ended' && reply.operationId === operationId;
    // An unknown outcome may have been settled since.
    if (same && (reply.state === outcome || outcome === 'UNKNOWN')) return [];
    const figure = outcome === 'SUCCEEDED' && reply.kind !== 'ended' ? 'lost' : 'wrongAnswers';
    return [[figure, `${key} was ${outcome} as ${operationId}; sent again: ${JSON.stringify(reply)}`]];
  });
}

function judgeStream({ items, wanted, faults }: Stream): readonly Finding[] {
  const verdict = judgeItems(items, wanted);
  return [
    ...Object.entries(verdict).flatMap(([what, times]): Finding[] =>
      times === 0 ? [] : [['eventGaps', `${what} of a stream: ${times}`]],
    ),
    ...faults.map((fault): Finding => ['eventGaps', `a stream: ${fault}`]),
  ];
}

/** All figures, those without findings as 0. */
export function count(findings: readonly Finding[]): Record<Figure, number> {
  const counts = Object.fromEntries(figures.map((figure) => [figure, 0])) as Record<Figure, number>;
  for (const [figure] of findings) counts[figure] += 1;
  return counts;
}
