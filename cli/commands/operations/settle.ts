// `tidegate operations settle ID`: the driver reads the device, or a person who has inspected it gives the verdict.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import { choice, flag, text } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { replicated } from '../../wait.ts';
import { printOperation, readEnded } from './operation.ts';

const document = graphql(`
  mutation OperationsSettle($input: RelayOperationSettleInput!) {
    relayOperationSettle(input: $input) { operation { ...CallFields } commit { token } userErrors { code message field } }
  }
`);

export const settle = remoteVerb({
  summary: 'Settle a call with an unknown outcome.',
  takes: ['ID'],
  options: {
    verdict: choice('VERDICT', ['SUCCEEDED', 'FAILED'], 'Verdict of a person; without it the driver reads the device.'),
    note: text('TEXT', 'Reason for the verdict; required with --verdict.'),
    force: flag('Accept the verdict before the quiet period has ended.'),
    wait: commonOptions.wait,
  },
  async run(call) {
    const { client, options, names } = call;
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
    await replicated(call, commit);
    await printOperation(call, await readEnded(call, operation.id));
  },
});
