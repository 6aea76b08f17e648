// Named numbers that the cluster stores.
import type { Database } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';

export class Counters {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** 0 if never set. */
  async read(name: string): Promise<number> {
    return (await this.readAll([name])).get(name) ?? 0;
  }

  /** Numbers that were ever set. */
  async readAll(names: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#db.query<{ name: string; number: number }>(
      `SELECT name, number FROM store_counter WHERE name IN (${marksFor(names)})`,
      names,
    );
    return new Map(rows.map(({ name, number }) => [name, number]));
  }

  async set(numbers: ReadonlyMap<string, number>): Promise<void> {
    await this.#db.execute(
      `INSERT INTO store_counter (name, number) VALUES ${[...numbers].map(() => '(?, ?)').join(', ')}
        ON DUPLICATE KEY UPDATE number = VALUES(number)`,
      [...numbers].flat(),
    );
  }

  /** Never lowers it: another process may have raised it higher. */
  async raise(name: string, number: number): Promise<void> {
    await this.#db.execute(
      'INSERT INTO store_counter (name, number) VALUES (?, ?) ON DUPLICATE KEY UPDATE number = GREATEST(number, VALUES(number))',
      [name, number],
    );
  }
}
