// The registers of this cluster's multipart uploads, container by container. Names are in byte order, so hidden names are adjacent: a
// container without uploads costs one row.
import type { Database } from '../../../../platform/database/database.ts';
import { gateState } from './gate.ts';
import { toDigits } from './partition-state.ts';
import type { RegisterKey } from './register.ts';
import { kinds } from './register-rows.ts';

export interface HiddenRow {
  readonly key: RegisterKey;
  readonly head: string;
}

interface Row {
  readonly scope: Buffer;
  readonly name: Buffer;
  readonly head: string;
}

const rowsAtOnce = 500;
/** NUL, and the first byte after all names with it. */
const [firstHidden, afterHidden] = [Buffer.from([0]), Buffer.from([1])];

/** In pages. Leaves out deleted containers: nothing is written there any more. */
export async function* hiddenRows(db: Database): AsyncGenerator<readonly HiddenRow[], void> {
  const rings = await db.query<{ ring: number }>(
    'SELECT DISTINCT ring FROM store_partition WHERE ring > 0 AND is_held ORDER BY ring',
  );
  for (const { ring } of rings)
    for (let scope: Buffer | undefined = Buffer.alloc(0); scope !== undefined; ) {
      const next: Row | undefined = await nextScope(db, ring, scope);
      scope = next?.scope;
      if (next === undefined || isDeleted(next)) continue;
      for (let from: Buffer = firstHidden; ; ) {
        const page: readonly Row[] = await db.query<Row>(
          `SELECT scope, name, head FROM store_register
            WHERE ring = ? AND scope = ? AND name > ? AND name < ? AND kind = ${kinds.value} ORDER BY name LIMIT ${rowsAtOnce}`,
          [ring, next.scope, from, afterHidden],
        );
        if (page.length > 0)
          yield page.map(({ scope: of, name, head }) => ({
            ...{ key: { ring, scope: toDigits(of), name: name.toString() }, head },
          }));
        const last = page.at(-1);
        if (last === undefined || page.length < rowsAtOnce) break;
        from = last.name;
      }
    }
}

/** First row of the next scope: its gate if it has one. */
async function nextScope(db: Database, ring: number, scope: Buffer): Promise<Row | undefined> {
  const [row] = await db.query<Row>(
    'SELECT scope, name, head FROM store_register WHERE ring = ? AND scope > ? ORDER BY ring, scope, name LIMIT 1',
    [ring, scope],
  );
  return row;
}

function isDeleted({ name, head }: Row): boolean {
  return name.length === 0 && gateState({ value: { head } }) === 'DELETED';
}
