// Parsing and output of a call for the commands, and `--wait` for it.
import type { CallFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { cmpObjectText } from '../../cli/cmp-object.ts';
import { CommandFailure } from '../../cli/failures.ts';
import type { RemoteCall } from '../../cli/remote-verb.ts';
import { patienceOf, type WaitingCall } from '../../cli/wait.ts';

graphql(`
  fragment CallFields on RelayOperation {
    id name state createdAt finishedAt quietUntil settledBy requestedBy wireCall
    backend { name }
    cmpObject { namespace type externalId }
    deviceError { code message }
    evidence { at source finding note }
  }
`);

export type Operation = CallFieldsFragment;

const document = graphql(`
  query OperationsShow($id: ID!) { relayOperation(id: $id) { ...CallFields } }
`);

const finalStates: ReadonlySet<string> = new Set<Operation['state']>(['SUCCEEDED', 'FAILED', 'REJECTED']);

export async function readOperation({ client }: Pick<RemoteCall, 'client'>, id: string): Promise<Operation> {
  const { relayOperation: operation } = await client.query(document, { id });
  if (operation === null) throw new CommandFailure(`there is no operation '${id}'`);
  return operation;
}

/** The call; with `--wait`, as read after its state is final. */
export async function readEnded(call: WaitingCall, id: string): Promise<Operation> {
  const patience = patienceOf(call);
  if (patience === undefined) return readOperation(call, id);
  return patience.until(
    () => readOperation(call, id),
    ({ state }) => finalStates.has(state),
    ({ state }) => `the operation is ${state}`,
  );
}

export function operationRow(each: Operation): string[] {
  const owner = each.cmpObject === null ? '-' : cmpObjectText(each.cmpObject);
  return [each.id, each.createdAt, each.backend?.name ?? '-', each.name, each.state, owner];
}
export const operationHead = ['ID', 'CREATED', 'BACKEND', 'OPERATION', 'STATE', 'FOR'];

export async function printOperation(
  { printer, options }: Pick<RemoteCall, 'printer'> & { readonly options: { readonly json: boolean } },
  operation: Operation,
): Promise<void> {
  if (options.json) return printer.json(operation);
  await printer.pairs([
    ['Id', operation.id],
    ['Operation', operation.name],
    ['Backend', operation.backend?.name],
    ['For', operation.cmpObject === null ? undefined : cmpObjectText(operation.cmpObject)],
    ['State', operation.state],
    ['Device error', operation.deviceError && `${operation.deviceError.code}: ${operation.deviceError.message}`],
    ['Created', operation.createdAt],
    ['Finished', operation.finishedAt],
    ['Quiet until', operation.quietUntil],
    ['Settled by', operation.settledBy],
    ['Requested by', operation.requestedBy],
    ['Wire call', operation.wireCall],
  ]);
  for (const { at, source, finding, note } of operation.evidence)
    await printer.line(`Evidence  ${at}  ${source}  ${finding}${note === null ? '' : `  ${note}`}`);
}
