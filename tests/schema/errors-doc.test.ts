// docs/errors.md as generated from the registry of codes, and docs/retries.md compared with the states.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { topLevelCodes, userErrorCodes } from '../../platform/errors/errors.ts';
import { errorsDocument } from '../../schema/errors-doc.ts';
import { isFinal, operationStates } from '../../subgraphs/relay/rules/states.ts';

/** The cells of the table's rows by the first cell, without its backticks. */
function rowsOf(text: string): Map<string, string[][]> {
  const rows = new Map<string, string[][]>();
  for (const line of text.split('\n')) {
    const [first = '', ...cells] = line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, ''));
    const code = /^`([A-Z_]+)`$/.exec(first)?.[1];
    if (code !== undefined) rows.set(code, [...(rows.get(code) ?? []), cells]);
  }
  return rows;
}

describe('errors.md', () => {
  const [users = '', tops = ''] = errorsDocument().split('## Top-level errors');

  test('the committed document equals the generated one', async () => {
    const stored = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'errors.md'), 'utf8');
    expect(stored).toBe(errorsDocument());
  });

  test("one row per code of userErrors: the registry's advice, and the effect on the device", () => {
    const words = {
      SAME_KEY: /^Same key$/,
      SAME_KEY_AFTER_ACTION: /^Same key, once a person has acted$/,
      NEW_KEY: /new key$/,
      NEVER: /^Ask a person$/,
    };
    const rows = rowsOf(users);
    for (const [code, { retry, meaning }] of Object.entries(userErrorCodes)) {
      expect([code, rows.get(code)]).toEqual([
        code,
        [[expect.stringMatching(words[retry]), expect.stringMatching(/^(nothing|not known)/), meaning]],
      ]);
    }
    expect(rows.size).toBe(Object.keys(userErrorCodes).length);
  });

  test('one row per top-level code', () => {
    const rows = rowsOf(tops);
    for (const [code, meaning] of Object.entries(topLevelCodes))
      expect([code, rows.get(code)]).toEqual([code, [[expect.any(String), expect.any(String), meaning]]]);
    expect(rows.size).toBe(Object.keys(topLevelCodes).length);
  });
});

test('retries.md has one row per state of an operation, and says which are final', async () => {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'retries.md'), 'utf8');
  const rows = rowsOf(text.split('## ').find((section) => section.startsWith('The state of an operation')) ?? '');
  expect([...rows.keys()].sort()).toEqual([...operationStates].sort());
  for (const state of operationStates) {
    expect([state, rows.get(state)]).toEqual([state, [[expect.any(String), expect.any(String)]]]);
    // REJECTED is final too, but its key is free: the advice is another try.
    if (state !== 'REJECTED')
      expect([state, rows.get(state)?.[0]?.[1]?.startsWith('final')]).toEqual([state, isFinal(state)]);
  }
});
