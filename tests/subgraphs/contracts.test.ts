// Every subgraph has its rows of the common suites (support/contract.ts).
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { subgraphRows } from '../../subgraphs/rows.ts';

test.each(subgraphRows.map(({ name }) => name))('%s has tests of isolation and of bad input', (name) => {
  const has = (file: string) =>
    [`${file}.test.ts`, `${file}.long.test.ts`].some((each) => existsSync(join(import.meta.dirname, name, each)));
  expect(['isolation', 'bad-input'].filter((file) => !has(file))).toEqual([]);
});
