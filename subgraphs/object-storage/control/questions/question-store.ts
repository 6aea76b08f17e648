// SQL of questions to clusters. They are rows, so that any process may ask: the process that has the controller's link takes the row, asks,
// and writes the answer into it. The process that asked deletes it.
import type { Sql } from '../../../../platform/database/database.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';
import { heardController } from '../stores/controller-store.ts';

/** Topics that wake the process with a controller's link, and the process that waits for an answer. */
export const questionTopic = (controllerId: string) => `object-question/${controllerId}`;
export const answerTopic = (id: string) => `object-answer/${id}`;

export interface AskableController {
  /** UUID. */
  readonly id: string;
  /** Name of the cluster. */
  readonly cluster: string;
}

const mostControllers = 1_000;

/** Controllers that are present and connected to a process, in any order. */
export function askableControllers(sql: Sql): Promise<readonly AskableController[]> {
  return sql.query<AskableController>(
    `SELECT k.id, c.name AS cluster FROM object_controller k JOIN object_cluster c ON c.id = k.cluster_id
    WHERE c.live_name IS NOT NULL AND k.linked_to IS NOT NULL AND ${heardController} ORDER BY RAND() LIMIT ${mostControllers}`,
  );
}

export async function insertQuestion(
  sql: Sql,
  question: { readonly id: string; readonly controllerId: string; readonly body: string; readonly deadlineMs: number },
): Promise<void> {
  const { id, controllerId, body, deadlineMs } = question;
  await sql.execute(
    `INSERT INTO object_question (id, controller_id, body, deadline_at) VALUES (?, ?, ?, NOW(3) + INTERVAL ? MICROSECOND)`,
    [id, controllerId, body, Math.round(deadlineMs * 1_000)],
  );
}

export interface WaitingQuestion {
  readonly id: string;
  readonly body: string;
  readonly leftMs: number;
}

export async function waitingQuestions(
  sql: Sql,
  controllerId: string,
  most: number,
): Promise<readonly WaitingQuestion[]> {
  const rows = await sql.query<WaitingQuestion>(
    `SELECT id, body, TIMESTAMPDIFF(MICROSECOND, NOW(3), deadline_at) / 1000 AS leftMs FROM object_question
    WHERE controller_id = ? AND taken = 0 AND deadline_at > NOW(3) LIMIT ?`,
    [controllerId, most],
  );
  return rows.map((row) => ({ ...row, leftMs: Number(row.leftMs) }));
}

/** False if another connection of the controller has taken it. */
export async function takeQuestion(sql: Sql, id: string): Promise<boolean> {
  const text = 'UPDATE object_question SET taken = 1 WHERE id = ? AND taken = 0';
  return (await sql.execute(text, [id])).affectedRows === 1;
}

export async function storeAnswer(
  sql: Sql,
  id: string,
  { answer, failed }: { readonly answer?: string; readonly failed?: string },
): Promise<void> {
  const text = 'UPDATE object_question SET answer = ?, failed = ? WHERE id = ?';
  await sql.execute(text, [answer ?? null, failed?.slice(0, 1_000) ?? null, id]);
}

interface QuestionState {
  readonly taken: boolean;
  readonly answer: string | null;
  readonly failed: string | null;
}

export async function readQuestion(sql: Sql, id: string): Promise<QuestionState | undefined> {
  const [row] = await sql.query<Omit<QuestionState, 'taken'> & { readonly taken: number }>(
    'SELECT taken, answer, failed FROM object_question WHERE id = ?',
    [id],
  );
  return row && { ...row, taken: row.taken === 1 };
}

export async function deleteQuestion(sql: Sql, id: string): Promise<void> {
  await sql.execute('DELETE FROM object_question WHERE id = ?', [id]);
}

/** Forgets questions of processes that died before they read the answer. */
export async function forgetQuestions(sql: Sql): Promise<void> {
  await sql.execute(`DELETE FROM object_question WHERE deadline_at < ${trustedNow} - INTERVAL 1 MINUTE LIMIT 1000`);
}
