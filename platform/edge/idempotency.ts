// Idempotency keys. The key is the first insert of the mutation's own transaction. So if two requests have the same key, exactly
// one takes effect, and both get its result.

import { createHash, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { commitMarkSql } from '../database/commits.ts';
import type { Sql, Transaction } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import { isDuplicateKey, isLockWaitTimeout } from '../errors/database-errors.ts';
import { refuse } from '../errors/errors.ts';
import { canonicalJson } from '../values/json.ts';
import { isSecretName } from '../values/secret-names.ts';

export interface KeyScope {
  /** Project UUID, or `user:<uuid>`. */
  readonly scope: string;
  /** The mutation's name. */
  readonly operation: string;
  /** As the client sent it. */
  readonly key: string;
  /** Hash of the input, see hashRequest. */
  readonly requestHash: string;
  /** Hashes made with earlier keys (hashKeyedRequest), which match a repetition of an older request. */
  readonly olderHashes?: readonly string[];
}

/** The key was used before. The caller must roll back at once (waiting blocks others or deadlocks), then call `readKey`. */
export class DuplicateKeyFound extends Error {
  constructor() {
    super('the idempotency key was used before');
    this.name = 'DuplicateKeyFound';
  }
}

export const keyTtlMs = 7 * 24 * 3_600_000;
const inProgressRetryMs = 500;
const deepestInput = 32;
const slowHash = promisify(scrypt) as (text: string, salt: string, bytes: number) => Promise<Buffer>;

/** SHA-256 over the canonical JSON of an input, without the fields that may differ between two tries of the same request. */
export function hashRequest(input: unknown): string {
  const { idempotencyKey: _key, waitMs: _wait, ...rest } = (input ?? {}) as Record<string, unknown>;
  return createHash('sha256').update(canonicalJson(rest)).digest('hex');
}

/**
 * Like hashRequest, for inputs that may have secrets: those go through scrypt (RFC 7914) first, so that the stored hash does not
 * help to guess a password. `salt`: the key, so that the same request gives the same hash.
 */
export async function hashSecretRequest(input: unknown, salt: string): Promise<string> {
  return hashRequest(await withHardenedSecrets(input, salt, 0));
}

/**
 * Like hashRequest, for inputs that may have secrets. Each secret is replaced with a keyed hash. Returns one hash per existing key,
 * the active key first. `hashes` makes them.
 */
export function hashKeyedRequest(
  input: unknown,
  hashes: (secret: string) => readonly string[],
): Pick<KeyScope, 'requestHash' | 'olderHashes'> {
  if (!hasSecrets(input, 0)) return { requestHash: hashRequest(input) };
  const count = hashes('').length;
  const all = Array.from({ length: count }, (_, index) => hashRequest(withKeyedSecrets(input, index, hashes, 0)));
  const [requestHash = '', ...olderHashes] = all;
  return { requestHash, olderHashes };
}

function hasSecrets(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null || depth > deepestInput) return false;
  return Object.entries(value).some(
    ([name, member]) =>
      (isSecretName(name) && member !== null && member !== undefined) || hasSecrets(member, depth + 1),
  );
}

function withKeyedSecrets(
  value: unknown,
  index: number,
  hashes: (secret: string) => readonly string[],
  depth: number,
): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date || depth > deepestInput) return value;
  if (Array.isArray(value)) return value.map((item) => withKeyedSecrets(item, index, hashes, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]: [string, unknown]) => [
      name,
      isSecretName(name) && member !== null && member !== undefined
        ? hashes(canonicalJson(member))[index]
        : withKeyedSecrets(member, index, hashes, depth + 1),
    ]),
  );
}

