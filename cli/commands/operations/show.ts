// `tidegate operations show ID`.
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { printOperation, readEnded } from './operation.ts';

export const show = remoteVerb({
  summary: 'Show a call: its caller, the text sent to the device, and its outcome.',
  takes: ['ID'],
  options: { wait: commonOptions.wait },
  async run(call) {
    await printOperation(call, await readEnded(call, call.names[0]));
  },
});
