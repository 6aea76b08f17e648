// `tidegate timeline lift BACKEND`: accepts calls of a backend again, after an operator has looked for lost calls on it.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { backendId, projectId } from '../../find.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { changedBackend, printBackend } from '../backends/backend.ts';

const document = graphql(`
  mutation TimelineLift($input: BackendReplayLiftInput!) {
    backendReplayLift(input: $input) { backend { ...BackendFields } commit { token } userErrors { code message field } }
  }
`);

export const lift = remoteVerb({
  summary: 'Accept calls of a backend again that may repeat lost ones: check the backend first.',
  takes: ['BACKEND'],
  options: { project: commonOptions.project, wait: commonOptions.wait },
  async run(call) {
    const id = await backendId(call.client, call.names[0], await projectId(call.client, call.options.project));
    const input = { idempotencyKey: randomUUID(), id };
    await printBackend(call, await changedBackend(call, await call.client.mutate(document, input)));
  },
});
