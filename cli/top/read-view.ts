// Reads the data of a view of `tidegate top`: a page of a list, or the output of the command line's own verbs.
import { Writable } from 'node:stream';
import type { JsonObject } from '../../platform/values/json.ts';
import { CommandFailure, exitCodes } from '../failures.ts';
import { type GraphClient, untyped } from '../graph-client.ts';
import { kindVerb } from '../kinds/kind-noun.ts';
import type { Entry, Noun, Output, Surroundings, Verb } from '../verb.ts';
import { whyFields } from '../why/fields.ts';
import type { Loaded } from './changes.ts';
import { readOverview } from './overview.ts';
import { helpLines } from './render.ts';
import { pageSize, type Row, type TablePage, type TableView, type TextView, type View } from './state.ts';
import type { Topic } from './topics.ts';

const mostEvents = 100;

export interface Source extends Pick<Surroundings, 'signal' | 'env'> {
  readonly client: GraphClient;
  readonly topics: readonly Topic[];
  readonly nouns: Readonly<Record<string, Entry<Noun>>>;
  readonly why: () => Promise<Verb>;
}

/** `rows`: rows of a table (state.ts, rowsToRead). Throws CommandFailure. */
export async function readView(
  source: Source,
  view: View,
  { columns, rows }: { columns: number; rows: number },
): Promise<Loaded> {
  switch (view.kind) {
    case 'overview':
      return { kind: 'overview', data: await readOverview(source.client) };
    case 'table':
      return { kind: 'table', data: await readTable(source, view, rows) };
    case 'text':
      return { kind: 'text', data: view.aspect === 'help' ? helpLines : await readText(source, view, columns) };
  }
}

