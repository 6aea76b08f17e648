// Whether the audit trail is whole: every sealed entry is hashed again and compared with its neighbours and the chain's ends.
import type { Sql } from '../database/database.ts';
import { entryColumns, entryHash, type HashedEntry } from './chain.ts';

export interface AuditVerification {
  readonly intact: boolean;
  /** Sealed entries that were checked. */
  readonly checked: number;
  readonly unsealed: number;
  readonly firstBrokenPosition: number | null;
  readonly reason: string | null;
}

interface SealedEntry extends HashedEntry {
  readonly position: number;
  readonly previousHash: string;
  readonly hash: string;
}

interface Chain {
  readonly firstPosition: number;
  readonly baseHash: string;
  readonly nextPosition: number;
  readonly headHash: string;
}

interface Fault {
  readonly position: number;
  readonly reason: string;
}

const pageSize = 1_000;

/** Checks up to `limit` entries from `fromPosition` (default: the oldest that is kept). */
export async function verifyAudit(
  db: Sql,
  options: { readonly fromPosition?: number; readonly limit: number },
): Promise<AuditVerification> {
  const [chain] = await db.query<Chain>(
    'SELECT first_position AS firstPosition, base_hash AS baseHash, next_position AS nextPosition, head_hash AS headHash FROM audit_chain WHERE id = 1',
  );
  if (chain === undefined) throw new Error('audit_chain is empty: apply the migrations');
  const [open] = await db.query<{ count: number }>('SELECT COUNT(*) AS count FROM audit_entry WHERE position IS NULL');
  const from = Math.max(options.fromPosition ?? chain.firstPosition, chain.firstPosition);
  const to = Math.min(chain.nextPosition, from + options.limit);
  const { fault, checked } = await checkRange(db, chain, from, to);
  return {
    intact: fault === undefined,
    checked,
    unsealed: open?.count ?? 0,
    firstBrokenPosition: fault?.position ?? null,
    reason: fault?.reason ?? null,
  };
}

/** Entries from `from` up to, but without, `to`. */
async function checkRange(
  db: Sql,
  chain: Chain,
  from: number,
  to: number,
): Promise<{ readonly fault: Fault | undefined; readonly checked: number }> {
  let previousHash = from === chain.firstPosition ? chain.baseHash : await hashAt(db, from - 1);
  let next = from;
  while (next < to) {
    const entries = await db.query<SealedEntry>(
      `SELECT ${entryColumns}, position, previous_hash AS previousHash, hash FROM audit_entry WHERE position >= ? AND position < ? ORDER BY position LIMIT ?`,
      [next, to, pageSize],
    );
    for (const entry of entries) {
      const reason = faultOf(entry, next, previousHash);
      if (reason !== undefined) return { fault: { position: next, reason }, checked: next - from };
      previousHash = entry.hash;
      next += 1;
    }
    if (entries.length === 0)
      return { fault: { position: next, reason: 'the entry is missing' }, checked: next - from };
  }
  if (to === chain.nextPosition && to > from && previousHash !== chain.headHash)
    return { fault: { position: to - 1, reason: "the chain's end has another hash" }, checked: next - from };
  return { fault: undefined, checked: Math.max(0, next - from) };
}

function faultOf(entry: SealedEntry, position: number, previousHash: string | undefined): string | undefined {
  if (entry.position !== position) return 'the entry is missing';
  if (entry.previousHash !== previousHash) return 'it does not follow the entry before it';
  if (entryHash(entry, position, entry.previousHash) !== entry.hash) return 'its content was changed';
  return undefined;
}

async function hashAt(db: Sql, position: number): Promise<string | undefined> {
  const [row] = await db.query<{ hash: string }>('SELECT hash FROM audit_entry WHERE position = ?', [position]);
  return row?.hash;
}
