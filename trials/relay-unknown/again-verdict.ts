// The judge of calls on existing objects: compares journal and mappings with the device's executions and its final objects.
import type { JsonObject } from '../../subgraphs/relay/drivers/driver.ts';
import type { CutShort, Execution, ObjectDevice, ObjectState } from './devices/objects.ts';
import type { JournalEvidence, JournalRow } from './evidence.ts';
import type { BackendWindow } from './mapping-changes.ts';
import type { Verdict } from './verdict.ts';

/** The trial's own knowledge of an object. */
export interface ObjectNotes {
  readonly byHand: { readonly atMs: number; readonly state: ObjectState }[];
  /** On the device. */
  atEnd: ObjectState;
}

type Device = Pick<ObjectDevice, 'wireOf' | 'leaves' | 'wanted'>;

export interface AgainEvidence extends JournalEvidence {
  readonly deviceOf: (backend: string) => Device | undefined;
  readonly executions: readonly Execution[];
  readonly cutShort: readonly CutShort[];
  /** By backend and key, with a space between. */
  readonly objects: ReadonlyMap<string, ObjectNotes>;
  readonly windows: readonly BackendWindow[];
}

type Fault =
  | 'repeated'
  | 'falseUnknown'
  | 'settledWrong'
  | 'unsettled'
  | 'wrongMappings'
  | 'resurrected'
  | 'sentTooLate';

const open: ReadonlySet<string> = new Set(['PENDING', 'SENT', 'UNKNOWN', 'ACCEPTED']);
/** The database's times have no microseconds. */
const roundedMs = 2;

export interface AgainVerdict extends Verdict {
  /** UNKNOWN calls of which the device received only the beginning. The relay can't know how much arrived. */
  readonly cutShort: number;
  /** Objects that are not judged because on a busy machine the device was later than a device may be. */
  readonly notJudged: number;
}

export function judgeAgain(evidence: AgainEvidence): AgainVerdict {
  const { rows, windows } = evidence;
  const faults = new Map<Fault, Set<string>>();
  const findings: string[] = [];
  const add = (fault: Fault, subject: string, about: string): void => {
    faults.set(fault, (faults.get(fault) ?? new Set()).add(subject));
    findings.push(`${fault}: ${about}`);
  };
  const { executed, unknown } = match(evidence);
  for (const execution of unknown)
    add('settledWrong', execution.wire, `executed, though sent by no call before: ${JSON.stringify(execution)}`);
  const of = (row: JournalRow): readonly Execution[] => executed.get(row.id) ?? [];
  const cutShort = matchCutShort(
    rows.filter((row) => row.wasUnknown && of(row).length === 0),
    evidence.cutShort,
  );
  const states: Record<string, number> = {};
  const all = Map.groupBy(rows, nameOf);
  // A call of a device that is later than allowed can't be settled.
  const isInTime = (row: JournalRow): boolean =>
    of(row).every(({ appliedAtMs = 0 }) => appliedAtMs <= (row.quietUntilMs ?? Number.POSITIVE_INFINITY));
  const objects = new Map([...all].filter(([, calls]) => calls.every(isInTime)));

  for (const [name, calls] of objects) {
    const device = deviceFor(evidence, calls);
    const history = historyOf(calls, of, evidence.objects.get(name), device);
    for (const row of calls) {
      const state = [row.state, row.errorCode].filter((each) => each !== null).join(' ');
      states[state] = (states[state] ?? 0) + 1;
      const about = describe(row, of(row));
      const applied = of(row).filter(({ appliedAtMs }) => appliedAtMs !== undefined);
      if (of(row).length > 1 || applied.length > 1) add('repeated', row.id, about);
      if (open.has(row.state)) add('unsettled', row.id, about);
      else if (row.state === 'SUCCEEDED' ? applied.length === 0 && !wasSo(row, history, device) : applied.length > 0)
        add('settledWrong', row.id, about);
      else if (row.neverSent && of(row).length > 0) add('settledWrong', row.id, about);
      if (row.wasUnknown && of(row).length === 0 && !cutShort.has(row.id)) add('falseUnknown', row.id, about);
      for (const execution of of(row))
        for (const wrong of wronglySent(row, execution, windows)) add('sentTooLate', row.id, `${wrong}: ${about}`);
    }
  }
  judgeMappings(evidence, objects, of, add);
  findings.push(...evidence.broken);
  const count = (fault: Fault): number => faults.get(fault)?.size ?? 0;
  return {
    operations: rows.length,
    wasUnknown: rows.filter((row) => row.wasUnknown).length,
    repeated: count('repeated'),
    falseUnknown: count('falseUnknown'),
    killedBeforeFirstByte: 0,
    pausedBeforeFirstByte: 0,
    settledWrong: count('settledWrong'),
    unsettled: count('unsettled'),
    wrongMappings: count('wrongMappings'),
    resurrected: count('resurrected'),
    claimsLeft: evidence.claims,
    invariants: evidence.broken.length,
    sentTooLate: count('sentTooLate'),
    sentAfterPause: 0,
    cutShort: cutShort.size,
    notJudged: all.size - objects.size,
    states,
    findings,
  };
}

