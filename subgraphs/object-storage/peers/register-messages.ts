// Requests to registers and their answers, as another cluster sends them, which is not trusted. They are most of what servers say to each other, so
// that they are taken apart by hand: a general checker took as much CPU as the rules that they are for. What more there is in them is dropped.
import type { Refusal } from '../../../platform/registers/registers.ts';
import type { Written } from '../../../platform/registers/rules.ts';
import type { Version } from '../../../platform/registers/version.ts';
import type { RegisterKey, ReplicaAnswer, ReplicaRequest, StoredValue } from '../store/register.ts';
import { mostBatchRequests, mostBodyBytes, mostHeadBytes, mostNameBytes, mostRing } from './peer-wire.ts';

type Fields = Readonly<Record<string, unknown>>;

const digits = /^[0-9a-f]{32}$/;

/** Why a message is not one. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
}

/** Of a batch: each request is read by itself. @throws MessageError */
export function readBatch(message: unknown): readonly unknown[] {
  const { requests } = fieldsOf('a batch', message);
  if (!Array.isArray(requests) || requests.length === 0 || requests.length > mostBatchRequests)
    throw new MessageError(`requests: 1 to ${mostBatchRequests} of them`);
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
      throw new MessageError('op: read, promise or accept');
  }
}

/** Of a batch, in its order: what is an answer is read by itself. @throws MessageError */
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
  if (refused === 'UNREADY' || refused === 'CLOSED' || refused === 'AHEAD') return { refused };
  throw new MessageError('refused: a reason that there is');
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
  return { ring, scope: versionOf('scope', scope), name: textOf('name', name, mostNameBytes) };
}

/** Of all 32 digits: scopes have them too. */
function versionOf(what: string, value: unknown): Version {
  if (typeof value !== 'string' || !digits.test(value)) throw new MessageError(`${what}: not 32 hexadecimal digits`);
  return value;
}

function countOf(what: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new MessageError(`${what}: not a whole number from 0`);
  return value;
}

function textOf(what: string, value: unknown, mostBytes: number): string {
  if (typeof value !== 'string') throw new MessageError(`${what}: not a text`);
  if (value.length > mostBytes || Buffer.byteLength(value) > mostBytes)
    throw new MessageError(`${what}: it is too long: at most ${mostBytes} bytes`);
  return value;
}

function fieldsOf(what: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Buffer.isBuffer(value))
    throw new MessageError(`${what}: not an object`);
  return value as Fields;
}
