// Which source made an object: a row beside the object, written in the transaction that makes it. So an interrupted run leaves no object without
// its row, and no row without its object.
import type { Transaction } from '../database/database.ts';
import { refuse } from './errors.ts';

/** A mutation that is about to commit. */
interface Written {
  readonly mutation: string;
  /** The type of the object in the graph, and its UUID. */
  readonly subject: string;
  readonly id: string;
  /** UUID; null: the object is of the installation. */
  readonly projectId: string | null;
  readonly source: string | undefined;
}

/** Refuses OTHER_SOURCE for an object that another source made, and a deletion of one that this source did not make. */
export async function noteSource(
  tx: Transaction,
  { mutation, subject, id, projectId, source }: Written,
): Promise<void> {
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
