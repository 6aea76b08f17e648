// The judge of the calls trials, which compares the clients' answers and the journal with the device's own log.
import type { Life } from '../../measure/part.ts';
import type { DeviceRecord, Disturbance } from './device-tail.ts';

/** The final answer to a client about one idempotency key. */
export interface Answer {
  readonly key: string;
  readonly outcome: 'SUCCEEDED' | 'FAILED' | 'UNKNOWN' | 'UNANSWERED';
  /** UUID. Undefined if no answer named an operation. */
  readonly operationId: string | undefined;
}

/** A row of the journal. */
export interface JournalRow {
  readonly id: string;
  /** The key of its request. */
  readonly key: string;
  readonly state: string;
  readonly errorCode: string | null;
  readonly settledBy: string | null;
  /** UUID of the process incarnation that carried it. */
  readonly owner: string | null;
  readonly sentAtMs: number | null;
  readonly deadlineAtMs: number | null;
  /** State of the mapping that it created. */
  readonly mappingState: string | null;
}

export interface Evidence {
  readonly answers: readonly Answer[];
  readonly journal: readonly JournalRow[];
  /** The idempotency table: operation by key. */
  readonly keys: ReadonlyMap<string, string>;
  readonly device: ReadonlyMap<string, DeviceRecord>;
  readonly disturbances: readonly Disturbance[];
  readonly lives: readonly Pick<Life, 'owner' | 'endedAtMs'>[];
}

export interface Verdict {
  readonly operations: number;
  readonly acknowledged: number;
  readonly unknown: number;
  /** The UNKNOWN calls on a device that never saw them and that were not provably unsent. Provable ones are in `falseUnknown`. */
  readonly unknownUnseen: number;
  /** The UNKNOWN calls whose connection was cut by a fault of another call. */
  readonly cutOff: number;
  readonly unanswered: number;
  readonly failed: number;
  readonly lost: number;
  readonly repeated: number;
  readonly falseUnknown: number;
  readonly notFinal: number;
  /** Calls reported as having no effect that the device received. */
  readonly wrongRejected: number;
  /** Descriptions of the faults in words. */
  readonly findings: readonly string[];
}

/** A call to a hanging device is abandoned at its deadline. The clocks can be compared, because they belong to the same machine. */
const toleranceMs = 1_000;

