// Bad input of every mutation of a subgraph gives a coded error that names the field, and no change in any table.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { decodeId, encodeId, newUuid } from '../../../platform/values/ids.ts';
import { cellValue, rowsOf } from '../../support/jest/text-rows.ts';
import { type Contract, ContractRun, type Input, type World } from './contract.ts';
import { identity, projectB, projectId } from './subgraph-graph.ts';

interface Case {
  readonly what: string;
  readonly change: (world: World, valid: Input) => Input;
  /** Paths below `input`. If the last one is `…`, there may be more faults. */
  readonly faults: readonly string[];
}

const control = 'a\u0007b';
const long = 'x'.repeat(2_000);

const strangerId = (id: unknown) => encodeId(decodeId(String(id))?.type ?? '', newUuid());

/** A case that puts this value into this field and expects this fault there. */
const at = (what: string, field: string, value: unknown, code: string, path = field): Case => ({
  ...{ what: `${what} as ${path}`, change: () => ({ [field]: value }), faults: [`${code} ${path}`] },
});

export function badInput(of: Contract): ContractRun {
  const run = new ContractRun(of);
  const refusals = Map.groupBy(rowsOf(of.refused), ([mutation = '']) => mutation);
  const mutations = run.mutations.filter((name) => of.inputElsewhere?.test(name) !== true);

  const callerOf = (mutation: string) => (of.administered.test(mutation) ? run.world.admin : run.world.owner);

  /** The cases that follow from the types of the input's fields. */
  function casesOfTypes(mutation: string): readonly Case[] {
    const fields = run.inputFields(mutation);
    const given = Object.keys(parse(run.inputText(mutation)) as Input);
    const ids = Object.entries(fields).filter(
      ([field, { type }]) => /^ID!?$/.test(String(type)) && given.includes(field),
    );
    const cases: Case[] = ids
      .filter(([field]) => of.freeIds?.includes(`${mutation} ${field}`) !== true)
      .flatMap(([field]) => [
        {
          ...at('an unknown id', field, '', 'NOT_FOUND'),
          change: (_, valid) => ({ [field]: strangerId(valid[field]) }),
        },
        at('an id of another type', field, encodeId('Nothing', newUuid()), 'NOT_FOUND'),
        at('no id at all', field, control, 'NOT_FOUND'),
      ]);
    if ('idempotencyKey' in fields)
      cases.push(
        at('an endless text', 'idempotencyKey', long, 'TOO_LONG'),
        at('a control', 'idempotencyKey', control, 'INVALID_INPUT'),
      );
    if ('expectedVersion' in fields) cases.push(at('a stale version', 'expectedVersion', 999, 'STALE_VERSION'));
    if ('projectId' in fields && !given.includes('projectId')) {
      cases.push(at('no id at all', 'projectId', control, 'NOT_FOUND'));
      if (!of.administered.test(mutation))
        cases.push(at("another project's id", 'projectId', projectId(projectB), 'NOT_FOUND'));
    }
    const cmp = { type: 't', externalId: '1' };
    if ('cmpObject' in fields)
      for (const [what, field, value, code] of [
        ['a control', 'type', control, 'INVALID_INPUT'],
        ['a long text', 'type', long, 'TOO_LONG'],
        ['a control', 'externalId', control, 'INVALID_INPUT'],
        ['an empty text', 'externalId', '', 'INVALID_INPUT'],
        ['a long text', 'externalId', long, 'TOO_LONG'],
        ['a space', 'namespace', ' ', 'INVALID_INPUT'],
      ] as const)
        cases.push(at(what, 'cmpObject', { ...cmp, [field]: value }, code, `cmpObject.${field}`));
    return cases;
  }

  const casesOfRows = (mutation: string): readonly Case[] =>
    (refusals.get(mutation) ?? []).map(([, what = '', change = '{}', faults = '']) => ({
      ...{ what, change: ({ names }) => cellValue(change, names) as Input, faults: faults.split(/, | (?=…$)/) },
    }));

  const casesOfFields = (mutation: string): readonly Case[] =>
    (of.fieldFaults?.(mutation) ?? []).map(({ what, change, fault }) => ({
      what,
      change: () => change,
      faults: [fault, '…'],
    }));

  test('every row names an existing mutation', () => {
    expect([...refusals.keys()].filter((mutation) => !mutations.includes(mutation))).toEqual([]);
  });

  describe.each(mutations)('%s', (mutation) => {
    let before: unknown;
    beforeAll(async () => {
      before = await run.state();
    });

    const cases = [...casesOfTypes(mutation), ...casesOfFields(mutation), ...casesOfRows(mutation)];
    test.each(cases.map((each) => [each.what, each] as const))('%s', async (_what, { change, faults }) => {
      const valid = run.input(mutation);
      const told = await run.send(callerOf(mutation), mutation, { ...valid, ...change(run.world, valid) });
      const wanted = faults
        .filter((fault) => fault !== '…')
        .map((fault) => fault.replace(/ (?=.)/, ' input.').replace(/^\w+$/, '$& '));
      expect(told.errors).toEqual([]);
      if (faults.includes('…')) expect(told.faults).toEqual(expect.arrayContaining(wanted));
      else expect(told.faults).toEqual(wanted);
      expect(Object.values(told.content).filter((value) => value !== null)).toEqual([]);
      // No message repeats a whole value, and none contains a secret.
      for (const { message } of told.userErrors) {
        expect(message.length).toBeLessThan(500);
        expect(message).not.toMatch(/PRIVATE KEY|\p{Cc}/u);
        if (of.neverTold !== undefined) expect(message).not.toMatch(of.neverTold);
      }
    });

    if (of.viewersElsewhere === undefined)
      test('viewers may not call it, and members may not call what is for administrators', async () => {
        const isOfAdmins = of.administered.test(mutation);
        for (const who of [identity('VIEWER'), ...(isOfAdmins ? [identity('OPERATOR')] : [])])
          expect((await run.send(who, mutation, run.input(mutation))).faults).toEqual(['FORBIDDEN ']);
      });

    // Counters of events and keys never go back, so no two cases can undo each other.
    test('none of the refused calls has changed anything', async () => {
      expect(await run.state()).toEqual(before);
    });
  });

  const keyed = rowsOf(of.keyed ?? '');
  if (keyed.length > 0)
    test.each(keyed)(
      '%s with the same key and another input is a conflict, and a repetition gets the first answer',
      async (mutation, first = '{}', other = '{}') => {
        const input = (change: string): Input => ({
          ...{ ...run.input(mutation), ...(cellValue(change, run.world.names) as Input) },
          idempotencyKey: `key of ${mutation}`,
        });
        const who = callerOf(mutation);
        const made = await run.send(who, mutation, input(first));
        expect(made.faults).toEqual([]);
        const before = await run.state();
        expect((await run.send(who, mutation, { ...input(first), ...input(other) })).userErrors).toMatchObject([
          { code: 'KEY_CONFLICT', field: ['input', 'idempotencyKey'], retry: 'NEW_KEY' },
        ]);
        expect(await run.state()).toEqual(before);
        const last = await run.state(['commit_record']);
        const again = await run.send(who, mutation, input(first));
        expect([again.faults, idsIn(again.content)]).toEqual([[], idsIn(made.content)]);
        // Reading the outcome of a call leaves only a commit mark.
        expect(await run.state(['commit_record'])).toEqual(last);
      },
    );
  return run;
}

const idsIn = (content: Input) => JSON.stringify(content).match(/"id":"[^"]+"/g);
