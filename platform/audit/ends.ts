// The two ends of the audit trail's chain: the head, which moves with each sealing, and the base, which moves with retention.
// Both are signed; the hashes secure all entries between them. The signing key is in a file outside of the database, so a person
// who can write to the database can break the chain but can't forge a valid one.
import { z } from 'zod';
import { lastLossSql } from '../database/commits.ts';
import type { Sql } from '../database/database.ts';
import { keyIdPattern } from '../secrets/key-file.ts';
import type { PublicKeys, SigningKeys } from '../secrets/key-pairs.ts';

/** The keys of the processes that seal and purge. */
export interface AuditKeys {
  readonly signingKeys: SigningKeys;
  readonly publicKeys: PublicKeys;
}

/** The position of an entry and its hash. Before the first entry, 0 and zeros. */
export interface ChainEnd {
  readonly position: number;
  readonly hash: string;
  /** `KEY.SIGNATURE`. Null at the beginning of the chain. */
  readonly signature: string | null;
}

/** The copy of the head that is kept outside of the database. */
export const anchorShape = z.object({
  position: z.number().int().nonnegative(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  signature: z.string().max(160),
});
export type AuditAnchor = z.output<typeof anchorShape>;

/** A signed end that the hosts of a cluster keep outside of the database. */
export interface AuditHead extends AuditAnchor {
  /** Epoch of the timeline that had it. */
  readonly epoch: number;
}

/** The entry of a promotion by which acknowledged writes were lost. */
export const haPromotedLossy = 'haPromotedLossy';

export interface ChainEnds {
  readonly head: ChainEnd;
  readonly base: ChainEnd;
  /** Epoch of the database's timeline. */
  readonly epoch: number;
  /** Epoch of the last timeline that began with a loss. 0 if none did. */
  readonly lossEpoch: number;
  /** No entry waits for its place in the chain. */
  readonly isAllSealed: boolean;
}

type Which = 'head' | 'base';

export async function readEnds(db: Sql): Promise<ChainEnds> {
  const [row] = await db.query<{
    nextPosition: number;
    headHash: string;
    headSignature: string | null;
    firstPosition: number;
    baseHash: string;
    baseSignature: string | null;
    epoch: number;
    lossEpoch: number;
    isAllSealed: number;
  }>(
    `SELECT next_position AS nextPosition, head_hash AS headHash, head_signature AS headSignature, first_position AS firstPosition, base_hash AS baseHash, base_signature AS baseSignature,
      (SELECT COALESCE(MAX(epoch), 0) FROM db_timeline) AS epoch, ${lastLossSql} AS lossEpoch,
      NOT EXISTS (SELECT 1 FROM audit_entry WHERE position IS NULL) AS isAllSealed
      FROM audit_chain WHERE id = 1`,
  );
  if (row === undefined) throw new Error('audit_chain is empty: apply the migrations');
  return {
    head: { position: row.nextPosition - 1, hash: row.headHash, signature: row.headSignature },
    base: { position: row.firstPosition - 1, hash: row.baseHash, signature: row.baseSignature },
    epoch: row.epoch,
    lossEpoch: row.lossEpoch,
    isAllSealed: row.isAllSealed === 1,
  };
}

export function signEnd(keys: SigningKeys, which: Which, end: Omit<ChainEnd, 'signature'>): string {
  const { keyId, signature } = keys.sign(textOf(which, end));
  return `${keyId}.${signature.toString('base64url')}`;
}

/** Describes the fault of an end's signature. Returns undefined if the signature is valid. */
export function endFault(keys: PublicKeys, which: Which, end: ChainEnd): string | undefined {
  const name = which === 'head' ? "the chain's end" : "the chain's beginning";
  if (end.signature === null)
    return end.position === 0 && /^0{64}$/.test(end.hash) ? undefined : `${name} is not signed`;
  const [keyId = '', text = ''] = end.signature.split('.');
  const signature = Buffer.from(text, 'base64url');
  const right = keyIdPattern.test(keyId) && keys.verifies('audit', keyId, textOf(which, end), signature);
  return right ? undefined : `${name} was not signed by this installation`;
}

function textOf(which: Which, { position, hash }: Omit<ChainEnd, 'signature'>): string {
  return `tidegate/audit/${which}\n${position}\n${hash}`;
}

/** Signs both ends where they are not signed yet: once, when an installation gets its keys. Throws when the chain is broken. */
export async function signFirst(db: Sql, keys: AuditKeys): Promise<boolean> {
  const { head, base } = await readEnds(db);
  let signed = false;
  for (const [which, end] of [['head', head] as const, ['base', base] as const]) {
    if (end.signature !== null || endFault(keys.publicKeys, which, end) === undefined) continue;
    const place =
      which === 'head' ? 'next_position = ? + 1 AND head_hash = ?' : 'first_position = ? + 1 AND base_hash = ?';
    const { affectedRows } = await db.execute(
      `UPDATE audit_chain SET ${which}_signature = ? WHERE id = 1 AND ${which}_signature IS NULL AND ${place}`,
      [signEnd(keys.signingKeys, which, end), end.position, end.hash],
    );
    signed ||= affectedRows > 0;
  }
  return signed;
}
