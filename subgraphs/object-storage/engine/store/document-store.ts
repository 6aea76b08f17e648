// The control plane's signed documents as this cluster has them: the newest of each. They are verified before they are stored.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { Position } from '../../../../platform/values/positions.ts';
import type { VerifiedDocument } from '../../wire/documents/signed-document.ts';
import { readStored, type StoredDocument } from '../../wire/documents/stored-document.ts';

interface ArrivedDocument extends StoredDocument {
  /** Increases with each stored document, in commit order. */
  readonly arrival: number;
}

interface DocumentRow extends Omit<ArrivedDocument, 'key'> {
  readonly document_key: string;
}

const columns = 'kind, document_key, generation, body, signature, arrival';
const mostAtOnce = 500;
/** The clocks of a cluster's hosts are this close. */
const mostAheadMs = 60_000;
const nowMs = 'FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000)';

export class DocumentStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Stores documents that are newer than the existing ones, all or none. `position`: the cluster then has every document up to it.
   * @returns the stored documents
   */
  async put(documents: readonly StoredDocument[], position?: Position): Promise<readonly StoredDocument[]> {
    if (documents.length === 0 && position === undefined) return [];
    return this.#db.transaction(async (tx) => {
      // Serialises writers, so that arrivals become visible in order.
      const [counter] = await tx.query<{ number: number }>(
        "SELECT number FROM store_counter WHERE name = 'documents' FOR UPDATE",
      );
      if (position !== undefined) await setPosition(tx, position);
      if (documents.length === 0) return [];
      const rows = await tx.query<Pick<DocumentRow, 'kind' | 'document_key' | 'generation'>>(
        `SELECT kind, document_key, generation FROM store_document
          WHERE (kind, document_key) IN (${documents.map(() => '(?, ?)').join(', ')})`,
        documents.flatMap(({ kind, key }) => [kind, key]),
      );
      const known = new Map(rows.map((row) => [`${row.kind}/${row.document_key}`, row.generation]));
      let arrival = counter?.number ?? 0;
      const newer: StoredDocument[] = [];
      for (const document of documents) {
        const { kind, key, generation, body, signature } = document;
        if (generation <= (known.get(`${kind}/${key}`) ?? -1)) continue;
        known.set(`${kind}/${key}`, generation);
        arrival += 1;
        newer.push(document);
        await tx.execute(
          `INSERT INTO store_document (${columns}) VALUES (${marksFor({ length: 6 })}) ON DUPLICATE KEY UPDATE
            generation = VALUES(generation), body = VALUES(body), signature = VALUES(signature), arrival = VALUES(arrival)`,
          [kind, key, generation, body, signature, arrival],
        );
        if (kind === 'history') arrival = await voidOlder(tx, document, arrival);
      }
      if (newer.length > 0) await tx.execute("UPDATE store_counter SET number = ? WHERE name = 'documents'", [arrival]);
      return newer;
    });
  }

  /** Every document up to this position is here. Undefined if there is none. */
  async position(): Promise<Position | undefined> {
    const [row] = await this.#db.query<{ number: number; history: string | null }>(
      "SELECT number, history FROM store_counter WHERE name = 'position'",
    );
    return row === undefined || row.history === null ? undefined : { history: row.history, number: row.number };
  }

  /** Records that everything the control plane had committed by now is here. */
  async heardControlPlane(): Promise<void> {
    await this.#db.execute(
      `INSERT INTO store_counter (name, number) VALUES ('heard', ${nowMs}) ON DUPLICATE KEY UPDATE number = VALUES(number)`,
    );
  }

  /**
   * Milliseconds since then. Undefined if never. A time in the future comes from a clock that was wrong: the silence then counts from now,
   * or it would not count until that time.
   */
  async controlPlaneSilentMs(): Promise<number | undefined> {
    await this.#db.execute(
      `UPDATE store_counter SET number = ${nowMs} WHERE name = 'heard' AND number > ${nowMs} + ${mostAheadMs}`,
    );
    const [row] = await this.#db.query<{ silentMs: number }>(
      `SELECT CAST(${nowMs} AS SIGNED) - CAST(number AS SIGNED) AS silentMs FROM store_counter WHERE name = 'heard'`,
    );
    return row?.silentMs;
  }

  async find(kind: string, key: string): Promise<StoredDocument | undefined> {
    const [row] = await this.#db.query<DocumentRow>(
      `SELECT ${columns} FROM store_document WHERE kind = ? AND document_key = ?`,
      [kind, key],
    );
    return row && toDocument(row);
  }

  /** Documents after a generation, in order of generations. Void ones have no signature. */
  async after(generation: number, most: number): Promise<readonly StoredDocument[]> {
    const rows = await this.#db.query<DocumentRow>(
      `SELECT ${columns} FROM store_document WHERE generation > ? AND signature <> '' ORDER BY generation LIMIT ${most}`,
      [generation],
    );
    return rows.map(toDocument);
  }

  /** In pages, in order of arrival. */
  async *all(): AsyncGenerator<ArrivedDocument> {
    for (let last = 0; ; ) {
      const page = await this.since(last);
      yield* page;
      const end = page.at(-1);
      if (end === undefined) return;
      last = end.arrival;
    }
  }

  /** Documents that arrived after this number: at most 500, oldest first. */
  async since(arrival: number): Promise<readonly ArrivedDocument[]> {
    const rows = await this.#db.query<DocumentRow>(
      `SELECT ${columns} FROM store_document WHERE arrival > ? ORDER BY arrival LIMIT ${mostAtOnce}`,
      [arrival],
    );
    return rows.map(toDocument);
  }
}

/** Never falls within a history. */
async function setPosition(tx: Transaction, { history, number }: Position): Promise<void> {
  await tx.execute(
    `INSERT INTO store_counter (name, number, history) VALUES ('position', ?, ?) ON DUPLICATE KEY UPDATE
      number = IF(history <=> VALUES(history), GREATEST(number, VALUES(number)), VALUES(number)), history = VALUES(history)`,
    [number, history],
  );
}

/** Voids documents of an earlier history that were not published again: their things no longer exist. */
async function voidOlder(tx: Transaction, document: StoredDocument, arrival: number): Promise<number> {
  const { body } = readStored(document) as Extract<VerifiedDocument, { readonly kind: 'history' }>;
  if (body === undefined) return arrival;
  const rows = await tx.query<Pick<DocumentRow, 'kind' | 'document_key'>>(
    "SELECT kind, document_key FROM store_document WHERE generation <= ? AND body <> 'null' ORDER BY generation",
    [body.voidUpTo],
  );
  for (const [at, { kind, document_key: key }] of rows.entries())
    await tx.execute(
      "UPDATE store_document SET body = 'null', signature = '', arrival = ? WHERE kind = ? AND document_key = ?",
      [arrival + at + 1, kind, key],
    );
  return arrival + rows.length;
}

function toDocument({ document_key: key, ...rest }: DocumentRow): ArrivedDocument {
  return { key, ...rest };
}
