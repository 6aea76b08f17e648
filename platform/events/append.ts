// Writes status events in the transaction of the change, after the subject's own row, so that the events of one subject are in
// the order of its versions (invariant 3 of the event log).
import type { Condition, Transaction } from '../database/database.ts';
import { currentRequestId } from '../log/log.ts';
import { newUuid } from '../values/ids.ts';
import type { Wake } from '../work/wake.ts';
import type { EventKinds, StatusEvent } from './kinds.ts';

const columns =
  'event_id, project_id, kind, subject_type, subject_id, subject_version, from_status, to_status, reason, request_id, cmp_namespace, cmp_type, cmp_id, subject_name';
const placeholders = '?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?';
const longestName = 255;

/**
 * Writes events of the kinds that a subgraph has declared, in the caller's transaction, which has already updated (or locked) the
 * subject's row, and wakes the sequencer after the commit.
 */
export async function appendStatus<Kinds extends EventKinds>(
  tx: Transaction,
  kinds: Kinds,
  events: readonly StatusEvent<Kinds>[],
  wake: Pick<Wake, 'notify'>,
): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map((event) => rowOf(kindOf(kinds, event.kind), event));
  const texts = rows.map(({ sql }) => sql).join(', ');
  await tx.execute(
    `INSERT INTO status_change (${columns}) VALUES ${texts}`,
    rows.flatMap(({ values }) => values),
  );
  tx.afterCommit(() => wake.notify('status'));
}

function kindOf(kinds: EventKinds, kind: string): EventKinds[string] {
  const declared = kinds[kind];
  if (declared === undefined) throw new Error(`the kind of status event ${kind} is not declared`);
  return declared;
}

function rowOf(kind: EventKinds[string], event: StatusEvent): Condition {
  const name = nameOf(kind, event);
  return {
    sql: `(${placeholders}, ${name.sql})`,
    values: [
      newUuid(),
      event.projectId,
      event.kind,
      kind.subject,
      event.subjectId,
      event.subjectVersion,
      event.from,
      event.to,
      event.reason?.slice(0, 1024) ?? null,
      event.requestId ?? currentRequestId() ?? null,
      event.cmpObject?.namespace ?? null,
      event.cmpObject?.type ?? null,
      event.cmpObject?.externalId ?? null,
      ...name.values,
    ],
  };
}

/** Read by the same statement, so that events with names need no further one. */
function nameOf({ nameSql }: EventKinds[string], { subjectId, subjectName }: StatusEvent): Condition {
  if (subjectName != null) return { sql: '?', values: [subjectName.slice(0, longestName)] };
  if (nameSql == null) return { sql: 'NULL', values: [] };
  return { sql: `LEFT((${nameSql}), ${longestName})`, values: [subjectId] };
}