async function withHardenedSecrets(value: unknown, salt: string, depth: number): Promise<unknown> {
  if (typeof value !== 'object' || value === null || value instanceof Date || depth > deepestInput) return value;
  if (Array.isArray(value)) return Promise.all(value.map((item) => withHardenedSecrets(item, salt, depth + 1)));
  const members = Object.entries(value).map(async ([name, member]: [string, unknown]) => {
    if (!isSecretName(name) || member === null || member === undefined)
      return [name, await withHardenedSecrets(member, salt, depth + 1)] as const;
    const hard = await slowHash(canonicalJson(member), salt, 32);
    return [name, hard.toString('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(members));
}

/**
 * Takes the key: the first statement of the transaction. Throws DuplicateKeyFound when it was used before, and a Refusal
 * (IN_PROGRESS) when another transaction has held it for two seconds.
 */
export async function claimKey(
  tx: Transaction,
  key: KeyScope,
  options: { readonly callId?: string; readonly ttlMs?: number } = {},
): Promise<void> {
  const sql =
    'SET STATEMENT innodb_lock_wait_timeout = 2 FOR INSERT INTO idempotency_key (scope, operation, key_hash, request_hash, call_id, expires_at) VALUES (?, ?, ?, ?, ?, NOW(3) + INTERVAL ? MICROSECOND)';
  const ttlMs = options.ttlMs ?? keyTtlMs;
  try {
    await tx.execute(sql, [...identify(key), key.requestHash, options.callId ?? null, ttlMs * 1000]);
  } catch (error) {
    if (isDuplicateKey(error)) throw new DuplicateKeyFound();
    if (isLockWaitTimeout(error)) refuseInProgress();
    throw error;
  }
}

/**
 * For a call whose key was lost in a failover together with the key's row. A repetition finds the call again, unless the key
 * belongs to another call by now.
 */
export async function restoreKey(tx: Transaction, key: KeyScope, callId: string): Promise<void> {
  await tx.execute(
    `INSERT INTO idempotency_key (scope, operation, key_hash, request_hash, call_id, expires_at)
    VALUES (?, ?, ?, ?, ?, NOW(3) + INTERVAL ? MICROSECOND) ON DUPLICATE KEY UPDATE scope = scope`,
    [...identify(key), key.requestHash, callId, keyTtlMs * 1000],
  );
}

/**
 * Stores the result for repetitions of the request: small JSON. `commitId`: UUID of the transaction's commit record, which is written
 * before; its mark becomes `recordId` of the result, which must be an object.
 */
export async function recordResult(tx: Transaction, key: KeyScope, result: unknown, commitId?: string): Promise<void> {
  const text = JSON.stringify(result ?? null);
  const [value, values] =
    commitId === undefined ? ['?', [text]] : [`JSON_SET(?, '$.recordId', ${commitMarkSql})`, [text, commitId]];
  await tx.execute(`UPDATE idempotency_key SET result = ${value} WHERE ${keyed}`, [...values, ...identify(key)]);
}

/**
 * Which of several scopes this same request used its key in. Needed for a repetition whose project can't be determined any more.
 * Undefined if in none. If in several, the newest.
 */
export async function findScope(
  db: Sql,
  key: Omit<KeyScope, 'scope'>,
  scopes: readonly string[],
): Promise<string | undefined> {
  if (scopes.length === 0) return undefined;
  const sql = `SELECT scope FROM idempotency_key WHERE scope IN (${marksFor(scopes)}) AND operation = ? AND key_hash = ?
    AND request_hash IN (${marksFor(hashesOf(key))}) ORDER BY created_at DESC LIMIT 1`;
  const [, operation, keyHash] = identify({ scope: '', ...key });
  const [row] = await db.query<{ scope: string }>(sql, [...scopes, operation, keyHash, ...hashesOf(key)]);
  return row?.scope;
}

type KeyState =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'call'; readonly callId: string }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'in-progress' }
  | { readonly kind: 'free' };

/** The result of a key, read outside of the transaction that met it. */
export async function readKey(db: Sql, key: KeyScope): Promise<KeyState> {
  const sql = `SELECT request_hash AS requestHash, call_id AS callId, result FROM idempotency_key WHERE ${keyed}`;
  const [row] = await db.query<{ requestHash: string; callId: string | null; result: string | null }>(
    sql,
    identify(key),
  );
  if (row === undefined) return { kind: 'free' };
  if (!hashesOf(key).includes(row.requestHash)) return { kind: 'conflict' };
  if (row.callId !== null) return { kind: 'call', callId: row.callId };
  return row.result === null ? { kind: 'in-progress' } : { kind: 'result', result: JSON.parse(row.result) };
}

/** Frees the key of a call that was never sent, so that it can be used again. */
export async function releaseKeyOfCall(tx: Transaction, callId: string): Promise<void> {
  await tx.execute('DELETE FROM idempotency_key WHERE call_id = ?', [callId]);
}

/** Refuses a request with the key of a different request. */
export function refuseConflict(): never {
  refuse('KEY_CONFLICT', 'this idempotencyKey was used with another input: use a new key for a new request', {
    field: ['input', 'idempotencyKey'],
  });
}

/** Refuses a request while the first one with its key is running. */
export function refuseInProgress(): never {
  refuse('IN_PROGRESS', 'a request with this idempotencyKey is in progress: send the request again', {
    field: ['input', 'idempotencyKey'],
    retryAfterMs: inProgressRetryMs,
  });
}

function hashesOf({ requestHash, olderHashes = [] }: Omit<KeyScope, 'scope'>): readonly string[] {
  return [requestHash, ...olderHashes];
}

const keyed = 'scope = ? AND operation = ? AND key_hash = ?';

function identify(key: Pick<KeyScope, 'scope' | 'operation' | 'key'>): [string, string, string] {
  return [key.scope, key.operation, createHash('sha256').update(key.key).digest('hex')];
}
