// A refusal by the server names the option that gave the value, not the field of the graph.
import { GraphQLError } from 'graphql';
import { list, type Row, type Scenes } from '../command-table.ts';

const create = 'loadbalancers create web --http 80 --member 192.0.2.1:80 --check http:/';
const invalid = (message: string) => () => {
  throw new GraphQLError(message, { extensions: { code: 'INVALID_INPUT' } });
};
const refused = (...fields: readonly string[]) => ({
  loadBalancerCreate: () => ({
    commit: null,
    userErrors: fields.map((field) => ({
      ...{ code: 'INVALID_INPUT', message: 'is wrong', field: field.split('.'), retry: 'NEVER' },
    })),
  }),
});
const unknown = 'Variable "$input" got an invalid value at "input.unheardOf"; it is wrong.';
/** Messages of the gateway, and their output. */
const told: Readonly<Record<string, string>> = {
  'Variable "$input" got an invalid value at "input.pools[0].healthMonitor.path"; String cannot represent a non string value.':
    'String cannot represent a non string value (--check)',
  'Variable "$input" got an invalid value; Field "name" of required type "String!" was not provided.':
    'a value is missing (NAME)',
  'Variable "$input" got an invalid value at "input.tags[0]".': 'the value is not allowed (--tag)',
  [unknown]: unknown,
};

export const refusals: Scenes = {
  'each refusal is a line with its option; one without an option keeps the field of the graph': {
    answers: refused('input.pools.0.members.0.host', 'input.unheardOf.field', 'input.name'),
    rows: [
      {
        run: create,
        exit: 1,
        err: `tidegate: INVALID_INPUT: is wrong (--member)
tidegate: INVALID_INPUT: is wrong (input.unheardOf.field)
tidegate: INVALID_INPUT: is wrong (NAME)
`,
      },
    ],
  },
  'the gateway, too, is told with the option': {
    rows: Object.entries(told).map(
      ([message, words]): Row => ({
        ...{ run: create, answers: { loadBalancerCreate: invalid(message) } },
        ...{ exit: 1, err: `tidegate: INVALID_INPUT: ${words}\n` },
      }),
    ),
  },
  'an argument of a query is named by its option': {
    answers: {
      relayOperations: invalid('Variable "$states" got an invalid value at "states[0]"; it is wrong.'),
      projects: list(),
    },
    rows: [
      {
        run: 'operations list --state PENDING',
        ...{ exit: 1, err: 'tidegate: INVALID_INPUT: it is wrong (--state)\n' },
      },
    ],
  },
};
