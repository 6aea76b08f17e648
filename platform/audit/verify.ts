// Verifies the audit trail: every sealed entry is hashed again and compared with its neighbours, the signed ends of the chain,
// and the copies of the head kept outside of the database.
import type { Sql } from '../database/database.ts';
import type { PublicKeys } from '../secrets/key-pairs.ts';
import { entryColumns, entryHash, type HashedEntry } from './chain.ts';
import { type AuditAnchor, type AuditHead, type ChainEnds, endFault, haPromotedLossy, readEnds } from './ends.ts';

interface AuditVerification {
  readonly intact: boolean;
  /** Sealed entries that were checked. */
  readonly checked: number;
  readonly unsealed: number;
  readonly firstBrokenPosition: number | null;
  readonly reason: string | null;
  readonly cuts: readonly AuditCut[];
}

/** A promotion lost the end of the trail. A person accepted the loss, and an entry of the trail records it. */
interface AuditCut {
  /** Position that the trail had reached before the loss. */
  readonly position: number;
  /** Epoch of the timeline that began with the loss. */
  readonly epoch: number;
  readonly entryPosition: number;
}

export interface KeptHeads {
  readonly heads: readonly AuditHead[];
  /** Epochs of the timelines that began with a loss, as the hosts know them. */
  readonly lossEpochs: readonly number[];
}

interface SealedEntry extends HashedEntry {
  readonly position: number;
  readonly previousHash: string;
  readonly hash: string;
}

interface AuditFault {
  readonly position: number;
  readonly reason: string;
}

const pageSize = 1_000;
/** Most heads that the hosts keep although the trail lacks them. */
const mostLacking = 50;

/** Checks up to `limit` entries from `fromPosition` (default: the oldest one kept), both ends, and the anchors. */
export async function verifyAudit(
  db: Sql,
  options: {
    readonly publicKeys: PublicKeys;
    readonly fromPosition?: number;
    readonly limit: number;
    readonly anchors?: readonly AuditAnchor[];
    readonly kept?: KeptHeads;
  },
): Promise<AuditVerification> {
  const [open] = await db.query<{ count: number }>('SELECT COUNT(*) AS count FROM audit_entry WHERE position IS NULL');
  for (let ends = await readEnds(db); ; ) {
    const first = ends.base.position + 1;
    const from = Math.max(options.fromPosition ?? first, first);
    const to = Math.min(ends.head.position + 1, from + options.limit);
    const range = await checkRange(db, ends, from, to);
    const kept = await keptHeads(db, ends, options);
    const fault =
      range.fault ?? signatureFault(options.publicKeys, ends) ?? (await anchorFault(db, ends, options)) ?? kept.fault;
    if (fault !== undefined) {
      const now = await readEnds(db);
      // Retention has deleted entries in the meantime, so check the rest again.
      if (now.base.position > ends.base.position) {
        ends = now;
        continue;
      }
    }
    return {
      intact: fault === undefined,
      checked: range.checked,
      unsealed: open?.count ?? 0,
      firstBrokenPosition: fault?.position ?? null,
      reason: fault?.reason ?? null,
      cuts: kept.cuts,
    };
  }
}

function signatureFault(keys: PublicKeys, { head, base }: ChainEnds): AuditFault | undefined {
  const [atHead, atBase] = [endFault(keys, 'head', head), endFault(keys, 'base', base)];
  if (atBase !== undefined) return { position: base.position, reason: atBase };
  return atHead === undefined ? undefined : { position: head.position, reason: atHead };
}

/** The oldest anchor that does not match; anchors before the oldest kept entry are ignored. */
async function anchorFault(
  db: Sql,
  { head, base }: ChainEnds,
  { publicKeys, anchors = [] }: { readonly publicKeys: PublicKeys; readonly anchors?: readonly AuditAnchor[] },
): Promise<AuditFault | undefined> {
  for (const anchor of [...anchors].sort((one, other) => one.position - other.position)) {
    const { position, hash } = anchor;
    if (endFault(publicKeys, 'head', anchor) !== undefined)
      return { position, reason: 'the anchor was not signed by this installation' };
    if (position < base.position) continue;
    if (position > head.position)
      return { position, reason: `the trail ends at ${head.position}, before the anchor: entries were removed` };
    const found = position === base.position ? base.hash : await hashAt(db, position);
    if (found !== hash) return { position, reason: 'the anchor belongs to another trail' };
  }
  return undefined;
}

/**
 * Checks the heads that the hosts keep. A head that the trail lacks is a cut if the hosts know of a lossy promotion and the trail
 * records it. Otherwise it is a fault.
 */
