// The commands of all nouns, as tables: the output of each line, and its requests to the server.
import { describe, expect, test } from '@jest/globals';
import { nouns } from '../../../cli/table.ts';
import type { Verb } from '../../../cli/verb.ts';
import { CommandTable, type Scenes } from './command-table.ts';
import { balancerPreviews, balancers } from './rows/balancers.ts';
import { audit, backends, calls, cmpObjects, drivers, events, mappings, operations } from './rows/calls.ts';
import { emptyGraph, everyNoun } from './rows/every-noun.ts';
import { exports, gql } from './rows/files.ts';
import { byName, find, forAdministrators, why } from './rows/finding.ts';
import { gslbs, machines, zones } from './rows/names.ts';
import { refusals } from './rows/refusals.ts';
import { clusters, rings, storageOptions } from './rows/storage.ts';
import { waits } from './rows/waits.ts';

const table = new CommandTable();
const all: Readonly<Record<string, Scenes>> = {
  ...{ backends, operations, drivers, mappings, cmpObjects, audit, events },
  ...{ loadBalancers: balancers, previews: balancerPreviews, gslbs, zones, machines, clusters, storageOptions, rings },
  ...{ find, why, calls, gql, exports, waits, byName, forAdministrators, refusals },
};
describe.each(Object.entries(all))('%s', (_, scenes) => table.test(scenes));

test('every noun of the program has a row', () => {
  expect(Object.keys(everyNoun)).toEqual(Object.keys(nouns));
});

/** Nouns with a list in the graph, or an argument that names one of its objects, and nothing else. */
const asks = (verb: Verb | undefined, ...takes: readonly string[]): boolean =>
  verb?.options.url !== undefined &&
  (takes.length === 0 ? verb.takes.length === 0 : takes.includes(verb.takes.join())) &&
  Object.values(verb.options).every(({ needed }) => needed !== true);

test.each(Object.entries(everyNoun))('%s: an empty list, and an object that is not there', async (noun, row) => {
  const [columns, what] = row;
  const { list, show, delete: remove } = (await nouns[noun]?.load()) ?? {};
  table.server.answers = emptyGraph;
  expect({ hasColumns: columns !== undefined, isNamed: what !== undefined }).toEqual({
    ...{ hasColumns: asks(list), isNamed: asks(show, 'NAME', 'ID') },
  });
  if (columns !== undefined) await table.expect({ run: `${noun} list`, out: columns === '' ? '' : `${columns}\n` });
  if (what === undefined) return;
  const err = `tidegate: there is no ${what.includes("'") ? what : `${what} 'none'`}\n`;
  for (const [verb, each] of Object.entries({ show, delete: remove }))
    if (asks(each, 'NAME')) {
      const sure = each?.options.yes === undefined ? '' : ' --yes';
      await table.expect({ run: `${noun} ${verb} none${sure}`, exit: 1, out: '', err });
    }
});
