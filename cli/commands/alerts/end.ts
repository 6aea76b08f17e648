// `tidegate alerts end ID`.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { remoteVerb } from '../../remote-verb.ts';

const document = graphql(`
  mutation AlertsEnd($input: AlertEndInput!) {
    alertEnd(input: $input) {
      alert { id alertState ruleName subjectType subjectName resolvedAt }
      userErrors { code message field }
    }
  }
`);

export const end = remoteVerb({
  summary: 'Resolve an alert by hand, for example because its subject is gone.',
  takes: ['ID'],
  options: {},
  async run({ client, options, names, printer }) {
    const { alert } = await client.mutate(document, { idempotencyKey: randomUUID(), id: names[0] });
    if (options.json) await printer.json(alert);
    else await printer.line(`${alert?.ruleName}: ${alert?.subjectType} ${alert?.subjectName ?? ''} is resolved`);
  },
});
