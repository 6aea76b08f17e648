// Parses requests to registers and their answers from another cluster, which is not trusted. These are most of the traffic between servers,
// so they are parsed by hand: a general validator took as much CPU as the rules themselves. Unknown fields are dropped.
import type { Refusal } from '../../../../platform/registers/registers.ts';
import type { Written } from '../../../../platform/registers/rules.ts';
import { isVersion, type Version } from '../../../../platform/registers/version.ts';
import type { RegisterKey, ReplicaAnswer, ReplicaRequest, StoredValue } from '../store/register.ts';
import { mostBatchRequests, mostBodyBytes, mostHeadBytes, mostNameBytes, mostRing } from './peer-wire.ts';

type Fields = Readonly<Record<string, unknown>>;

const digits = /^[0-9a-f]{32}$/;

/** Why a message is invalid. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
}

/** Splits a batch; each request is parsed separately. @throws MessageError */
export function readBatch(message: unknown): readonly unknown[] {
  const { requests } = fieldsOf('a batch', message);
  if (!Array.isArray(requests) || requests.length === 0 || requests.length > mostBatchRequests)
    throw new MessageError(`requests: give 1 to ${mostBatchRequests}`);
  return requests;
}

/** @throws MessageError */
export function readRequest(message: unknown): ReplicaRequest {
  const { op, key, epoch, ballot, written } = fieldsOf('a request', message);
  const to = { key: keyOf(key), epoch: countOf('epoch', epoch) };
  switch (op) {
    case 'read':
      return { op, ...to };
    case 'promise':
      return { op, ...to, ballot: versionOf('ballot', ballot) };
    case 'accept':
      return { op, ...to, written: writtenOf(fieldsOf('written', written)) };
    default:
      throw new MessageError('op: give read, promise or accept');
  }
}

/** Splits the answers of a batch, in its order; each answer is parsed separately. @throws MessageError */
export function readAnswers(message: unknown): readonly ({ readonly answer: unknown } | { readonly error: string })[] {
  if (!Array.isArray(message)) throw new MessageError('answers: a list');
  return message.map((each: unknown) => {
    const fields = fieldsOf('an answer of a batch', each);
    if ('answer' in fields) return { answer: fields.answer };
    if (typeof fields.error !== 'string') throw new MessageError('an answer of a batch: an answer or an error');
    return { error: fields.error };
  });
}

/** @throws MessageError */
export function readAnswer(message: unknown): ReplicaAnswer {
  const { refused, done, row, floor, epoch } = fieldsOf('an answer', message);
  if (refused !== undefined) return refusalOf(refused, epoch);
  if (typeof done !== 'boolean') throw new MessageError('done: true or false');
  return { done, row: row === undefined ? undefined : rowOf(fieldsOf('row', row)), floor: versionOf('floor', floor) };
}

function refusalOf(refused: unknown, epoch: unknown): Refusal {
  if (refused === 'STALE') return { refused, epoch: countOf('epoch', epoch) };
  if (refused === 'UNREADY' || refused === 'CLOSED') return { refused };
  throw new MessageError('refused: not a known reason');
}

function rowOf(row: Fields) {
  return { ...writtenOf(row), promised: versionOf('promised', row.promised) };
}

function writtenOf({ version, value }: Fields): Written<StoredValue> {
  return { version: versionOf('version', version), value: value === undefined ? undefined : storedOf(value) };
}

function storedOf(value: unknown): StoredValue {
  const { head, body } = fieldsOf('value', value);
  const text = textOf('head', head, mostHeadBytes);
  if (body === undefined) return { head: text };
  if (!Buffer.isBuffer(body) || body.length > mostBodyBytes) throw new MessageError('body: not bytes, or too many');
  return { head: text, body };
}

function keyOf(value: unknown): RegisterKey {
  const { ring, scope, name } = fieldsOf('key', value);
  if (typeof ring !== 'number' || !Number.isInteger(ring) || ring < 0 || ring > mostRing)
    throw new MessageError(`ring: 0 to ${mostRing}`);
  return { ring, scope: digitsOf('scope', scope), name: textOf('name', name, mostNameBytes) };
}

function versionOf(what: string, value: unknown): Version {
  const version = digitsOf(what, value);
  if (!isVersion(version)) throw new MessageError(`${what}: no clock makes a version this late`);
  return version;
}

function digitsOf(what: string, value: unknown): string {
  if (typeof value !== 'string' || !digits.test(value)) throw new MessageError(`${what}: not 32 hexadecimal digits`);
  return value;
}

function countOf(what: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new MessageError(`${what}: not a whole number from 0`);
  return value;
}

function textOf(what: string, value: unknown, mostBytes: number): string {
  if (typeof value !== 'string') throw new MessageError(`${what}: not a string`);
  if (value.length > mostBytes || Buffer.byteLength(value) > mostBytes)
    throw new MessageError(`${what}: too long: at most ${mostBytes} bytes`);
  return value;
}

function fieldsOf(what: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Buffer.isBuffer(value))
    throw new MessageError(`${what}: not an object`);
  return value as Fields;
}
