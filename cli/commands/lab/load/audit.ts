// The fate of acknowledged writes: each is read back, and checked against the firewall's own log and the subscription's events.
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type GraphEndpoint } from '../../../../clients/typescript/graph-request.ts';
import { readDeviceLog } from '../../../../lab/device-log.ts';
import type { SeenEvents } from './events.ts';
import { type Acknowledged, callName, type Tally, type Verdict } from './tally.ts';

const answerMs = 60_000;
const pauseMs = 500;
const eventsMs = 15_000;
const operationDocument = 'query ($id: ID!) { root: relayOperation(id: $id) { id state } }';
const mappingDocument = 'query ($id: ID!) { root: mapping(id: $id) { id version } }';

interface AuditOptions {
  readonly endpoint: GraphEndpoint;
  readonly events: SeenEvents;
  /** The firewall's log. Undefined if it can't be read. */
  readonly deviceLog: string | undefined;
  /** Unix time of the first write. */
  readonly begunAtMs: number;
  readonly signal: AbortSignal;
}

export async function audit(
  { acknowledged: writes, failedCalls }: Pick<Tally, 'acknowledged' | 'failedCalls'>,
  options: AuditOptions,
): Promise<Verdict> {
  const { deviceLog, begunAtMs } = options;
  const applied = deviceLog === undefined ? undefined : await appliedCalls(deviceLog, begunAtMs);
  let lost = 0;
  let repeated = 0;
  const newest = new Map<string, number>();
  for (const write of writes) {
    if (write.kind === 'plain') {
      newest.set(write.mappingId, Math.max(newest.get(write.mappingId) ?? 0, write.version));
      continue;
    }
    const found = await readBack(options, operationDocument, write.operationId);
    const times = applied?.get(callName(write.act, write.address)) ?? (applied === undefined ? 1 : 0);
    if (found?.state !== 'SUCCEEDED' || times === 0) lost += 1;
  }
  for (const times of applied?.values() ?? []) if (times > 1) repeated += 1;
  for (const [id, version] of newest) {
    const found = await readBack(options, mappingDocument, id);
    if (Number(found?.version ?? 0) < version) lost += 1;
  }
  const eventsMissed = await missed(writes, options);
  if (applied === undefined) return { lost, repeated: null, falselyFailed: null, eventsMissed };
  return { lost, repeated, falselyFailed: failedCalls.filter((call) => applied.has(call)).length, eventsMissed };
}

/** Undefined if there is none of that id. Throws when there is no answer. */
async function readBack(
  { endpoint, signal }: AuditOptions,
  document: string,
  id: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
  for (;;) {
    const reply = await ask(endpoint, document, { id }, deadline);
    if (reply.kind === 'answer') return 'id' in reply.value ? reply.value : undefined;
    if (deadline.aborted) throw new Error('the acknowledged writes can not be read back: there is no answer');
    await sleep(pauseMs, undefined, { signal: deadline }).catch(() => undefined);
  }
}

/** Number of executions of each call at the firewall, by act and address. */
async function appliedCalls(path: string, begunAtMs: number): Promise<ReadonlyMap<string, number>> {
  const calls = new Map<string, number>();
  for (const entry of await readDeviceLog(path)) {
    if (entry.atMs < begunAtMs || entry.kind !== 'apply' || entry.phase !== 'received') continue;
    const text = `${entry.args.join(' ')} ${entry.stdin}`;
    const act = text.includes('"delete"') ? 'delete' : 'add';
    for (const [, address = ''] of text.matchAll(/"(10\.\d+\.\d+\.\d+)"/g)) {
      const call = callName(act, address);
      calls.set(call, (calls.get(call) ?? 0) + 1);
    }
  }
  return calls;
}

/** Events may arrive some seconds later. */
async function missed(writes: readonly Acknowledged[], { events, signal }: AuditOptions): Promise<number> {
  const endsAtMs = performance.now() + eventsMs;
  for (;;) {
    const left = writes.filter((write) => !events.has(write)).length;
    if (left === 0 || performance.now() > endsAtMs || signal.aborted) return left;
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}