const nameOf = ({ backend, objectKey }: Pick<JournalRow, 'backend' | 'objectKey'>): string => `${backend} ${objectKey}`;

function deviceFor({ deviceOf }: Pick<AgainEvidence, 'deviceOf'>, calls: readonly JournalRow[]): Device {
  const device = deviceOf(calls[0]?.backend ?? '');
  if (device === undefined) throw new Error(`there is no device of ${calls[0]?.backend}`);
  return device;
}

/**
 * The executions of each call. If calls have the same text on the wire, the last one that was sent before counts. A call recorded as never
 * sent counts only if there is no other. `unknown`: no call was sent before.
 */
function match({ rows, executions, deviceOf }: AgainEvidence) {
  const sent = rows.filter(({ sentAtMs }) => sentAtMs !== null);
  const byWire = Map.groupBy(sent, (row) => deviceFor({ deviceOf }, [row]).wireOf(row.wireCall));
  const found = new Map<string, Execution[]>();
  const unknown: Execution[] = [];
  for (const execution of executions) {
    const calls = byWire.get(execution.wire);
    if (calls === undefined) continue;
    const before = calls
      .filter(({ sentAtMs }) => Number(sentAtMs) <= execution.receivedAtMs)
      .sort((one, other) => Number(one.sentAtMs) - Number(other.sentAtMs));
    const row = before.findLast(({ neverSent }) => !neverSent) ?? before.at(-1);
    if (row === undefined) unknown.push(execution);
    else found.set(row.id, [...(found.get(row.id) ?? []), execution]);
  }
  return { executed: found as ReadonlyMap<string, readonly Execution[]>, unknown };
}

/** Each execution belongs to a single call, which was sent before and could still take effect. */
function matchCutShort(rows: readonly JournalRow[], cutShort: readonly CutShort[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { wireBegins, atMs } of cutShort) {
    const row = rows.find(
      ({ id, wireCall, sentAtMs, quietUntilMs }) =>
        !found.has(id) &&
        wireCall.startsWith(wireBegins) &&
        sentAtMs !== null &&
        sentAtMs <= atMs + roundedMs &&
        atMs <= (quietUntilMs ?? Number.POSITIVE_INFINITY),
    );
    if (row !== undefined) found.add(row.id);
  }
  return found;
}

interface Change {
  readonly atMs: number;
  readonly state: ObjectState;
}

/** The object's states, oldest first. */
function historyOf(
  calls: readonly JournalRow[],
  of: (row: JournalRow) => readonly Execution[],
  notes: ObjectNotes | undefined,
  device: Device,
): readonly Change[] {
  const changes = calls.flatMap((row) =>
    of(row).flatMap(({ appliedAtMs: atMs }) => (atMs === undefined ? [] : [{ atMs, state: leftBy(row, device) }])),
  );
  return [{ atMs: 0, state: null }, ...changes, ...(notes?.byHand ?? [])].sort((a, b) => a.atMs - b.atMs);
}

