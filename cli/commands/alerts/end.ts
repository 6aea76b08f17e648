// `tidegate alerts end ID`.
import { graphql } from '../../../generated/cli/index.ts';
import { changeVerb } from '../../row-verbs.ts';

const document = graphql(`
  mutation AlertsEnd($input: AlertEndInput!) {
    alertEnd(input: $input) {
      alert { id alertState ruleName subjectType subjectName resolvedAt } userErrors { code message field }
    }
  }
`);

export const end = changeVerb({
  summary: 'Resolve an alert by hand, for example because its subject is gone.',
  takes: ['ID'],
  options: {},
  document,
  input: async ({ names }) => ({ id: names[0] }),
  says: ({ alert }) => `${alert?.ruleName}: ${alert?.subjectType} ${alert?.subjectName ?? ''} is resolved`,
});
