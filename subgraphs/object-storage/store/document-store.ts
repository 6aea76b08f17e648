// The documents that the centre has signed, as this cluster has them: the newest of each. Who puts them here has verified them.
import type { Database, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';

export interface StoredDocument {
  /** At most 32 characters, such as `ring`. */
  readonly kind: string;
  /** Which of its kind: at most 128 characters. */
  readonly key: string;
  /** Only rises. */
  readonly generation: number;
  readonly body: string;
  readonly signature: string;
}

export interface ArrivedDocument extends StoredDocument {
  /** Rises with each document that is stored, in the order of commits. */
  readonly arrival: number;
}

interface DocumentRow extends Omit<ArrivedDocument, 'key'> {
  readonly document_key: string;
}

const columns = 'kind, document_key, generation, body, signature, arrival';
const mostAtOnce = 500;
const nowMs = 'FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000)';

export class DocumentStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Stores those that are newer than what is there, all or none. `position`: with them every document up to this generation is here.
   * @returns them
   */
  async put(documents: readonly StoredDocument[], position?: number): Promise<readonly StoredDocument[]> {
    if (documents.length === 0 && position === undefined) return [];
    return this.#db.transaction(async (tx) => {
      // Who stores documents waits for the others here: arrivals are seen in their order.
      const [counter] = await tx.query<{ number: number }>(
        "SELECT number FROM store_counter WHERE name = 'documents' FOR UPDATE",
      );
      if (position !== undefined) await raise(tx, 'position', position);
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
      }
      if (newer.length > 0) await tx.execute("UPDATE store_counter SET number = ? WHERE name = 'documents'", [arrival]);
      return newer;
    });
  }

  /** Every document up to this generation is here. */
  position(): Promise<number> {
    return this.#counter('position');
  }

  /** All that the centre had committed by then is here. */
  async heardCentre(): Promise<void> {
    await this.#db.execute(
      `INSERT INTO store_counter (name, number) VALUES ('heard', ${nowMs})
        ON DUPLICATE KEY UPDATE number = GREATEST(number, VALUES(number))`,
    );
  }

  /** The time since then, in milliseconds; undefined: never. */
  async centreSilentMs(): Promise<number | undefined> {
    const [row] = await this.#db.query<{ silentMs: number }>(
      `SELECT CAST(${nowMs} AS SIGNED) - CAST(number AS SIGNED) AS silentMs FROM store_counter WHERE name = 'heard'`,
    );
    return row?.silentMs;
  }

  async #counter(name: string): Promise<number> {
    const [row] = await this.#db.query<{ number: number }>('SELECT number FROM store_counter WHERE name = ?', [name]);
    return row?.number ?? 0;
  }

  async find(kind: string, key: string): Promise<StoredDocument | undefined> {
    const [row] = await this.#db.query<DocumentRow>(
      `SELECT ${columns} FROM store_document WHERE kind = ? AND document_key = ?`,
      [kind, key],
    );
    return row && toDocument(row);
  }

  /** In the order of generations, those after one. */
  async after(generation: number, most: number): Promise<readonly StoredDocument[]> {
    const rows = await this.#db.query<DocumentRow>(
      `SELECT ${columns} FROM store_document WHERE generation > ? ORDER BY generation LIMIT ${most}`,
      [generation],
    );
    return rows.map(toDocument);
  }

  /** In pages, in the order of their arrival. */
  async *all(): AsyncGenerator<ArrivedDocument> {
    for (let last = 0; ; ) {
      const page = await this.since(last);
      yield* page;
      const end = page.at(-1);
      if (end === undefined) return;
      last = end.arrival;
    }
  }

  /** What has arrived after this number: at most 500, oldest first. */
  async since(arrival: number): Promise<readonly ArrivedDocument[]> {
    const rows = await this.#db.query<DocumentRow>(
      `SELECT ${columns} FROM store_document WHERE arrival > ? ORDER BY arrival LIMIT ${mostAtOnce}`,
      [arrival],
    );
    return rows.map(toDocument);
  }
}

/** It never falls. */
async function raise(tx: Transaction, name: string, number: number): Promise<void> {
  await tx.execute(
    'INSERT INTO store_counter (name, number) VALUES (?, ?) ON DUPLICATE KEY UPDATE number = GREATEST(number, VALUES(number))',
    [name, number],
  );
}

function toDocument({ document_key: key, ...rest }: DocumentRow): ArrivedDocument {
  return { key, ...rest };
}
