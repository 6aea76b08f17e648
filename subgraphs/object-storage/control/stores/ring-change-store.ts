// SQL of changes of rings. Each is written in the transaction that has locked the federation.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { Ring, RingMember } from '../../../../platform/rings/ring.ts';
import { packClusters, unpackClusters } from '../../wire/documents/ring-clusters.ts';
import type { RingChangeState } from '../events.ts';

export interface RingChangeRow {
  /** UUID. */
  readonly id: string;
  /** Number of the ring. */
  readonly number: number;
  readonly state: RingChangeState;
  /** Set for a recovery, which moves nothing: the number of the cluster that lost its data. */
  readonly recovers: number | null;
  readonly stepsPlanned: number;
  readonly stepsDone: number;
  readonly movedShare: number;
  /** The current step. */
  readonly step: RingStep | undefined;
  readonly version: number;
  readonly createdAt: Date;
  /** When the version last increased. */
  readonly updatedAt: Date;
  readonly endedAt: Date | null;
}

interface RingStep {
  readonly epoch: number;
  /** Undefined if a cluster recovers in the existing ring. */
  readonly next: Ring | undefined;
}

interface Raw extends Omit<RingChangeRow, 'step'> {
  readonly stepEpoch: number | null;
  readonly stepReplicas: number | null;
  readonly stepMembers: string | null;
  readonly stepClusters: Buffer | null;
}

const columns = `id, number, state, recovers, steps_planned AS stepsPlanned, steps_done AS stepsDone, moved_share AS movedShare,
  step_epoch AS stepEpoch, step_replicas AS stepReplicas, step_members AS stepMembers, step_clusters AS stepClusters, version,
  created_at AS createdAt, updated_at AS updatedAt, ended_at AS endedAt`;

function toRow({ stepEpoch, stepReplicas, stepMembers, stepClusters, ...row }: Raw): RingChangeRow {
  if (stepEpoch === null) return { ...row, step: undefined };
  if (stepReplicas === null || stepMembers === null || stepClusters === null)
    return { ...row, step: { epoch: stepEpoch, next: undefined } };
  const members = JSON.parse(stepMembers) as readonly RingMember[];
  const next = { members, replicas: stepReplicas, clusters: unpackClusters(stepClusters, stepReplicas) };
  return { ...row, step: { epoch: stepEpoch, next } };
}

export async function readChanges(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, RingChangeRow>> {
  if (ids.length === 0) return new Map();
  const text = `SELECT ${columns} FROM object_ring_change WHERE id IN (${marksFor(ids)})`;
  return new Map((await sql.query<Raw>(text, ids)).map((raw) => [raw.id, toRow(raw)]));
}

/** Changes that have not ended: at most one for each ring. */
export async function liveChanges(sql: Sql): Promise<readonly RingChangeRow[]> {
  const text = `SELECT ${columns} FROM object_ring_change WHERE live_number IS NOT NULL ORDER BY live_number`;
  return (await sql.query<Raw>(text)).map(toRow);
}

interface RingChangeWish extends Pick<RingChangeRow, 'id' | 'number' | 'recovers' | 'movedShare'> {
  readonly steps: number;
}

/** Inserted in state RUNNING. */
export async function insertChange(
  tx: Transaction,
  { id, number, recovers, movedShare, steps }: RingChangeWish,
): Promise<void> {
  await tx.execute(
    `INSERT INTO object_ring_change (id, number, live_number, state, recovers, steps_planned, moved_share) VALUES (?, ?, ?, 'RUNNING', ?, ?, ?)`,
    [id, number, number, recovers, steps, movedShare],
  );
}

export async function beginStep(tx: Transaction, id: string, { epoch, next }: RingStep): Promise<void> {
  await tx.execute(
    `UPDATE object_ring_change SET step_epoch = ?, step_replicas = ?, step_members = ?, step_clusters = ?, version = version + 1,
      updated_at = NOW(3) WHERE id = ?`,
    [
      ...[epoch, next?.replicas ?? null, next === undefined ? null : JSON.stringify(next.members)],
      ...[next === undefined ? null : packClusters(next.clusters), id],
    ],
  );
}

/** True if the progress differs from the last event and that event is old enough. Records this progress as the last one. */
export async function tellsProgress(tx: Transaction, id: string, progress: string): Promise<boolean> {
  const { affectedRows } = await tx.execute(
    `UPDATE object_ring_change SET progress = ?, progress_at = NOW(3) WHERE id = ? AND live_number IS NOT NULL
      AND (progress IS NULL OR progress <> ?) AND (progress_at IS NULL OR ABS(TIMESTAMPDIFF(SECOND, progress_at, NOW(3))) >= 5)`,
    [progress, id, progress],
  );
  return affectedRows === 1;
}

export async function endStep(tx: Transaction, id: string): Promise<void> {
  await tx.execute(
    `UPDATE object_ring_change SET step_epoch = NULL, step_replicas = NULL, step_members = NULL, step_clusters = NULL,
      steps_done = steps_done + 1, version = version + 1, updated_at = NOW(3) WHERE id = ?`,
    [id],
  );
}

/** A change that has ended is no longer live. */
export async function setChangeState(tx: Transaction, id: string, state: RingChangeState): Promise<void> {
  const ends = state === 'SUCCEEDED' || state === 'CANCELLED';
  await tx.execute(
    `UPDATE object_ring_change SET state = ?, version = version + 1, updated_at = NOW(3)${ends ? ', live_number = NULL, step_epoch = NULL, ended_at = NOW(3)' : ''}
    WHERE id = ?`,
    [state, id],
  );
}
