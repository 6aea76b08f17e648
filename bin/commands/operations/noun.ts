// `tidegate operations`: calls relayed to backends, and a person's verdict on those whose outcome is unknown.
import { randomUUID } from 'node:crypto';
import { type Action, type ActionContext, runAction } from '../actions.ts';
import { clientOptions } from '../client/client-options.ts';
import { type CmpObjectName, cmpObjectText } from '../client/cmp-object.ts';
import { backendId } from '../client/find.ts';
import { readPages } from '../client/pages.ts';
import { type Command, CommandFailure, UsageError } from '../command.ts';

interface Operation {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly quietUntil: string | null;
  readonly settledBy: string | null;
  readonly requestedBy: string;
  readonly wireCall: string | null;
  readonly backend: { readonly name: string } | null;
  readonly cmpObject: CmpObjectName | null;
  readonly deviceError: { readonly code: string; readonly message: string } | null;
  readonly evidence: readonly {
    readonly at: string;
    readonly source: string;
    readonly finding: string;
    readonly note: string | null;
  }[];
}

const fields = `id name state createdAt finishedAt quietUntil settledBy requestedBy wireCall
  backend { name } cmpObject { namespace type externalId } deviceError { code message }
  evidence { at source finding note }`;

const listDocument = `query ($backendId: ID, $states: [RelayOperationState!], $first: Int, $after: String) {
  relayOperations(backendId: $backendId, states: $states, first: $first, after: $after) {
    nodes { ${fields} } pageInfo { hasNextPage endCursor }
  }
}`;

const list: Action = {
  takes: [],
  async run({ client, args, printer, json }) {
    const backend = args.text('backend');
    const states = args.texts('state').map((state) => state.toUpperCase());
    const variables = {
      ...(backend === undefined ? {} : { backendId: await backendId(client, backend) }),
      ...(states.length === 0 ? {} : { states }),
    };
    const limit = args.integer('limit', { min: 1, max: 100_000 }) ?? 20;
    const found: Operation[] = [];
    for await (const operation of readPages<Operation>(client, listDocument, variables, limit)) found.push(operation);
    if (json) return printer.json(found);
    const rows = found.map((each) => [
      each.id,
      each.createdAt,
      each.backend?.name ?? '-',
      each.name,
      each.state,
      each.cmpObject === null ? '-' : cmpObjectText(each.cmpObject),
    ]);
    return printer.table(['ID', 'CREATED', 'BACKEND', 'OPERATION', 'STATE', 'FOR'], rows);
  },
};

const show: Action = {
  takes: ['ID'],
  async run(context) {
    const { relayOperation: operation } = await context.client.query<{ relayOperation: Operation | null }>(
      `query ($id: ID!) { relayOperation(id: $id) { ${fields} } }`,
      { id: context.names[0] },
    );
    if (operation === null) throw new CommandFailure(`there is no operation '${context.names[0]}'`);
    await printOperation(context, operation);
  },
};

const settle: Action = {
  takes: ['ID'],
  async run(context) {
    const { client, args, names } = context;
    const verdict = args.text('verdict')?.toUpperCase();
    if (verdict !== undefined && verdict !== 'SUCCEEDED' && verdict !== 'FAILED') {
      throw new UsageError(`--verdict is SUCCEEDED or FAILED, not '${verdict}'`);
    }
    if (verdict !== undefined && args.text('note') === undefined) throw new UsageError('--verdict needs --note');
    const input = {
      id: names[0],
      idempotencyKey: randomUUID(),
      force: args.flag('force'),
      ...(verdict === undefined ? {} : { verdict, note: args.text('note') }),
    };
    const payload = await client.mutate<{ operation: Operation }>(
      `mutation ($input: RelayOperationSettleInput!) {
        relayOperationSettle(input: $input) { operation { ${fields} } userErrors { code message field } }
      }`,
      input,
    );
    await printOperation(context, payload.operation);
  },
};

export const operations: Command = {
  name: 'operations',
  usage: `operations list [--backend NAME] [--state STATE] [--limit N]
    operations show ID
    operations settle ID [--verdict SUCCEEDED|FAILED --note TEXT] [--force]`,
  options: {
    backend: { value: 'NAME', help: "list: only this backend's." },
    state: { value: 'STATE', help: 'list: only in this state, for example UNKNOWN; may be repeated.', multiple: true },
    limit: { value: 'N', help: 'list: how many, newest first (20).' },
    verdict: { value: 'VERDICT', help: 'settle: what a person found; without it the driver looks.' },
    note: { value: 'TEXT', help: 'settle: why, for the record.' },
    force: { help: 'settle: FAILED although the call may still take effect.' },
    ...clientOptions,
  },
  run: (context) => runAction(operations, { list, show, settle }, context),
};

async function printOperation({ printer, json }: ActionContext, operation: Operation): Promise<void> {
  if (json) return printer.json(operation);
  await printer.pairs([
    ['Id', operation.id],
    ['Operation', operation.name],
    ['Backend', operation.backend?.name],
    ['For', operation.cmpObject === null ? undefined : cmpObjectText(operation.cmpObject)],
    ['State', operation.state],
    ['Device said', operation.deviceError && `${operation.deviceError.code}: ${operation.deviceError.message}`],
    ['Created', operation.createdAt],
    ['Finished', operation.finishedAt],
    ['Quiet until', operation.quietUntil],
    ['Settled by', operation.settledBy],
    ['Asked by', operation.requestedBy],
    ['Wire call', operation.wireCall],
  ]);
  for (const { at, source, finding, note } of operation.evidence) {
    await printer.line(`Evidence  ${at}  ${source}  ${finding}${note === null ? '' : `  ${note}`}`);
  }
}
