// The log: the request id on every line of its work, and no secrets.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createLogger, currentRequestId, withRequestId } from '../../../platform/log/log.ts';

function capture(pretty = false) {
  const lines: string[] = [];
  const write = (line: string) => {
    lines.push(line);
  };
  return { lines, log: createLogger({ level: 'debug', pretty, name: 'relay', destination: { write } }) };
}

test('adds the request id, across awaits, and only within the request', async () => {
  const { lines, log } = capture();
  await Promise.all(
    ['r1', 'r2'].map((id) =>
      withRequestId(id, async () => {
        await sleep(1);
        log.info({ expected: id }, 'inside');
        expect(currentRequestId()).toBe(id);
      }),
    ),
  );
  log.info('outside');
  const [first, second, outside] = lines.map((line) => JSON.parse(line));
  for (const line of [first, second]) expect(line.requestId).toBe(line.expected);
  expect(outside).not.toHaveProperty('requestId');
  expect(outside).toMatchObject({ name: 'relay', msg: 'outside' });
});

test('leaves secrets out, down to the third level', () => {
  const { lines, log } = capture();
  log.info({ password: 'p1', input: { privateKey: 'p2', credentials: { passphrase: 'p3' } }, host: 'fw1' }, 'x');
  expect(lines[0]).not.toMatch(/p[123]/);
  expect(lines[0]).toContain('fw1');
});

test('omits lines below its level', () => {
  const { lines, log } = capture();
  log.trace('no');
  expect(lines).toEqual([]);
});
