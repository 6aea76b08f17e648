// Parsing and output of a call for the commands, and waiting for `--wait`.
import type { CallFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { actorText } from '../../actor.ts';
import { cmpObjectText } from '../../cmp-object.ts';
import { CommandFailure } from '../../failures.ts';
import type { Columns } from '../../printer.ts';
import type { RemoteCall } from '../../remote-verb.ts';
import { patienceOf, type WaitingCall, waitFor } from '../../wait.ts';

graphql(`
  fragment CallFields on RelayOperation {
    id name state createdAt finishedAt quietUntil stateSource settledBy { name kind } requestedBy { name kind }
    requestId wireCall
    backend { name }
    cmpObject { namespace type externalId }
    deviceError { code message }
    evidence { recordedAt source finding note }
  }
`);

export type Operation = CallFieldsFragment;

const document = graphql(`
  query OperationsShow($id: ID!) { relayOperation(id: $id) { ...CallFields } }
`);

async function readOperation({ client }: Pick<RemoteCall, 'client'>, id: string): Promise<Operation> {
  const { relayOperation: operation } = await client.query(document, { id });
  if (operation === null) throw new CommandFailure(`there is no operation '${id}'`);
  return operation;
}

/** The call. With `--wait`, after its state is final. */
export async function readEnded(call: WaitingCall, id: string): Promise<Operation> {
  const patience = patienceOf(call);
  if (patience === undefined) return readOperation(call, id);
  return waitFor(
    patience,
    () => readOperation(call, id),
    ({ state }) => `the operation is ${state}`,
  );
}

export const operationColumns: Columns<Operation> = {
  ID: 'id',
  CREATED: 'createdAt',
  BACKEND: ({ backend }) => backend?.name,
  OPERATION: 'name',
  STATE: 'state',
  FOR: ({ cmpObject }) => cmpObject && cmpObjectText(cmpObject),
  BY: ({ requestedBy }) => actorText(requestedBy),
};

export async function printOperation(
  {
    printer,
    output,
    options,
  }: Pick<RemoteCall, 'printer' | 'output'> & { readonly options: { readonly json: boolean } },
  operation: Operation,
): Promise<void> {
  // The name is the driver operation's. The call itself has only an id.
  if (output === 'name') return printer.names([operation.id]);
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
    ['State from', operation.stateSource],
    ['Settled by', operation.settledBy && actorText(operation.settledBy)],
    ['Requested by', actorText(operation.requestedBy)],
    ['Request', operation.requestId],
    ['Audit trail', `tidegate audit list --subject ${printer.idText(operation.id)}`],
    ['Wire call', operation.wireCall],
  ]);
  for (const { recordedAt, source, finding, note } of operation.evidence)
    await printer.line(`Evidence  ${recordedAt}  ${source}  ${finding}${note === null ? '' : `  ${note}`}`);
}
