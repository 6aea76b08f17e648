// A register message from another cluster is accepted only if it is well-formed. A field that is missing, too large or
// of another type is refused.
import { expect, test } from '@jest/globals';
import {
  MessageError,
  readAnswer,
  readAnswers,
  readBatch,
  readRequest,
} from '../../../../../subgraphs/object-storage/engine/peers/register-messages.ts';

const version = '0123456789abcdef'.repeat(2);
const key = { ring: 1, scope: 'a'.repeat(32), name: 'photo' };
const value = { head: '{}', body: Buffer.from('bytes') };
const row = { version, promised: version, value };
const accept = { op: 'accept', key, epoch: 3, written: { version, value } };

test.each([
  { op: 'read', key, epoch: 1 },
  { op: 'promise', key: { ...key, name: '' }, epoch: 1, ballot: version },
  accept,
  { ...accept, written: { version, value: { head: '{}' } } },
  { ...accept, written: { version, value: undefined } },
])('a request is read as it is: %j', (request) => {
  expect(readRequest({ ...request, more: 1 })).toEqual(request);
});

test.each([
  { done: true, row, floor: version },
  { done: false, row: undefined, floor: version },
  { refused: 'STALE', epoch: 7 },
  { refused: 'UNREADY' },
  { refused: 'CLOSED' },
])('an answer is read as it is: %j', (answer) => {
  expect(readAnswer({ ...answer, more: 1 })).toEqual(answer);
});

/** Each field by its path, with its invalid values. */
const wrong: readonly (readonly [path: string, values: readonly unknown[]])[] = [
  ['op', ['write', undefined, 1, '__proto__']],
  ['epoch', [-1, 1.5, 2 ** 53, Number.NaN, '1', undefined]],
  ['key', [undefined, null, 'key', [], Buffer.alloc(1)]],
  ['key.ring', [-1, 65_536, 0.5, '1', undefined]],
  ['key.scope', ['A'.repeat(32), 'a'.repeat(31), `${'a'.repeat(32)}\n`, 7, undefined]],
  ['key.name', ['x'.repeat(1_101), 'ü'.repeat(551), 7, undefined]],
  ['written', [undefined, null, 7, []]],
  ['written.version', ['', 'g'.repeat(32), 'f'.repeat(32), 1, undefined]],
  ['written.value', [null, 'text', []]],
  ['written.value.head', ['x'.repeat(16 * 1024 + 1), undefined, 7]],
  ['written.value.body', ['text', null, {}, Buffer.alloc(1024 * 1024 + 1)]],
];

function replaced(message: object, path: string, wanted: unknown): object {
  const [first = '', ...rest] = path.split('.');
  const inner = (message as Record<string, unknown>)[first];
  return { ...message, [first]: rest.length === 0 ? wanted : replaced(inner as object, rest.join('.'), wanted) };
}

test.each(wrong)('a request is refused when its %s is wrong', (path, values) => {
  for (const each of values) expect(() => readRequest(replaced(accept, path, each))).toThrow(MessageError);
});

test('an answer is refused when any part of it is wrong', () => {
  const answer = { done: true, row, floor: version };
  for (const [path, values] of [
    ['done', [undefined, 1, 'true']],
    ['floor', [undefined, 'x', 7]],
    ['row', [null, 7, []]],
    ['row.promised', [undefined, '']],
    ['row.version', [undefined, '']],
    ['row.value.head', [undefined, 7]],
    ['refused', ['NEVER', null, 7, 'STALE']],
  ] as const)
    for (const each of values) expect(() => readAnswer(replaced(answer, path, each))).toThrow(MessageError);
  for (const each of [undefined, null, 7, 'text', [], Buffer.alloc(3)]) {
    expect(() => readAnswer(each)).toThrow(MessageError);
    expect(() => readRequest(each)).toThrow(MessageError);
    expect(() => readBatch(each)).toThrow(MessageError);
    expect(() => readAnswers(each === undefined || Array.isArray(each) ? [each] : each)).toThrow(MessageError);
  }
});

test('a batch has 1 to 256 requests, and each of its answers is one or an error', () => {
  expect(readBatch({ requests: [1, 2] })).toEqual([1, 2]);
  for (const requests of [[], Array.from({ length: 257 }, () => 1), 'all', undefined])
    expect(() => readBatch({ requests })).toThrow(MessageError);
  expect(readAnswers([{ answer: 1 }, { error: 'away' }])).toEqual([{ answer: 1 }, { error: 'away' }]);
  expect(() => readAnswers([{ error: 7 }])).toThrow(MessageError);
  expect(() => readAnswers([{}])).toThrow(MessageError);
});
