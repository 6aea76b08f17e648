// `tidegate backends close-circuit NAME`: lets calls pass again, after an operator has removed the cause.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { backendId, projectId } from '../../find.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { changedBackend, printBackend } from './backend.ts';

const document = graphql(`
  mutation BackendsCloseCircuit($input: BackendCircuitCloseInput!) {
    backendCircuitClose(input: $input) { backend { ...BackendFields } commit { token } userErrors { code message field } }
  }
`);

export const closeCircuit = remoteVerb({
  summary: 'Close the circuit breaker of a backend, after its cause was removed.',
  takes: ['NAME'],
  options: { project: commonOptions.project, wait: commonOptions.wait },
  async run(call) {
    const id = await backendId(call.client, call.names[0], await projectId(call.client, call.options.project));
    const input = { idempotencyKey: randomUUID(), id };
    await printBackend(call, await changedBackend(call, await call.client.mutate(document, input)));
  },
});
