// The log of a start on a person's terminal: one line of text for each warning.
import { expect, test } from '@jest/globals';
import { terminalWarnings } from '../../../cli/up/terminal-warnings.ts';
import type { Output } from '../../../cli/verb.ts';
import { createLogger } from '../../../platform/log/log.ts';

function told() {
  const lines: string[] = [];
  const output = { write: (text: string) => lines.push(text) > 0 } as unknown as Output;
  const clock = { ms: 0 };
  const destination = terminalWarnings(output, () => clock.ms);
  return { lines, clock, log: createLogger({ level: 'trace', pretty: false, destination }) };
}

test('a warning and an error are one line each, with their reason and details, and the rest is silent', () => {
  const { lines, log } = told();
  log.info('the gateway listens');
  log.debug({ a: 1 }, 'nothing to see');
  log.warn('the machine is too busy: 63 processes want 2 CPUs');
  log.error({ err: new Error('no such\nhost'), requestId: 'r-1', attempts: 3 }, 'a job failed');
  expect(lines).toEqual([
    'Warning: the machine is too busy: 63 processes want 2 CPUs\n',
    'Error: a job failed (no such host, attempts 3)\n',
  ]);
});

test('the same text is printed once a minute, other texts at once', () => {
  const { lines, clock, log } = told();
  for (let count = 0; count < 100; count += 1) log.warn('Redis is away');
  log.warn('MariaDB is away');
  expect(lines).toHaveLength(2);
  clock.ms = 59_999;
  log.warn('Redis is away');
  expect(lines).toHaveLength(2);
  clock.ms = 60_000;
  log.warn('Redis is away');
  expect(lines).toHaveLength(3);
});

test('foreign text can neither control the terminal nor form its own line, and secrets stay hidden', () => {
  const { lines, log } = told();
  log.warn({ reason: 'x\u001b]0;owned\u0007\nTidegate is ready.', password: 'hunter2' }, 'a device said something');
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain('\u001b');
  expect(lines[0]?.trimEnd()).not.toContain('\n');
  expect(lines[0]).not.toContain('hunter2');
});
