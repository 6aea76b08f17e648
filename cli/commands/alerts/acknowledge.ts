// `tidegate alerts acknowledge ID`.
import { graphql } from '../../../generated/cli/index.ts';
import { changeVerb } from '../../row-verbs.ts';

const document = graphql(`
  mutation AlertsAcknowledge($input: AlertAcknowledgeInput!) {
    alertAcknowledge(input: $input) {
      alert { id alertState ruleName subjectType subjectName acknowledgedAt } userErrors { code message field }
    }
  }
`);

export const acknowledge = changeVerb({
  summary: 'Record that you know of an alert: it is not sent again before it is resolved.',
  takes: ['ID'],
  options: {},
  document,
  input: async ({ names }) => ({ id: names[0] }),
  says: ({ alert }) => `${alert?.ruleName}: ${alert?.subjectType} ${alert?.subjectName ?? ''} is acknowledged`,
});