function leftBy(row: JournalRow, device: Device): ObjectState {
  return device.leaves(row.name, JSON.parse(row.arguments) as JsonObject);
}

/** Whether the object had the state that an idempotent call sets, at some time between sending and settling. */
function wasSo(row: JournalRow, history: readonly Change[], device: Device): boolean {
  const wanted = leftBy(row, device);
  const { sentAtMs, finishedAtMs } = row;
  if (row.settledBy !== 'probe' || sentAtMs === null || finishedAtMs === null) return false;
  return history.some(
    ({ atMs, state }, index) =>
      state === wanted && atMs <= finishedAtMs && (history[index + 1]?.atMs ?? Number.POSITIVE_INFINITY) >= sentAtMs,
  );
}

/** Calls that were sent after the backend was disabled, or to its former address. */
function wronglySent({ backend, sentAtMs }: JournalRow, { place }: Execution, windows: readonly BackendWindow[]) {
  if (sentAtMs === null) return [];
  const own = windows.filter((window) => window.backend === backend);
  const during = (window: BackendWindow) => sentAtMs > window.fromMs + roundedMs && sentAtMs < window.untilMs;
  const near = (window: BackendWindow) =>
    sentAtMs >= window.askedAtMs - roundedMs && sentAtMs <= window.backAtMs + roundedMs;
  const moves = own.filter(({ change }) => change === 'move');
  return [
    ...(own.some((window) => window.change === 'disable' && during(window)) ? ['sent while disabled'] : []),
    ...(place === 'home' && moves.some(during) ? ['sent to the former address'] : []),
    ...(place === 'away' && !moves.some(near) ? ['sent to an address before or after it was valid'] : []),
  ];
}

/** An object must be on the device, as wanted, exactly while it has a live mapping. Objects that were never mapped do not matter. */
function judgeMappings(
  evidence: AgainEvidence,
  objects: ReadonlyMap<string, readonly JournalRow[]>,
  of: (row: JournalRow) => readonly Execution[],
  add: (fault: 'wrongMappings' | 'resurrected', subject: string, about: string) => void,
): void {
  const { mappings, objects: notes } = evidence;
  const mapped = Map.groupBy(mappings, nameOf);
  for (const [name, calls] of objects) {
    if (calls.some(({ state }) => open.has(state))) continue;
    const device = deviceFor(evidence, calls);
    const all = mapped.get(name) ?? [];
    const atEnd = notes.get(name)?.atEnd ?? null;
    const live = all.filter(({ state }) => state !== 'DELETED');
    const wrong = live.filter(
      ({ state, desired }) => state !== 'ACTIVE' || device.wanted(JSON.parse(desired ?? '{}') as JsonObject) !== atEnd,
    );
    if (wrong.length === 0 && (live.length > 0 || all.length === 0 || atEnd === null)) continue;
    const shown = all.map(({ state, desired }) => `${state} ${state === 'DELETED' ? '' : desired}`).join(', ');
    const about = `${name} is mapped as [${shown}], and on the device it is ${atEnd}; ${calls.map((row) => describe(row, of(row))).join('; ')}`;
    add('wrongMappings', name, about);
    // A call that took effect after its outcome was recorded and its object was free.
    const late = calls.some(({ finishedAtMs, ...row }) =>
      of({ ...row, finishedAtMs }).some(({ appliedAtMs }) => Number(appliedAtMs) > Number(finishedAtMs) + roundedMs),
    );
    if (late) add('resurrected', name, about);
  }
}

function describe(row: JournalRow, executions: readonly Execution[]): string {
  const time = (ms: number | null | undefined) => (ms == null ? 'never' : new Date(ms).toISOString().slice(11, 23));
  const device = executions.map(
    ({ place, receivedAtMs, appliedAtMs }) => `${place} ${time(receivedAtMs)}, applied ${time(appliedAtMs)}`,
  );
  const why = [row.errorCode, row.settledBy].filter((each) => each !== null).join(' by ');
  return `${row.name} ${row.id} of ${row.key}, sent ${time(row.sentAtMs)}, ${row.state} (${why}) at ${time(row.finishedAtMs)}, the device [${device.join(' | ')}]`;
}
