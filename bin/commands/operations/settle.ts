// `tidegate operations settle ID`: by a look of the driver, or by the verdict of a person who looked.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure, UsageError } from '../../cli/failures.ts';
import { choice, flag, text } from '../../cli/option.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import { Patience } from '../../cli/wait.ts';
import { printOperation, readEnded } from './operation.ts';

const document = graphql(`
  mutation OperationsSettle($input: RelayOperationSettleInput!) {
    relayOperationSettle(input: $input) { operation { ...CallFields } commit { token } userErrors { code message field } }
  }
`);

export const settle = remoteVerb({
  summary: 'Settle a call whose outcome is unknown.',
  takes: ['ID'],
  options: {
    verdict: choice('VERDICT', ['SUCCEEDED', 'FAILED'], 'What a person found; without it the driver looks.'),
    note: text('TEXT', 'Why, for the record; needed with --verdict.'),
    force: flag('FAILED although the call may still take effect.'),
    wait: commonOptions.wait,
  },
  async run(call) {
    const { client, options, names, signal } = call;
    const { verdict, note, force, wait } = options;
    if (verdict !== undefined && note === undefined) throw new UsageError('--verdict needs --note');
    const input = {
      id: names[0],
      idempotencyKey: randomUUID(),
      force,
      ...(verdict === undefined ? {} : { verdict, note }),
    };
    const { operation, commit } = await client.mutate(document, input);
    if (operation === null) throw new CommandFailure('the server gave no operation');
    if (wait === undefined) return printOperation(call, operation);
    await new Patience(client, signal, wait).untilReplicated(commit);
    await printOperation(call, await readEnded(call, operation.id));
  },
});