async function keptHeads(
  db: Sql,
  ends: ChainEnds,
  { publicKeys, kept }: { readonly publicKeys: PublicKeys; readonly kept?: KeptHeads },
): Promise<{ readonly fault: AuditFault | undefined; readonly cuts: readonly AuditCut[] }> {
  const cuts: AuditCut[] = [];
  const { heads = [], lossEpochs = [] } = kept ?? {};
  for (const head of [...heads].sort((one, other) => one.position - other.position)) {
    const { position } = head;
    const broken = (reason: string) => ({ fault: { position, reason }, cuts });
    if (endFault(publicKeys, 'head', head) !== undefined)
      return broken('the end that the hosts keep was not signed by this installation');
    if (await hasHead(db, ends, head)) continue;
    const lost = `the hosts keep an end at ${position} that the trail lacks: entries were removed`;
    const epoch = Math.min(...lossEpochs.filter((each) => each > head.epoch));
    if (epoch === Number.POSITIVE_INFINITY) return broken(lost);
    const entryPosition = await lossEntry(db, epoch);
    if (entryPosition === undefined)
      return broken(`${lost}, and no sealed entry tells of the promotion of timeline ${epoch}`);
    cuts.push({ position, epoch, entryPosition });
  }
  return { fault: undefined, cuts };
}

/** An end before the oldest kept entry can't be looked up. */
async function hasHead(db: Sql, { head, base }: ChainEnds, { position, hash }: AuditAnchor): Promise<boolean> {
  if (position < base.position) return true;
  if (position > head.position) return false;
  return (position === base.position ? base.hash : await hashAt(db, position)) === hash;
}

async function lossEntry(db: Sql, epoch: number): Promise<number | undefined> {
  const [row] = await db.query<{ position: number }>(
    "SELECT position FROM audit_entry WHERE action = ? AND position IS NOT NULL AND JSON_VALUE(details, '$.epoch') = ? ORDER BY position LIMIT 1",
    [haPromotedLossy, epoch],
  );
  return row?.position;
}

/** The heads that the hosts should keep: the newest signed end, and every kept head that the trail lacks. */
export async function auditHeadToKeep(
  db: Sql,
  publicKeys: PublicKeys,
  kept: readonly AuditHead[],
): Promise<{
  readonly head: AuditHead | undefined;
  readonly replaced: readonly AuditHead[];
  readonly lacking: readonly AuditHead[];
}> {
  const ends = await readEnds(db);
  const { position, hash, signature } = ends.head;
  const lacking: AuditHead[] = [];
  const replaced: AuditHead[] = [];
  for (const each of kept) {
    if (!(await hasHead(db, ends, each))) lacking.push(each);
    else if (each.hash !== hash) replaced.push(each);
  }
  const isKept = kept.some((each) => each.hash === hash && each.position === position);
  const isTrue = signature !== null && endFault(publicKeys, 'head', ends.head) === undefined;
  const isKnown = isKept || !isTrue || lacking.length >= mostLacking;
  return { head: isKnown ? undefined : { position, hash, signature, epoch: ends.epoch }, replaced, lacking };
}

interface CheckedRange {
  readonly fault: AuditFault | undefined;
  readonly checked: number;
  /** Hash of the last entry that was checked. */
  readonly lastHash: string;
}

/** Entries from `from` (included) to `to` (excluded). */
export async function checkRange(
  db: Sql,
  { head, base }: Pick<ChainEnds, 'head' | 'base'>,
  from: number,
  to: number,
): Promise<CheckedRange> {
  let previousHash = from === base.position + 1 ? base.hash : ((await hashAt(db, from - 1)) ?? '');
  let next = from;
  const broken = (position: number, reason: string) => ({
    fault: { position, reason },
    checked: Math.max(0, next - from),
    lastHash: previousHash,
  });
  while (next < to) {
    const entries = await db.query<SealedEntry>(
      `SELECT ${entryColumns}, position, previous_hash AS previousHash, hash FROM audit_entry WHERE position >= ? AND position < ? ORDER BY position LIMIT ?`,
      [next, to, pageSize],
    );
    for (const entry of entries) {
      const reason = faultOf(entry, next, previousHash);
      if (reason !== undefined) return broken(next, reason);
      previousHash = entry.hash;
      next += 1;
    }
    if (entries.length === 0) return broken(next, 'the entry is missing');
  }
  if (to === head.position + 1 && to > from && previousHash !== head.hash)
    return broken(to - 1, "the chain's end has another hash");
  return { fault: undefined, checked: Math.max(0, next - from), lastHash: previousHash };
}

function faultOf(entry: SealedEntry, position: number, previousHash: string): string | undefined {
  if (entry.position !== position) return 'the entry is missing';
  if (entry.previousHash !== previousHash) return 'the entry does not follow the previous one';
  if (entryHash(entry, position, entry.previousHash) !== entry.hash) return 'the content of the entry was changed';
  return undefined;
}

async function hashAt(db: Sql, position: number): Promise<string | undefined> {
  const [row] = await db.query<{ hash: string }>('SELECT hash FROM audit_entry WHERE position = ?', [position]);
  return row?.hash;
}
