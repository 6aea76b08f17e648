// Converts rows of registers between the table and the rules.
import type { SqlValue } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { Row } from '../../../../platform/registers/rules.ts';
import { noVersion } from '../../../../platform/registers/version.ts';
import { gateState, isGate } from './gate.ts';
import { toBinary, toDigits } from './partition-state.ts';
import type { RegisterKey, StoredValue } from './register.ts';
import { partitionOfScope } from './scope-partition.ts';

/** 'KEPT': not read, and unchanged in the table. */
export type HeldValue = StoredValue | 'KEPT';
export type HeldRow = Row<HeldValue>;

/** A seal is the value of a gate that blocks changes. It has its own kind so that an index finds it. */
export const kinds = { value: 0, deletion: 1, promise: 2, seal: 3 } as const;

export const hasValue = (kind: number): boolean => kind === kinds.value || kind === kinds.seal;

export interface RegisterRow {
  readonly ring: number;
  readonly scope: Buffer;
  readonly name: Buffer;
  readonly kind: number;
  readonly version: Buffer;
  readonly promised: Buffer;
  /** Also null if it was not read. */
  readonly head: string | null;
  readonly body: Buffer | null;
}

export const keyId = ({ ring, scope, name }: RegisterKey): string => `${ring}/${scope}/${name}`;

export function keyOf({ ring, scope, name }: Pick<RegisterRow, 'ring' | 'scope' | 'name'>): RegisterKey {
  return { ring, scope: toDigits(scope), name: name.toString() };
}

export function toRow({ kind, version, promised, head, body }: RegisterRow): HeldRow {
  const versions = { version: toDigits(version), promised: toDigits(promised) };
  if (!hasValue(kind)) return { ...versions, value: undefined };
  return { ...versions, value: head === null ? 'KEPT' : { head, ...(body === null ? {} : { body }) } };
}

export function keysCondition(keys: readonly RegisterKey[]): { readonly sql: string; readonly values: SqlValue[] } {
  return {
    sql: `(ring, scope, name) IN (${keys.map(() => '(?, ?, ?)').join(', ')})`,
    values: keys.flatMap(({ ring, scope, name }) => [ring, toBinary(scope), Buffer.from(name)]),
  };
}

const columns = 'ring, scope, name, partition_number, kind, version, promised, change_number, head, body';

export interface Change {
  readonly key: RegisterKey;
  readonly row: Row<StoredValue>;
  readonly number: number;
}

export function valuesSql(changes: readonly Change[]): { readonly sql: string; readonly values: SqlValue[] } {
  return {
    sql: `INSERT INTO store_register (${columns}) VALUES ${changes.map(() => `(${marksFor({ length: 10 })})`).join(', ')}
      ON DUPLICATE KEY UPDATE kind = VALUES(kind), version = VALUES(version), promised = VALUES(promised),
        change_number = VALUES(change_number), head = VALUES(head), body = VALUES(body)`,
    values: changes.flatMap(({ key, row, number }) => {
      const { value } = row;
      return [...place(key), kindOf(key, row), ...versions(row), number, value?.head ?? null, value?.body ?? null];
    }),
  };
}

export interface Promised {
  readonly key: RegisterKey;
  readonly row: HeldRow;
}

/** An existing row keeps everything but its promise. */
export function promisesSql(promises: readonly Promised[]): { readonly sql: string; readonly values: SqlValue[] } {
  return {
    sql: `INSERT INTO store_register (${columns}) VALUES ${promises.map(() => `(${marksFor({ length: 7 })}, 0, NULL, NULL)`).join(', ')}
      ON DUPLICATE KEY UPDATE promised = VALUES(promised)`,
    values: promises.flatMap(({ key, row }) => [
      ...place(key),
      kinds.promise,
      ...versions({ ...row, version: noVersion }),
    ]),
  };
}

function kindOf(key: RegisterKey, row: Row<StoredValue>): number {
  if (row.value === undefined) return kinds.deletion;
  return isGate(key) && gateState(row) === 'SEALED' ? kinds.seal : kinds.value;
}

function place({ ring, scope, name }: RegisterKey): SqlValue[] {
  return [ring, toBinary(scope), Buffer.from(name), partitionOfScope(scope)];
}

function versions({ version, promised }: Pick<HeldRow, 'version' | 'promised'>): SqlValue[] {
  return [toBinary(version), toBinary(promised)];
}
