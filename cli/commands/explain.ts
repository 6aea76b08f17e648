// `tidegate explain FILE`: how the gateway would execute an operation. Executes nothing.
import { readFile } from 'node:fs/promises';
import { type DocumentNode, GraphQLError, Kind, parse, print, separateOperations } from 'graphql';
import { CommandFailure, UsageError } from '../failures.ts';
import type { ExplainedStep, Explanation } from '../graph-client.ts';
import { operationOptions, readVariables } from '../graphql-options.ts';
import type { Printer } from '../printer.ts';
import { remoteVerb } from '../remote-verb.ts';

export const explain = remoteVerb({
  summary: 'Show the requests to subgraphs for an operation in a file, and its limits. Executes nothing.',
  takes: ['FILE'],
  options: operationOptions,
  async run(call) {
    const {
      client,
      printer,
      options,
      names: [path],
    } = call;
    const variables = await readVariables(options.variables, path, call);
    const query = operationIn(await textOf(path), path, options.operation);
    const explanation = await client.explain(query, variables);
    if (options.json) return printer.json(explanation);
    await printExplanation(printer, explanation);
    if (explanation.refusal !== null) throw new CommandFailure(refusalWords(explanation.refusal));
  },
});

/** Includes a remedy, unless the message has one. */
function refusalWords({ code, message }: NonNullable<Explanation['refusal']>): string {
  const hint = code === 'LIMIT_EXCEEDED' ? ' The table above shows each limit with the figure of the operation.' : '';
  return `${code}: ${message}${hint}`;
}

async function printExplanation(printer: Printer, { operation, limits, plan }: Explanation): Promise<void> {
  await printer.pairs([
    ['Operation', [operation.kind, operation.name].filter(Boolean).join(' ')],
    ['SHA-256', operation.hash],
    ['Published', operation.isPublished ? 'yes' : 'no'],
  ]);
  await printer.section(
    ['LIMIT', 'REQUESTED', 'MOST'],
    limits.map(({ limit, requested, most }) => [limit, String(requested), String(most)]),
  );
  if (plan === null) return;
  await printer.line('');
  for (const line of linesOf(plan, '')) await printer.line(line);
}

/** Numbered like chapters: steps under a number begin when the previous number has ended. */
function linesOf(step: ExplainedStep, number: string): readonly string[] {
  if ('subgraph' in step) {
    const places = step.at === undefined ? '' : `, for ${step.at.join(' and ')}`;
    const request = step.request.split('\n').map((line) => `    ${line}`);
    return [`${number === '' ? '' : `${number} `}${step.subgraph}${places}`, ...request];
  }
  const prefix = number === '' ? '' : `${number}.`;
  if ('inOrder' in step) return step.inOrder.flatMap((each, index) => linesOf(each, `${prefix}${index + 1}`));
  return [
    `${number === '' ? '' : `${number} `}at once:`,
    ...step.atOnce.flatMap((each, index) => linesOf(each, `${prefix}${String.fromCharCode(97 + (index % 26))}`)),
  ];
}

/** The text of one operation with the fragments that it uses. */
function operationIn(source: string, path: string, name: string | undefined): string {
  const byName = separateOperations(documentIn(source, path));
  const names = Object.keys(byName);
  const [first] = names;
  if (name === undefined && names.length > 1)
    throw new UsageError(`${path} has several operations: name one with --operation (${names.join(', ')})`);
  const chosen = name ?? first;
  const document = chosen === undefined ? undefined : byName[chosen];
  if (document !== undefined) return names.length === 1 ? source : print(document);
  throw new CommandFailure(`${path} has no operation${name === undefined ? '' : ` named ${name}`}`);
}

function documentIn(source: string, path: string): DocumentNode {
  try {
    const document = parse(source);
    const isExecutable = ({ kind }: { kind: Kind }) =>
      kind === Kind.OPERATION_DEFINITION || kind === Kind.FRAGMENT_DEFINITION;
    if (document.definitions.every(isExecutable)) return document;
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const [place] = error.locations ?? [];
    throw new CommandFailure(`${path}:${place?.line ?? 1}:${place?.column ?? 1}: ${error.message}`);
  }
  throw new CommandFailure(`${path} has types; an operation is wanted`);
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CommandFailure(`${path} can't be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
