// Which source made an object: a row beside the object, written in the transaction that makes it. So an interrupted run leaves no object without
// its row, and no row without its object.
import type { Transaction } from '../database/database.ts';
import { refuse } from '../errors/errors.ts';

/** What is set rather than created: a role, a quota, the record of a host. */
export interface Setting {
  /** Its type in the graph. */
  readonly subject: string;
  /** UUID: `settingId` (manner.ts), or that of a row. */
  readonly id: string;
  /** UUID; null: it is of the installation. */
  readonly projectId: string | null;
  /** It was at its default before. A source that sets it then owns it. */
  readonly isNew: boolean;
  /** It is at its default again, which belongs to nobody. */
  readonly isDefault: boolean;
}

/** A mutation that is about to commit. */
interface Written {
  readonly mutation: string;
  /** The type of the object in the graph, and its UUID. */
  readonly subject: string;
  readonly id: string;
  /** UUID; null: the object is of the installation. */
  readonly projectId: string | null;
  readonly source: string | undefined;
  /** What it set, if that is not the subject. */
  readonly setting: Setting | null;
}

/** Refuses OTHER_SOURCE for an object that another source made, and a deletion of one that this source did not make. */
export async function noteSource(tx: Transaction, written: Written): Promise<void> {
  const { mutation, subject, id, projectId, source, setting } = written;
  if (setting !== null) return noteSetting(tx, setting, source);
  const verb = verbOf(mutation, subject);
  if (verb === 'Create') {
    if (source === undefined) return;
    const sql = 'INSERT INTO applied_object (id, subject_type, project_id, source) VALUES (?, ?, ?, ?)';
    await tx.execute(sql, [id, subject, projectId, source]);
    return;
  }
  const isDeletion = verb === 'Delete' || verb === 'Revoke';
  if (source !== undefined) {
    const [row] = await tx.query<{ source: string }>('SELECT source FROM applied_object WHERE id = ? FOR UPDATE', [id]);
    if (row !== undefined && row.source !== source)
      refuse('OTHER_SOURCE', `the source ${row.source} made it: change it there, or without a source`, atId);
    if (row === undefined && isDeletion)
      refuse('OTHER_SOURCE', `the source ${source} did not make it: delete it without a source`, atId);
  }
  if (isDeletion) await tx.execute('DELETE FROM applied_object WHERE id = ?', [id]);
}

/** Whoever sets it to its default ends the claim. */
async function noteSetting(tx: Transaction, setting: Setting, source: string | undefined): Promise<void> {
  const { id, subject, projectId, isNew, isDefault } = setting;
  if (source !== undefined) {
    if (isNew && !isDefault) {
      const sql =
        'INSERT INTO applied_object (id, subject_type, project_id, source) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE id = id';
      await tx.execute(sql, [id, subject, projectId, source]);
    }
    const [row] = await tx.query<{ source: string }>('SELECT source FROM applied_object WHERE id = ? FOR UPDATE', [id]);
    if (row !== undefined && row.source !== source)
      refuse('OTHER_SOURCE', `the source ${row.source} set it: change it there, or without a source`);
  }
  if (isDefault) await tx.execute('DELETE FROM applied_object WHERE id = ?', [id]);
}

/** With the project ends what its objects belonged to. */
export async function forgetSourcesOf(tx: Transaction, projectId: string): Promise<void> {
  await tx.execute('DELETE FROM applied_object WHERE project_id = ?', [projectId]);
}

/** Create for gslbPoolCreate of a GslbPool; undefined: another object's mutation. */
function verbOf(mutation: string, subject: string): string | undefined {
  const stem = `${subject.charAt(0).toLowerCase()}${subject.slice(1)}`;
  return mutation.startsWith(stem) ? mutation.slice(stem.length) : undefined;
}

const atId = { field: ['input', 'id'] };