interface Answer {
  readonly found?: {
    readonly nodes: readonly JsonObject[];
    readonly totalCount: number | null;
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
  readonly of?: { readonly found?: Answer['found'] | JsonObject | readonly JsonObject[] | null } | null;
}

async function readTable({ client, topics }: Source, view: TableView, first: number): Promise<TablePage> {
  const topic = topics.find(({ noun }) => noun === view.noun);
  if (topic === undefined) throw new Error(`there is no topic ${view.noun}`);
  const { text, variables } = tableDocument(topic, view, first);
  const { found, of } = await client.query(untyped<Answer>(text), variables);
  const read = found ?? of?.found;
  if (read === undefined || read === null) {
    if (of === null) throw new CommandFailure(`there is no ${view.of?.name ?? 'object'} any more`);
    return { rows: [], total: 0, next: null };
  }
  const rowsIn = (nodes: readonly JsonObject[]) => nodes.map((node) => rowOf(topic, node));
  if (Array.isArray(read)) return { rows: rowsIn(read as readonly JsonObject[]), total: read.length, next: null };
  if (!('pageInfo' in read)) return { rows: rowsIn([read as JsonObject]), total: 1, next: null };
  const { nodes, totalCount, pageInfo } = read as NonNullable<Answer['found']>;
  const page = { rows: rowsIn(nodes), total: totalCount, next: pageInfo.hasNextPage ? pageInfo.endCursor : null };
  return first < pageSize && pageInfo.hasNextPage ? { ...page, isPart: true } : page;
}

function tableDocument({ list, parent, selection }: Topic, { order, after, filter, of }: TableView, first: number) {
  const page = `nodes { ${selection} } totalCount pageInfo { hasNextPage endCursor }`;
  const variables = { first, after: after.at(-1) ?? null };
  if (list !== undefined) {
    const { field, takesText, orders } = list;
    const orderBy = orders[order] === undefined ? '' : `, orderBy: ${orders[order]}`;
    const text = `query Top($first: Int, $after: String${takesText ? ', $text: String' : ''}) {
  found: ${field}(first: $first, after: $after${takesText ? ', text: $text' : ''}${orderBy}) { ${page} } }`;
    return { text, variables: { ...variables, ...(takesText && filter !== '' ? { text: filter } : {}) } };
  }
  if (parent === undefined || of === null) throw new Error('these parts have no parent');
  const isPaged = parent.has === 'pages';
  const text = `query TopParts($id: ID!${isPaged ? ', $first: Int, $after: String' : ''}) {
  of: node(id: $id) { ... on ${parent.type} {
    found: ${parent.children}${isPaged ? '(first: $first, after: $after)' : ''} { ${isPaged ? page : selection} } } } }`;
  return { text, variables: { id: of.id, ...(isPaged ? variables : {}) } };
}

function rowOf(topic: Topic, node: JsonObject): Row {
  const row = topic.plain?.(node) ?? node;
  const [typeField, idField] = topic.about ?? [];
  const id = row[idField ?? 'id'];
  return {
    id: typeof id === 'string' && topic.type !== 'AuditEntry' ? id : null,
    type: typeField === undefined ? topic.type : String(row[typeField]),
    name: topic.name(row),
    cells: Object.values(topic.columns).map((text) => text(row) ?? '-'),
  };
}

async function readText(source: Source, { aspect, of }: TextView, columns: number): Promise<readonly string[]> {
  const id = of.id ?? '';
  const around = await surroundingsFor(source, columns);
  const hasWhy = Object.hasOwn(whyFields, of.type);
  const describe = async () => {
    const verb = await showVerbOf(source, of.type);
    return verb === undefined ? undefined : outputOf(verb, [id], {}, around);
  };
  const why = async () => (hasWhy ? outputOf(await source.why(), [id], {}, around) : undefined);
  const events = async () => {
    const list = (await source.nouns.events?.load())?.list;
    if (list === undefined) throw new Error('there is no verb events list');
    return outputOf(list, [], { subject: id, limit: mostEvents }, around);
  };
  switch (aspect) {
    case 'describe':
      return (await describe()) ?? (await why()) ?? [`${of.type} has no description`];
    case 'events': {
      const lines = await events();
      return lines.length > 0 ? lines : ['it has no events'];
    }
    case 'why':
      return (await why()) ?? (await events());
    default: {
      const [shown, told] = [await describe(), (await why()) ?? (await events())];
      return [...(shown ?? []), ...(shown === undefined ? [] : ['']), ...told];
    }
  }
}

async function showVerbOf({ topics, nouns }: Source, type: string): Promise<Verb | undefined> {
  const topic = topics.find((each) => each.type === type);
  if (topic === undefined || topic.about !== undefined) return undefined;
  // Shows all fields of a kind from the graph, although some nouns have a verb that asks a cluster.
  if (topic.plain !== undefined) return kindVerb(type, 'show');
  return (await nouns[topic.noun]?.load())?.show;
}

interface Around extends Pick<Surroundings, 'signal' | 'env'> {
  readonly columns: number;
  readonly url: string;
}

/** The verbs log in with the token of this client. */
async function surroundingsFor({ client, signal, env }: Source, columns: number): Promise<Around> {
  const token = await client.credential?.token();
  return {
    ...{ signal, columns, url: client.url.href },
    env: token === undefined ? env : { ...env, TIDEGATE_TOKEN: token },
  };
}

/** The lines that a verb prints. Throws CommandFailure. */
async function outputOf(
  verb: Verb,
  names: readonly string[],
  given: Readonly<Record<string, unknown>>,
  { signal, env, columns, url }: Around,
): Promise<string[]> {
  let text = '';
  const stdout = new Writable({
    write(part: Buffer, _encoding, done) {
      text += part.toString();
      done();
    },
  });
  const output: Output = Object.assign(stdout, { isTTY: true, columns });
  const stderr = new Writable({ write: (_part, _encoding, done) => done() });
  const options = Object.fromEntries(
    Object.entries(verb.options).map(([name, option]) => [name, given[name] ?? option.read(undefined, `--${name}`)]),
  );
  await verb.run({ stdout: output, stderr, signal, env, options: { ...options, url }, names });
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** Whether the server did not answer at all. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof CommandFailure && error.exitCode === exitCodes.unreachable;
}
