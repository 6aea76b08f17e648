// Another project's objects look nonexistent, at every root field and every entity of a subgraph's SDL. A field without
// a row fails.
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  type ConstDirectiveNode,
  type ExecutionResult,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
  parse,
  subscribe,
} from 'graphql';
import type { Identity } from '../../../platform/caller/identity.ts';
import { decodeId, encodeId, newUuid } from '../../../platform/values/ids.ts';
import { documentOf, type Names, rowsOf } from '../../support/jest/text-rows.ts';
import { type Contract, ContractRun, type Input, type Sent, type Told } from './contract.ts';

/** Types with IDs that everybody knows. */
const openTypes: readonly string[] = ['CmpObject', 'Attention'];

const typeOf = (value: unknown) => (typeof value === 'string' ? decodeId(value)?.type : undefined);
const otherId = (id: unknown) => encodeId(typeOf(id) ?? '', newUuid());

const fieldNames = (type: GraphQLObjectType | undefined | null) => Object.keys(type?.getFields() ?? {});

export function isolation(of: Contract): ContractRun {
  const run = new ContractRun(of);
  const { schema, mutations } = run;
  const queries = rowsOf(of.queries);
  const entities = rowsOf(of.entities);
  const secret = of.secret ?? /secret/;
  const isOpen = (type = '') => [...openTypes, ...(of.openTypes ?? [])].includes(type);

  /** The IDs of the owner's objects, by their names in rows. */
  const hidden = (names: Names): readonly (readonly [string, string])[] =>
    Object.entries(names).flatMap(([name, value]) =>
      /^[A-Z]\w+$/.test(typeOf(value) ?? '') && !isOpen(typeOf(value)) && !name.startsWith('their')
        ? [[name, String(value)]]
        : [],
    );

  test('every root field and every entity of the SDL has a row', () => {
    const own = fieldNames(schema.getQueryType()).filter((name) => !name.startsWith('_'));
    expect([...new Set(queries.map(([name]) => name))].sort()).toEqual(own.sort());
    expect(mutations.toSorted()).toEqual(fieldNames(schema.getMutationType()).sort());
    expect(Object.keys(of.streams).sort()).toEqual(fieldNames(schema.getSubscriptionType()).sort());
    expect([...new Set(entities.map(([type]) => type))].sort()).toEqual(entityTypes(schema).sort());
  });

  const callers = [...of.strangers, 'nobody'];
  describe.each(callers)('%s', (caller) => {
    const isNobody = caller === 'nobody';
    const who = () => (isNobody ? null : (run.world.strangers[caller] ?? null));
    let before: unknown;
    beforeAll(async () => {
      before = await run.state(['session']);
    });
    const everybody = isNobody && of.nobody.reads !== undefined ? [of.nobody.reads] : undefined;

    /**
     * A question about the owner's objects gets the same answer as one about objects that never existed, and contains
     * none of the owner's data.
     */
    async function sameAsUnknown(ask: (names: Names) => Promise<unknown>): Promise<unknown> {
      const never: Record<string, unknown> = { ...run.world.names };
      for (const [name, id] of hidden(never)) never[name] = otherId(id);
      const [known, unknown] = [await ask(run.world.names), await ask(never)];
      expect(masked(known, hidden(run.world.names))).toEqual(masked(unknown, hidden(never)));
      const text = JSON.stringify(known).replaceAll(/"message":"(?:[^"\\]|\\.)*"/g, '');
      expect(text).not.toMatch(secret);
      for (const [, id] of hidden(run.world.names)) expect(text).not.toContain(id);
      return known;
    }

    test.each(queries)('reads nothing with %s', async (_name, text = '', _shown = '', code = '') => {
      const found = await sameAsUnknown((names) => run.world.run(who(), `{ ${documentOf(text, names)} }`));
      if (everybody !== undefined || !isNobody)
        expect(codesOf(found)).toEqual(everybody ?? (code === '' ? [] : [code]));
    });

    test.each(entities)('reads nothing as entity %s', async (type, id = '', selection = '') => {
      const found = await sameAsUnknown((names) =>
        run.world.run(who(), entityText(type, documentOf(id, names), selection)),
      );
      if (everybody !== undefined) expect(codesOf(found)).toEqual(everybody);
    });

    test.each(mutations.filter((name) => (isNobody ? of.openToAll?.test(name) !== true : name !== 'logout')))(
      'changes nothing with %s',
      async (mutation) => {
        const named = (names: Names): Input => {
          const input = run.input(mutation, names);
          // An input without an ID of the owner's would create the object in the caller's own project.
          const isOfOwner = hidden(names).some(([, id]) => JSON.stringify(input).includes(id));
          return 'projectId' in run.inputFields(mutation) && !isOfOwner
            ? { ...input, projectId: names.project }
            : input;
        };
        const answer = await sameAsUnknown(async (names) => run.send(who(), mutation, named(names)));
        const { faults, content, errors } = answer as Sent;
        expect(Object.values(content).filter((value) => value !== null)).toEqual([]);
        if (isNobody) expect(faults.join()).toMatch(new RegExp(`^(${of.nobody.changes}) `));
        else if (of.openToAll?.test(mutation) !== true)
          expect(faults.join()).toMatch(
            of.administered.test(mutation) ? /^(FORBIDDEN |NOT_FOUND input|UNAVAILABLE)/ : /^NOT_FOUND input/,
          );
        if (!isNobody) expect(errors).toHaveLength(of.refusedWhole?.test(mutation) === true ? 1 : 0);
      },
    );

    test('the refused calls above have changed nothing', async () => {
      expect(await run.state(['session'])).toEqual(before);
    });
  });

  test('the owner can read everything, which shows that the cases above can fail', async () => {
    const unseen: string[] = [];
    const look = async (name: string, text: string, shown = '', code = '') => {
      if (shown === '-') return;
      const answer = JSON.stringify(await run.world.run(code === '' ? run.world.owner : run.world.admin, text));
      if (!(shown === '' ? secret : new RegExp(shown)).test(answer)) unseen.push(`${name}: ${answer}`);
    };
    for (const [name = '', text = '', shown, code] of queries)
      await look(name, `{ ${documentOf(text, run.world.names)} }`, shown, code);
    for (const [, text = '', , code] of queries)
      if (code !== undefined && !run.world.owner.admin)
        expect(codesOf(await run.world.run(run.world.owner, `{ ${documentOf(text, run.world.names)} }`))).toEqual([
          code,
        ]);
    for (const [type = '', id = '', selection = '', shown] of entities)
      await look(type, entityText(type, documentOf(id, run.world.names), selection), shown);
    expect(unseen).toEqual([]);
  });

  const streams = Object.entries(of.streams).filter(([, { elsewhere }]) => elsewhere === undefined);
  if (streams.length > 0)
    test.each(streams)('%s shows each caller only their own', async (name, { selection, events, theirs = /own-/ }) => {
      const follow = async (who: Identity, until: RegExp, after?: string) => {
        const contextValue = { identity: who, requestId: 'r', loaders: new Map() };
        const document = parse(`subscription ($after: String) { ${name}(after: $after) ${selection} }`);
        const stream = await subscribe({
          schema: run.world.schema,
          document,
          variableValues: { after },
          contextValue,
        });
        if (!(Symbol.asyncIterator in stream)) return [JSON.stringify(stream)];
        const items: string[] = [];
        for await (const item of stream as AsyncGenerator<ExecutionResult>) {
          items.push(JSON.stringify(item));
          if (until.test(items.at(-1) ?? '')) break;
        }
        return items;
      };
      const stranger = run.world.strangers['a stranger'] as Identity;
      if (events === undefined) return expect((await follow(stranger, /./)).join()).toContain('FORBIDDEN');
      const after = await run.world.feed.currentCursor();
      await events(run.world, name);
      for (const item of await follow(stranger, theirs, after)) expect(item).not.toMatch(secret);
      expect((await follow(run.world.owner, secret, after)).length).toBeGreaterThan(0);
    });

  return run;
}

function entityText(type: string, id: string, selection: string): string {
  return `{ _entities(representations: [{ __typename: "${type}", id: ${id} }]) { ... on ${type} { ${selection} } } }`;
}

function codesOf(answer: unknown): readonly unknown[] {
  const { errors = [] } = answer as { readonly errors?: readonly Told[] };
  return [...new Set(errors.map(({ extensions }) => extensions?.code))];
}

/** Replaces IDs with their names, and status cursors with a fixed text, because their values differ. */
function masked(answer: unknown, ids: readonly (readonly [string, string])[]): string {
  let text = JSON.stringify(answer).replaceAll(/"statusCursor":"[\w-]+"/g, '"statusCursor":"<cursor>"');
  for (const [name, id] of ids) text = text.replaceAll(id, `<${name}>`);
  return text;
}

/** Entity types with fields that this subgraph resolves. */
function entityTypes(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter((type) => fieldNames(type).length > 1 && type.astNode?.directives?.some(isResolvedKey) === true)
    .map(({ name }) => name);
}

function isResolvedKey({ name, arguments: args = [] }: ConstDirectiveNode): boolean {
  return name.value === 'key' && !args.some((argument) => argument.name.value === 'resolvable');
}
