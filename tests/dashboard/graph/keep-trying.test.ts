// Requests that are tried again: only without an answer, and only while their page is open.
import { expect, test } from '@jest/globals';
import { keepTrying } from '../../../dashboard/src/graph/keep-trying.ts';
import { RequestError } from '../../../dashboard/src/graph/request.ts';

const silence = () => new RequestError('UNREACHABLE', 'The server does not answer.');

test('without an answer it is tried again', async () => {
  let attempts = 0;
  const answer = await keepTrying(async () => {
    attempts += 1;
    if (attempts < 3) throw silence();
    return 'answer';
  });
  expect([answer, attempts]).toEqual(['answer', 3]);
});

test('a refusal is an answer', async () => {
  let attempts = 0;
  const trying = keepTrying(async () => {
    attempts += 1;
    throw new RequestError('FORBIDDEN', 'no');
  });
  await expect(trying).rejects.toMatchObject({ code: 'FORBIDDEN' });
  expect(attempts).toBe(1);
});

test('a request whose page was left is not sent again', async () => {
  const left = new AbortController();
  let attempts = 0;
  const trying = keepTrying(async () => {
    attempts += 1;
    setImmediate(() => left.abort());
    throw silence();
  }, left.signal);
  await expect(trying).rejects.toMatchObject({ code: 'UNREACHABLE' });
  expect(attempts).toBe(1);
});
