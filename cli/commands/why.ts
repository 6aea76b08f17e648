// `tidegate why NAME`: an object with its state, its children, its last events and calls. For a GSLB also the explanation of its answer.
import { graphql } from '../../generated/cli/index.ts';
import { decodeId } from '../../platform/values/ids.ts';
import { isObject, type JsonObject } from '../../platform/values/json.ts';
import { CommandFailure } from '../failures.ts';
import { anyObjectId } from '../found-objects.ts';
import { type GraphClient, untyped } from '../graph-client.ts';
import type { Printer } from '../printer.ts';
import { remoteVerb } from '../remote-verb.ts';
import { whyDocument, whyFields } from '../why/fields.ts';
import { printObject } from '../why/print-object.ts';
import { changeLine, type StatusChange } from './events/change.ts';
import { SubjectNames } from './events/subject-names.ts';
import { explanationOf, type GslbExplanation, printGslbExplanation } from './gslbs/explanation.ts';
import { type Operation, operationColumns } from './operations/operation.ts';

const eventsDocument = graphql(`
  query WhyEvents($subjectId: ID!, $first: Int) {
    statusHistory(subjectId: $subjectId, first: $first) { nodes { ...StatusChangeFields } }
  }
`);
const callsDocument = graphql(`
  query WhyCalls($backendId: ID!, $first: Int) {
    relayOperations(backendId: $backendId, first: $first) { nodes { ...CallFields } }
  }
`);

const mostEvents = 10;
const mostCalls = 5;

interface Found {
  readonly id: string;
  readonly type: string;
  readonly name: string | null;
  readonly object: JsonObject;
  readonly events: readonly StatusChange[];
  /** Calls of its backend. */
  readonly calls: readonly Operation[];
  readonly explanation: GslbExplanation | null;
}

export const why = remoteVerb({
  summary: 'Explain the state of an object: reasons, last events and calls. NAME may be an id, or KIND/NAME.',
  examples: ['tidegate why web', 'tidegate why gslb-pool/web', 'tidegate why www.example.test', 'tidegate why fw-1'],
  takes: ['NAME'],
  options: {},
  async run({ client, names, options, printer }) {
    const found = await readWhy(client, await anyObjectId(client, names[0]), names[0]);
    if (options.json) return printer.json(found);
    await printWhy(printer, client, found);
  },
});

async function readWhy(client: GraphClient, id: string, given: string): Promise<Found> {
  const type = decodeId(id)?.type ?? '';
  const fields = Object.hasOwn(whyFields, type) ? whyFields[type] : undefined;
  if (fields === undefined) throw new CommandFailure(`'${given}' is the id of no kind of object that has a state`);
  const object = await readObject(client, id, type);
  if (object === null) throw new CommandFailure(`there is no ${type} '${given}'`);
  const { statusHistory } = await client.query(eventsDocument, { subjectId: id, first: mostEvents });
  const { backend } = object;
  const backendId = type === 'Backend' ? id : isObject(backend) ? backend.id : undefined;
  const calls = typeof backendId === 'string' ? await callsOf(client, backendId) : [];
  const name = object[fields.name ?? ''];
  return {
    ...{ id, type, name: typeof name === 'string' ? name : null, object, events: statusHistory.nodes, calls },
    explanation: type === 'Gslb' ? await explanationOf(client, { name: String(name) }) : null,
  };
}

async function readObject(client: GraphClient, id: string, type: string): Promise<JsonObject | null> {
  const document = untyped<{ readonly node: JsonObject | null }>(whyDocument(type));
  const { node } = await client.query(document, { id });
  if (node?.__typename !== type) return null;
  const { __typename: _, ...object } = node;
  return object;
}

async function callsOf(client: GraphClient, backendId: string): Promise<readonly Operation[]> {
  return (await client.query(callsDocument, { backendId, first: mostCalls })).relayOperations.nodes;
}

async function printWhy(printer: Printer, client: GraphClient, found: Found): Promise<void> {
  await printObject(printer, found);
  if (found.explanation !== null) {
    await printer.line('');
    await printGslbExplanation(printer, found.explanation);
  }
  if (found.events.length > 0) {
    await printer.line('');
    await printer.line(printer.colour('LAST EVENTS', 'grey'));
    const names = new SubjectNames(client);
    for (const event of found.events) await printer.line(changeLine(event, await names.of(event), printer));
  }
  if (found.calls.length > 0) {
    await printer.line('');
    await printer.line(printer.colour('LAST CALLS OF THE BACKEND', 'grey'));
    await printer.rows(operationColumns, found.calls);
  }
}
