// `tidegate gslbs explain NAME`: the reasons for a client's answer.
import { CommandFailure } from '../../failures.ts';
import { choice, text, time } from '../../option.ts';
import { remoteVerb } from '../../remote-verb.ts';
import { explanationOf, printGslbExplanation } from './explanation.ts';
import { findGslb } from './gslb.ts';

export const explain = remoteVerb({
  summary: 'Show why a client gets its answer to a name, and the answer of each name server.',
  examples: ['tidegate gslbs explain www.example.test --client 192.0.2.7'],
  takes: ['NAME'],
  options: {
    client: text('ADDRESS', 'Address of the client, or a block. Default: nothing is known of the client.'),
    record: choice('TYPE', ['A', 'AAAA', 'CNAME'], 'Type of records: A, AAAA or CNAME (A).'),
    at: time('A past moment. Default: now.'),
  },
  async run({ client, names, options, printer }) {
    const asked = { name: names[0], type: options.record, client: options.client, at: options.at };
    const found = await explanationOf(client, asked);
    if (found === null) {
      await findGslb(client, names[0]);
      throw new CommandFailure(`there is no answer to '${names[0]}', or none that is kept`);
    }
    if (options.json) return printer.json(found);
    await printGslbExplanation(printer, found);
  },
});