export function judge(evidence: Evidence): Verdict {
  const { answers, journal, keys, device } = evidence;
  const rows = new Map(journal.map((row) => [row.id, row]));
  const faults = new Faults();
  const of = (id: string) => device.get(id) ?? { received: 0, applied: 0 };

  const succeeded = answers.filter((answer) => answer.outcome === 'SUCCEEDED');
  for (const { key, operationId = '' } of succeeded) {
    const row = rows.get(operationId);
    const about = `key ${key}, acknowledged as operation ${operationId}`;
    if (row === undefined) faults.add('lost', operationId, `${about}: it is not in the journal`);
    else if (row.key !== key) faults.add('lost', operationId, `${about}: the journal has it for key ${row.key}`);
    else if (row.state !== 'SUCCEEDED') faults.add('lost', operationId, `${about}: the journal says ${row.state}`);
    else if (row.mappingState !== 'ACTIVE')
      faults.add('lost', operationId, `${about}: its mapping is ${row.mappingState ?? 'missing'}`);
    if (keys.get(key) !== operationId)
      faults.add('lost', operationId, `${about}: its key is of operation ${keys.get(key) ?? 'none'}`);
    if (of(operationId).applied !== 1)
      faults.add('lost', operationId, `${about}: the device applied it ${of(operationId).applied} times`);
  }

  const appliedByKey = new Map<string, string[]>();
  for (const row of journal) {
    const { received, applied } = of(row.id);
    const about = `${describe(row)}; the device received it ${received} times and applied it ${applied} times`;
    if (row.state === 'SUCCEEDED' && applied !== 1) faults.add('lost', row.id, about);
    if (received > 1 || applied > 1) faults.add('repeated', row.id, about);
    if (applied > 0) appliedByKey.set(row.key, [...(appliedByKey.get(row.key) ?? []), row.id]);
    if (row.state === 'PENDING' || row.state === 'SENT') faults.add('notFinal', row.id, about);
    const saysUnsent = row.state === 'REJECTED' || (row.state === 'FAILED' && row.errorCode === 'NOT_SENT');
    if ((saysUnsent && received > 0) || (row.state === 'FAILED' && applied > 0))
      faults.add('wrongRejected', row.id, about);
    if (row.state === 'UNKNOWN' && received === 0 && provablyUnsent(row, evidence) === 'yes')
      faults.add('falseUnknown', row.id, about);
  }
  for (const [key, ids] of appliedByKey)
    if (ids.length > 1) faults.add('repeated', key, `key ${key} was applied as operations ${ids.join(', ')}`);
  for (const id of device.keys())
    if (!rows.has(id)) faults.add('repeated', id, `operation ${id} is not in the journal`);

  const unknown = journal.filter((row) => row.state === 'UNKNOWN');
  const unseen = unknown.filter((row) => of(row.id).received === 0);
  return {
    operations: journal.length,
    acknowledged: succeeded.length,
    unknown: unknown.length,
    unknownUnseen: unseen.length,
    cutOff: unseen.filter((row) => provablyUnsent(row, evidence) === 'cut off').length,
    unanswered: answers.filter((answer) => answer.outcome === 'UNANSWERED').length,
    failed: answers.filter((answer) => answer.outcome === 'FAILED').length,
    lost: faults.count('lost'),
    repeated: faults.count('repeated'),
    falseUnknown: faults.count('falseUnknown'),
    notFinal: faults.count('notFinal'),
    wrongRejected: faults.count('wrongRejected'),
    findings: faults.findings,
  };
}

/**
 * Whether an UNKNOWN call that the device never saw was known to be unsent. That is so if it was never journaled as sent, or if the process
 * that carried it lived past the deadline and nothing else could have kept the call from the device.
 */
function provablyUnsent(row: JournalRow, { lives, disturbances }: Evidence): 'yes' | 'no' | 'cut off' {
  if (row.sentAtMs === null) return 'yes';
  const { sentAtMs } = row;
  const deadlineAtMs = row.deadlineAtMs ?? sentAtMs;
  const life = lives.find((each) => each.owner === row.owner);
  const lived = life !== undefined && (life.endedAtMs === undefined || life.endedAtMs > deadlineAtMs);
  if (!lived) return 'no';
  const callMs = deadlineAtMs - sentAtMs;
  const disturbed = disturbances.some(({ atMs, hang }) => {
    const cutAtMs = hang ? atMs + callMs : atMs;
    return cutAtMs >= sentAtMs - toleranceMs && cutAtMs <= deadlineAtMs + toleranceMs;
  });
  return disturbed ? 'cut off' : 'yes';
}

function describe(row: JournalRow): string {
  const why = [row.errorCode, row.settledBy].filter((each) => each !== null).join(' by ');
  const sent = row.sentAtMs === null ? 'never sent' : `sent ${new Date(row.sentAtMs).toISOString()}`;
  return `operation ${row.id} of key ${row.key} (owner ${row.owner}, ${sent}) is ${row.state}${why === '' ? '' : ` (${why})`}`;
}

type Kind = 'lost' | 'repeated' | 'falseUnknown' | 'notFinal' | 'wrongRejected';

/** Counts each subject once for each kind. */
class Faults {
  readonly findings: string[] = [];
  readonly #subjects = new Map<Kind, Set<string>>();

  add(kind: Kind, subject: string, text: string): void {
    this.#subjects.set(kind, (this.#subjects.get(kind) ?? new Set()).add(subject));
    this.findings.push(`${kind}: ${text}`);
  }

  count(kind: Kind): number {
    return this.#subjects.get(kind)?.size ?? 0;
  }
}
