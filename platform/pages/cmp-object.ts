// The global id of a CMP's object: it encodes namespace, type and the CMP's own id, so that every subgraph can make and read it
// without asking another.

import type { Condition } from '../database/database.ts';
import { inEachProject } from '../database/range-search.ts';
import type { InputCheck } from '../input/input.ts';
import { decodeId, encodeId } from '../values/ids.ts';

/** A CMP's object, as named by the CMP. */
export interface CmpObjectKey {
  readonly namespace: string;
  readonly type: string;
  readonly externalId: string;
}

/** An object in an input. The default namespace is `default`. */
export interface CmpObjectInput {
  readonly namespace?: string | null | undefined;
  readonly type: string;
  readonly externalId: string;
}

export function cmpObjectOf(input: CmpObjectInput): CmpObjectKey {
  const { namespace, type, externalId } = input;
  return { namespace: namespace ?? 'default', type, externalId };
}

/** The columns of a row that belongs to a CMP object. All are null if it belongs to none. */
interface CmpColumns {
  readonly cmpNamespace: string | null;
  readonly cmpType: string | null;
  readonly cmpId: string | null;
}

/** The CMP object of a row. */
export function storedCmpObject({ cmpNamespace, cmpType, cmpId }: CmpColumns): CmpObjectKey | null {
  if (cmpNamespace === null || cmpType === null || cmpId === null) return null;
  return { namespace: cmpNamespace, type: cmpType, externalId: cmpId };
}

/** The CMP object of a row, as the graph links it. */
export function cmpObjectLink(row: CmpColumns): { readonly id: string } | null {
  const key = storedCmpObject(row);
  return key === null ? null : { id: encodeCmpObject(key) };
}

export function isSameCmpObject(one: CmpObjectKey, other: CmpObjectKey | null): boolean {
  return one.namespace === other?.namespace && one.type === other.type && one.externalId === other.externalId;
}

/** The object that the input field `cmpObject` names, with its faults added. Null if it names none. */
export function checkedCmpObject(check: InputCheck, input: CmpObjectInput | null | undefined): CmpObjectKey | null {
  if (input == null) return null;
  const key = cmpObjectOf(input);
  for (const { field, message, code } of cmpObjectProblems(key)) check.fault(`cmpObject.${field}`, message, code);
  return key;
}

/** The columns of a new row. */
export function cmpColumnsOf(key: CmpObjectKey | null): CmpColumns {
  return { cmpNamespace: key?.namespace ?? null, cmpType: key?.type ?? null, cmpId: key?.externalId ?? null };
}

interface CmpObjectProblem {
  readonly field: keyof CmpObjectKey;
  readonly code: 'INVALID_INPUT' | 'TOO_LONG';
  readonly message: string;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const maxNameLength = 63;
const maxExternalIdBytes = 255;
// Control characters and line separators.
const forbiddenCharacters = /[\p{Cc}\u2028\u2029]/u;

/** The faults of a key, field by field; empty when it is valid. */
export function cmpObjectProblems(key: CmpObjectKey): readonly CmpObjectProblem[] {
  return [
    ...nameProblems('namespace', key.namespace),
    ...nameProblems('type', key.type),
    ...externalIdProblems(key.externalId),
  ];
}

/** The global id. The key must be valid. */
export function encodeCmpObject(key: CmpObjectKey): string {
  return encodeId('CmpObject', JSON.stringify([key.namespace, key.type, key.externalId]));
}

/** The key in a global id; undefined when it is not the id of a CMP's object. */
export function decodeCmpObject(id: string): CmpObjectKey | undefined {
  const decoded = decodeId(id);
  if (decoded?.type !== 'CmpObject') return undefined;
  const key = parseKey(decoded.key);
  // One object has one id: another spelling of the same JSON is not valid.
  return key !== undefined && encodeCmpObject(key) === id ? key : undefined;
}

/** The rows of a CMP object (global id) in each of these projects, in tables with columns `cmp_namespace`, `cmp_type`, `cmp_id`. */
export function cmpObjectRanges(id: string, projects: 'all' | readonly string[]): readonly Condition[] {
  const key = decodeCmpObject(id);
  if (key === undefined) return [];
  const sql = 'cmp_namespace = ? AND cmp_type = ? AND cmp_id = ?';
  return inEachProject(projects, { sql, values: [key.namespace, key.type, key.externalId] });
}

function parseKey(text: string): CmpObjectKey | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts) || parts.length !== 3) return undefined;
  const [namespace, type, externalId] = parts as unknown[];
  if (typeof namespace !== 'string' || typeof type !== 'string' || typeof externalId !== 'string') return undefined;
  const key = { namespace, type, externalId };
  return cmpObjectProblems(key).length === 0 ? key : undefined;
}

function nameProblems(field: 'namespace' | 'type', value: string): readonly CmpObjectProblem[] {
  if (value.length > maxNameLength) return [tooLong(field, value.length, `${maxNameLength} characters`)];
  if (namePattern.test(value)) return [];
  const message = `${field}: ${JSON.stringify(value)} is not valid; give letters, digits, dots, hyphens and underscores, with a letter or digit first.`;
  return [{ field, code: 'INVALID_INPUT', message }];
}

function externalIdProblems(value: string): readonly CmpObjectProblem[] {
  const field = 'externalId';
  const sizeBytes = Buffer.byteLength(value);
  if (sizeBytes > maxExternalIdBytes) return [tooLong(field, sizeBytes, `${maxExternalIdBytes} bytes in UTF-8`)];
  // The database's comparison ignores trailing spaces: '42' and '42 ' would be one object.
  const fits = value !== '' && value.trim() === value && value.isWellFormed() && !forbiddenCharacters.test(value);
  if (fits) return [];
  const message = `externalId: ${JSON.stringify(value)} is not valid; give a text without control characters and without leading or trailing spaces.`;
  return [{ field, code: 'INVALID_INPUT', message }];
}

function tooLong(field: keyof CmpObjectKey, size: number, limit: string): CmpObjectProblem {
  return { field, code: 'TOO_LONG', message: `${field}: its length is ${size}; at most ${limit} are allowed.` };
}
