// `tidegate mappings list`, and which mappings `verify` looks at: one set of filters for both.
import type { Action, ActionContext } from '../actions.ts';
import { parseCmpObject } from '../client/cmp-object.ts';
import { backendId } from '../client/find.ts';
import { readPages } from '../client/pages.ts';
import { UsageError } from '../command.ts';
import { type Mapping, mappingFields, ownerText, verificationResults } from './mapping.ts';

const states = ['ACTIVE', 'UNVERIFIED', 'ORPHAN', 'DELETED'] as const;

export const filterOptions = {
  backend: { value: 'NAME', help: 'list, verify: on this backend; adopt: where the object is.' },
  state: {
    value: 'STATE',
    help: 'list, verify: only in this state, for example ACTIVE; may be repeated.',
    multiple: true,
  },
  verification: {
    value: 'RESULT',
    help: 'list, verify: only where the last look found MATCHES, DRIFTED or MISSING; may be repeated.',
    multiple: true,
  },
  'cmp-object': {
    value: 'TYPE/ID',
    help: 'list, verify, adopt: the CMP object; NAMESPACE:TYPE/ID for one of another CMP.',
  },
  'updated-from': { value: 'TIME', help: 'list, verify: only what changed then or later.' },
} as const;

const listDocument = `query ($backendId: ID, $states: [MappingState!], $verification: [MappingVerificationResult!],
  $updatedFrom: DateTime, $first: Int, $after: String) {
  mappings(backendId: $backendId, states: $states, verification: $verification, updatedFrom: $updatedFrom,
    first: $first, after: $after) {
    nodes { ${mappingFields} } pageInfo { hasNextPage endCursor }
  }
}`;

const cmpObjectDocument = `query ($namespace: String, $type: String!, $externalId: String!, $states: [MappingState!],
  $first: Int, $after: String) {
  cmpObject(namespace: $namespace, type: $type, externalId: $externalId) {
    mappings(states: $states, first: $first, after: $after) {
      nodes { ${mappingFields} } pageInfo { hasNextPage endCursor }
    }
  }
}`;

export const list: Action = {
  takes: [],
  async run(context) {
    const { args, printer, json } = context;
    const limit = args.integer('limit', { min: 1, max: 100_000 }) ?? 20;
    const found: Mapping[] = [];
    for await (const mapping of readMappings(context, { limit })) found.push(mapping);
    if (json) return printer.json(found);
    const rows = found.map((each) => [
      each.id,
      ownerText(each),
      each.backend?.name ?? '-',
      each.resource,
      each.scope,
      each.key,
      each.state,
      each.lastVerification?.result ?? '-',
      each.updatedAt,
    ]);
    return printer.table(['ID', 'FOR', 'BACKEND', 'RESOURCE', 'SCOPE', 'KEY', 'STATE', 'FOUND', 'CHANGED'], rows);
  },
};

/** What the filters leave, newest first. `states`: unless the caller of the command names others. */
export async function* readMappings(
  { client, args }: Pick<ActionContext, 'client' | 'args'>,
  options: { readonly limit: number; readonly states?: readonly string[] },
): AsyncGenerator<Mapping> {
  const named = oneOf('state', args.texts('state'), states);
  const inStates = named.length > 0 ? named : (options.states ?? []);
  const verification = oneOf('verification', args.texts('verification'), verificationResults);
  const updatedFrom = time('updated-from', args.text('updated-from'));
  const backend = args.text('backend');
  const onBackend = backend === undefined ? undefined : await backendId(client, backend);
  const cmpObject = args.text('cmp-object');
  const common = inStates.length === 0 ? {} : { states: inStates };
  if (cmpObject === undefined) {
    const variables = {
      ...common,
      ...(verification.length === 0 ? {} : { verification }),
      ...(updatedFrom === undefined ? {} : { updatedFrom }),
      ...(onBackend === undefined ? {} : { backendId: onBackend }),
    };
    yield* readPages<Mapping>(client, listDocument, variables, options.limit);
    return;
  }
  // One CMP object's are few: the graph asks for them by object and state, the rest is left out here.
  let left = options.limit;
  for await (const mapping of readPages<Mapping>(client, cmpObjectDocument, {
    ...common,
    ...parseCmpObject(cmpObject),
  })) {
    const { lastVerification, updatedAt } = mapping;
    if (onBackend !== undefined && mapping.backend?.id !== onBackend) continue;
    if (verification.length > 0 && !verification.some((result) => result === lastVerification?.result)) continue;
    if (updatedFrom !== undefined && new Date(updatedAt) < new Date(updatedFrom)) continue;
    if (left === 0) return;
    left -= 1;
    yield mapping;
  }
}

function oneOf<Value extends string>(option: string, given: readonly string[], known: readonly Value[]): Value[] {
  return given.map((text) => {
    const value = known.find((each) => each === text.toUpperCase());
    if (value === undefined) throw new UsageError(`--${option} is one of ${known.join(', ')}, not '${text}'`);
    return value;
  });
}

function time(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new UsageError(`--${option}: '${text}' is no time like 2026-01-31T00:00:00Z`);
  return date.toISOString();
}
