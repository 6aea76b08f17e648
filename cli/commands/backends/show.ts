// `tidegate backends show NAME`.
import { backendId, projectId } from '../../find.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { printBackend, readBackend } from './backend.ts';

export const show = remoteVerb({
  summary: 'Show a backend and its state.',
  takes: ['NAME'],
  options: { project: commonOptions.project },
  async run(call) {
    const { client, options, names } = call;
    const id = await backendId(client, names[0], await projectId(client, options.project));
    await printBackend(call, await readBackend(call, id, names[0]));
  },
});
