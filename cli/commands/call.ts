// `tidegate call BACKEND OPERATION`: one call to a device, for a CMP object.

import { randomUUID } from 'node:crypto';
import { graphql } from '../../generated/cli/index.ts';
import { backendSelector } from '../backend-selector.ts';
import { cmpOption } from '../cmp-object.ts';
import { CommandFailure } from '../failures.ts';
import { projectId } from '../find.ts';
import { argumentsOption, readArguments } from '../graphql-options.ts';
import { flag, text } from '../option.ts';
import { commonOptions, remoteVerb } from '../remote-verb.ts';
import { shownId } from '../short-id.ts';
import { replicated } from '../wait.ts';
import { type Operation, printOperation, readEnded } from './operations/operation.ts';

const document = graphql(`
  mutation CallMake($input: RelayCallInput!) {
    relayCall(input: $input) {
      operation { ...CallFields }
      mapping { ...MappingFields }
      deviceCheck { code message }
      wireCall
      commit { token }
      userErrors { code message field }
    }
  }
`);

export const call = remoteVerb({
  summary:
    'Have a backend carry out an operation of its driver, and print the outcome ("drivers show" lists operations).',
  takes: ['BACKEND', 'OPERATION'],
  options: {
    arguments: argumentsOption,
    cmp: cmpOption,
    'check-only': flag('Change nothing: print what would be sent, and have the device check it if it can.'),
    'idempotency-key': text('KEY', 'A call with the same key is made once. Default: a new one.'),
    project: commonOptions.project,
    wait: commonOptions.wait,
  },
  async run(given) {
    const { client, options, names, printer } = given;
    const [backend, operation] = names;
    const made = await client.mutate(document, {
      ...{ backend: backendSelector(backend), operation, arguments: await readArguments(options.arguments, given) },
      ...(options.cmp === undefined ? {} : { cmpObject: options.cmp }),
      projectId: await projectId(client, options.project),
      ...{ dryRun: options['check-only'], idempotencyKey: options['idempotency-key'] ?? randomUUID() },
    });
    if (options['check-only']) {
      const { wireCall, deviceCheck } = made;
      if (options.json) await printer.json({ wireCall, deviceCheck });
      else if (wireCall !== null) await printer.pairs([['Wire call', wireCall]]);
      if (deviceCheck !== null)
        throw new CommandFailure(`the device would refuse it: ${deviceCheck.code}: ${deviceCheck.message}`);
      return;
    }
    if (made.operation === null) throw new CommandFailure('the server gave no operation');
    await replicated(given, made.commit);
    const ended = options.wait === undefined ? made.operation : await readEnded(given, made.operation.id);
    if (options.json) await printer.json({ ...ended, mapping: made.mapping });
    else await printOperation(given, ended);
    const fault = faultOf(ended);
    if (fault !== undefined) throw new CommandFailure(fault);
  },
});

/** Undefined if it has succeeded, or is under way. */
function faultOf({ id, state, deviceError }: Operation): string | undefined {
  const why = deviceError === null ? '' : `: ${deviceError.code}: ${deviceError.message}`;
  if (state === 'FAILED' || state === 'REJECTED') return `the call is ${state}${why}`;
  if (state === 'UNKNOWN')
    return `nobody knows whether the call took effect${why}: tidegate operations settle ${shownId(id)}`;
  return undefined;
}
