// `tidegate operations show ID`.
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { printOperation, readEnded } from './operation.ts';

export const show = remoteVerb({
  summary: 'Show a call: who asked for it, what was sent to the device, and what is known of its outcome.',
  takes: ['ID'],
  options: { wait: commonOptions.wait },
  async run(call) {
    await printOperation(call, await readEnded(call, call.names[0]));
  },
});
