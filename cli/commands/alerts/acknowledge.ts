// `tidegate alerts acknowledge ID`.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { remoteVerb } from '../../remote-verb.ts';

const document = graphql(`
  mutation AlertsAcknowledge($input: AlertAcknowledgeInput!) {
    alertAcknowledge(input: $input) {
      alert { id alertState ruleName subjectType subjectName acknowledgedAt }
      userErrors { code message field }
    }
  }
`);

export const acknowledge = remoteVerb({
  summary: 'Record that you know of an alert: it is not sent again before it is resolved.',
  takes: ['ID'],
  options: {},
  async run({ client, options, names, printer }) {
    const { alert } = await client.mutate(document, { idempotencyKey: randomUUID(), id: names[0] });
    if (options.json) await printer.json(alert);
    else await printer.line(`${alert?.ruleName}: ${alert?.subjectType} ${alert?.subjectName ?? ''} is acknowledged`);
  },
});
