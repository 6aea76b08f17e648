// Objects of a backend that have a call's mark and no mapping: what a restored database does not know of, or what somebody forgot. Nothing is changed:
// the driver's lists are read, in every place (chain, table, tenant) in which a recorded call worked.
import { graphql } from '../../../generated/cli/index.ts';
import { decodeUuid } from '../../../platform/values/ids.ts';
import { readAll, readPages } from '../../pages.ts';
import type { RemoteCall } from '../../remote-verb.ts';

/** An object with a mark. */
interface Unmapped {
  /** Of the driver: the list that shows it. */
  readonly list: string;
  /** UUID of the call in its mark. */
  readonly operationId: string;
  /** Whether the call is recorded. If not, it is a call that the database has lost, or one that was deleted by age. */
  readonly callIsKnown: boolean;
  readonly object: unknown;
}

export interface UnmappedReport {
  readonly unmapped: readonly Unmapped[];
  /** Lists that could not be read, with the reason. */
  readonly unread: readonly string[];
}

type Client = RemoteCall['client'];
type Arguments = Readonly<Record<string, unknown>>;

const mostCalls = 2_000;
const mostPlaces = 100;
const callsOfPage = 50;

const listsDocument = graphql(`
  query UnmappedLists($id: ID!) {
    backend(id: $id) { driverOperations { name effect argumentsSchema } }
  }
`);
const callsDocument = graphql(`
  query UnmappedCalls($backendId: ID, $first: Int, $after: String) {
    relayOperations(backendId: $backendId, first: $first, after: $after) {
      nodes { id arguments }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const mappedDocument = graphql(`
  query UnmappedMappings($backendId: ID, $first: Int, $after: String) {
    mappings(backendId: $backendId, mappingStates: [ACTIVE, UNVERIFIED], first: $first, after: $after) {
      nodes { objectKey uuid operation { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const readDocument = graphql(`
  query UnmappedRead($input: RelayReadInput!) {
    relayRead(input: $input) { result deviceError { code message } userErrors { code message field } }
  }
`);

/** `backendId`: its global id. */
export async function unmappedObjects(client: Client, backendId: string): Promise<UnmappedReport> {
  const { backend } = await client.query(listsDocument, { id: backendId });
  const lists = (backend?.driverOperations ?? []).filter(
    ({ name, effect }) => effect === 'READ' && name.endsWith('.list'),
  );
  const calls = await readAll(
    readPages(client, callsDocument, { backendId }, (data) => data.relayOperations, mostCalls, callsOfPage),
  );
  const mappings = await readAll(readPages(client, mappedDocument, { backendId }, (data) => data.mappings));
  const known = new Set(calls.map(({ id }) => uuidOf(id)));
  const marks = new Set(mappings.map(({ operation }) => (operation === null ? undefined : uuidOf(operation.id))));
  const names = new Set(mappings.flatMap(({ objectKey, uuid }) => [objectKey, uuid]));
  const found = new Map<string, Unmapped>();
  const unread: string[] = [];
  const worked = calls.map(({ arguments: each }) => each);
  for (const { name: list, argumentsSchema } of lists)
    for (const given of placesOf(argumentsSchema, worked)) {
      const answer = await readList(client, { backendId, list, given });
      if (typeof answer === 'string') {
        unread.push(`${list} ${JSON.stringify(given)}: ${answer}`);
        continue;
      }
      // A later call of the same mapping leaves its own mark, so a name counts too.
      for (const { operationId, object } of markedIn(answer.result))
        if (!marks.has(operationId) && !valuesOf(object).some((value) => names.has(value)))
          found.set(`${list} ${operationId}`, { list, operationId, callIsKnown: known.has(operationId), object });
    }
  return { unmapped: [...found.values()], unread };
}

const uuidOf = (id: string): string | undefined => decodeUuid('RelayOperation', id);

/** The arguments of a list for every place in which a call worked. */
function placesOf(schema: unknown, calls: readonly unknown[]): readonly Arguments[] {
  const { properties = {}, required = [] } = schema as {
    readonly properties?: Arguments;
    readonly required?: readonly string[];
  };
  const wanted = Object.keys(properties);
  const places = new Map<string, Arguments>();
  for (const call of [{}, ...calls]) {
    const given = call as Arguments;
    const place = Object.fromEntries(
      wanted.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]),
    );
    if (required.every((name) => place[name] !== undefined)) places.set(JSON.stringify(place), place);
    if (places.size === mostPlaces) break;
  }
  return [...places.values()];
}

/** A text is the reason why it could not be read. */
async function readList(
  client: Client,
  { backendId, list, given }: { readonly backendId: string; readonly list: string; readonly given: Arguments },
): Promise<string | { readonly result: unknown }> {
  const input = { backend: { id: backendId }, operation: list, arguments: given };
  const { relayRead } = await client.query(readDocument, { input });
  const [fault = relayRead.deviceError] = relayRead.userErrors;
  return fault == null ? { result: relayRead.result } : `${fault.code}: ${fault.message}`;
}

/** The objects in a result that have a mark. */
function markedIn(value: unknown): readonly { readonly operationId: string; readonly object: unknown }[] {
  if (Array.isArray(value)) return value.flatMap(markedIn);
  if (typeof value !== 'object' || value === null) return [];
  const own = Object.values(value)
    .map(markOf)
    .find((mark) => mark !== undefined);
  const { operationId = own } = value as { readonly operationId?: unknown };
  if (typeof operationId === 'string') return [{ operationId, object: value }];
  return Object.values(value).flatMap(markedIn);
}

function markOf(value: unknown): string | undefined {
  return typeof value === 'string' ? /^tg:([0-9a-f-]{36})(?: |$)/.exec(value)?.[1] : undefined;
}

/** Texts and numbers of an object, as text. */
function valuesOf(object: unknown): readonly string[] {
  return Object.values(object as object).flatMap((value) =>
    typeof value === 'string' || typeof value === 'number' ? [String(value)] : [],
  );
}
