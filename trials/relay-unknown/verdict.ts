// The judge of the trials: compares the journal's final state with the device's own log.
import type { Life } from '../../measure/part.ts';
import type { DeviceRecord } from './devices/device.ts';
import type { JournalEvidence, JournalRow } from './evidence.ts';

export interface Evidence extends JournalEvidence {
  readonly device: ReadonlyMap<string, DeviceRecord>;
  readonly lives: readonly Pick<Life, 'owner' | 'endedAtMs'>[];
  readonly pauses: readonly Pause[];
}

/** A relay that was stopped for a while; Unix milliseconds. */
export interface Pause {
  readonly owner: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Numbers of calls, unless noted. */
export interface Verdict {
  readonly operations: number;
  /** Calls that were UNKNOWN at some time. */
  readonly wasUnknown: number;
  /** Arrived at the device, or executed, more than once; or two calls with the same key were. */
  readonly repeated: number;
  /** UNKNOWN although never sent, by a process that lived long enough to know. */
  readonly falseUnknown: number;
  /** UNKNOWN and never seen by the device: its process was killed after the journal recorded it as sent. Nobody can know the outcome. */
  readonly killedBeforeFirstByte: number;
  /** The same for a paused process: its backend was taken over, and others can't know. */
  readonly pausedBeforeFirstByte: number;
  /** Recorded as executed although it was not, or the other way round. */
  readonly settledWrong: number;
  /** Its outcome remains unknown. */
  readonly unsettled: number;
  /** Objects whose mapping differs from the device. */
  readonly wrongMappings: number;
  /** Of these: by a call that took effect after its outcome was recorded and its object was free. */
  readonly resurrected: number;
  /** Objects that remain claimed. */
  readonly claimsLeft: number;
  /** Broken invariants of the tables. */
  readonly invariants: number;
  /** Arrived at the device later than a relay may send it. */
  readonly sentTooLate: number;
  /** Sent after its relay was paused, but within the send window, which is allowed. */
  readonly sentAfterPause: number;
  /** Number of calls by state. */
  readonly states: Readonly<Record<string, number>>;
  /** Descriptions of the faults in words. */
  readonly findings: readonly string[];
}

export interface Window {
  /** From the SENT transaction to the first byte. */
  readonly sendWindowMs: number;
  /** From the first byte to the device's log. */
  readonly arrivalMs: number;
}

/** The same on a machine that is busy for a moment. */
const busyArrivalMs = 5_000;

type Fault = 'repeated' | 'falseUnknown' | 'settledWrong' | 'unsettled' | 'wrongMappings' | 'sentTooLate';

const open: ReadonlySet<string> = new Set(['PENDING', 'SENT', 'UNKNOWN', 'ACCEPTED']);
const nothing: DeviceRecord = { receivedAtMs: [], appliedAtMs: [] };

export function judge(evidence: Evidence, window: Window): Verdict {
  const { rows, device } = evidence;
  const faults = new Map<Fault, Set<string>>();
  const findings: string[] = [];
  const add = (fault: Fault, subject: string, about: string): void => {
    faults.set(fault, (faults.get(fault) ?? new Set()).add(subject));
    findings.push(`${fault}: ${about}`);
  };
  const of = (row: JournalRow): DeviceRecord => device.get(row.id) ?? nothing;
  const states: Record<string, number> = {};
  const unseen = { killed: 0, paused: 0 };
  let sentAfterPause = 0;
  const arrivalMs = Math.max(window.arrivalMs, slowestUnpaused(evidence));

  for (const row of rows) {
    const { receivedAtMs, appliedAtMs } = of(row);
    const about = describe(row, of(row));
    const state = [row.state, row.errorCode].filter((each) => each !== null).join(' ');
    states[state] = (states[state] ?? 0) + 1;
    if (receivedAtMs.length > 1 || appliedAtMs.length > 1) add('repeated', row.id, about);
    if (open.has(row.state)) add('unsettled', row.id, about);
    else if ((row.state === 'SUCCEEDED') !== appliedAtMs.length > 0) add('settledWrong', row.id, about);
    if (row.wasUnknown && receivedAtMs.length === 0) {
      const whose = whoseSilence(row, evidence, arrivalMs);
      if (whose === 'its own') add('falseUnknown', row.id, about);
      else unseen[whose] += 1;
    }
    const late = lateness(row, receivedAtMs, evidence.pauses, { ...window, arrivalMs });
    if (late === 'too late') add('sentTooLate', row.id, about);
    if (late === 'after a pause') sentAfterPause += 1;
  }
  // Each idempotency key is used for one operation name of one CMP object.
  for (const [key, calls] of Map.groupBy(rows, (row) => `${row.name} of ${row.key}`)) {
    const applied = calls.filter((row) => of(row).appliedAtMs.length > 0);
    if (applied.length > 1) add('repeated', key, `${key} was carried out as operations ${applied.map(({ id }) => id)}`);
  }
  judgeMappings(evidence, of, (object, about) => add('wrongMappings', object, about));
  findings.push(...evidence.broken);
  const count = (fault: Fault): number => faults.get(fault)?.size ?? 0;
  return {
    operations: rows.length,
    wasUnknown: rows.filter((row) => row.wasUnknown).length,
    repeated: count('repeated'),
    falseUnknown: count('falseUnknown'),
    killedBeforeFirstByte: unseen.killed,
    pausedBeforeFirstByte: unseen.paused,
    settledWrong: count('settledWrong'),
    unsettled: count('unsettled'),
    wrongMappings: count('wrongMappings'),
    resurrected: 0,
    claimsLeft: evidence.claims,
    invariants: evidence.broken.length,
    sentTooLate: count('sentTooLate'),
    sentAfterPause,
    states,
    findings,
  };
}

/**
 * Why the device never saw an UNKNOWN call: its process was killed or paused when it was journaled as sent. Without such an outside cause,
 * a process that lived to the deadline knew that it had sent nothing, and should have recorded that. `lateMs`: a busy machine notices the
 * end of a relay late, and a call's arrival too.
 */
function whoseSilence(row: JournalRow, { lives, pauses }: Evidence, lateMs: number): 'its own' | 'killed' | 'paused' {
  const { sentAtMs } = row;
  if (sentAtMs === null) return 'its own';
  const deadlineAtMs = row.deadlineAtMs ?? sentAtMs;
  const life = lives.find(({ owner }) => owner === row.owner);
  if (life === undefined || (life.endedAtMs !== undefined && life.endedAtMs <= deadlineAtMs + lateMs)) return 'killed';
  return wasPaused(pauses, row.owner, sentAtMs, deadlineAtMs) ? 'paused' : 'its own';
}

const wasPaused = (pauses: readonly Pause[], owner: string | null, fromMs: number, untilMs: number): boolean =>
  pauses.some((pause) => pause.owner === owner && pause.fromMs <= untilMs && pause.untilMs >= fromMs);

/** The longest time until the device logged a call whose relay was not paused in between: a busy machine delays all of them. */
function slowestUnpaused({ rows, device, pauses }: Evidence): number {
  const tookMs = rows.flatMap(({ id, owner, sentAtMs }) => {
    const [received] = device.get(id)?.receivedAtMs ?? [];
    if (received === undefined || sentAtMs === null || wasPaused(pauses, owner, sentAtMs, received)) return [];
    return [received - sentAtMs];
  });
  return Math.min(busyArrivalMs, Math.max(0, ...tookMs));
}

function lateness(
  { owner, sentAtMs }: JournalRow,
  receivedAtMs: readonly number[],
  pauses: readonly Pause[],
  { sendWindowMs, arrivalMs }: Window,
): 'in time' | 'after a pause' | 'too late' {
  const [received] = receivedAtMs;
  if (received === undefined || sentAtMs === null) return 'in time';
  const paused = wasPaused(pauses, owner, sentAtMs, received);
  if (received - sentAtMs > sendWindowMs + (paused ? arrivalMs : busyArrivalMs)) return 'too late';
  const after = pauses.some((pause) => pause.untilMs <= received && wasPaused([pause], owner, sentAtMs, received));
  return after ? 'after a pause' : 'in time';
}

/** An object is on the device if it was created and not removed; unsettled calls leave it open. */
function judgeMappings(
  { rows, mappings }: Evidence,
  of: (row: JournalRow) => DeviceRecord,
  wrong: (object: string, about: string) => void,
): void {
  const objectOf = ({ backend, objectKey }: { readonly backend: string; readonly objectKey: string }) =>
    `${backend} ${objectKey}`;
  const live = new Map<string, string[]>();
  for (const mapping of mappings) {
    if (mapping.state === 'DELETED') continue;
    live.set(objectOf(mapping), [...(live.get(objectOf(mapping)) ?? []), mapping.state]);
  }
  for (const [object, calls] of Map.groupBy(rows, objectOf)) {
    const found = live.get(object) ?? [];
    live.delete(object);
    if (calls.some((row) => open.has(row.state))) {
      if (found.includes('ACTIVE')) wrong(object, `object ${object} has an unsettled call and is ${found}`);
      continue;
    }
    const did = (effect: string) => calls.some((row) => row.mapping === effect && of(row).appliedAtMs.length > 0);
    const expected = did('creates') && !did('deletes') ? ['ACTIVE'] : [];
    if (found.join() !== expected.join())
      wrong(object, `object ${object} is mapped as ${found.join() || 'nothing'}, not ${expected.join() || 'nothing'}`);
  }
  for (const [object, found] of live) wrong(object, `object ${object} is ${found}, and there is no call on it`);
}

function describe(row: JournalRow, { receivedAtMs, appliedAtMs }: DeviceRecord): string {
  const why = [row.errorCode, row.settledBy].filter((each) => each !== null).join(' by ');
  const time = (ms: number) => new Date(ms).toISOString();
  const sent = row.sentAtMs === null ? 'never sent' : `sent ${time(row.sentAtMs)}`;
  const device = `received [${receivedAtMs.map(time)}], applied [${appliedAtMs.map(time)}]`;
  return `${row.name} ${row.id} of key ${row.key} on ${row.backend} (owner ${row.owner}, ${sent}) is ${row.state} (${why}); the device: ${device}`;
}
