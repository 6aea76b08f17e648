// A process that serves a small subgraph `test` and checks credentials, for tests that kill it or make it hang. Arguments: the name that it
// answers, the public key file of gateways, and its port (default: any). It prints its URL on a line, and another line for each mutation that
// it starts. A line of input drains it.
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { pino } from 'pino';
import type { Identity } from '../../../../platform/caller/identity.ts';
import { serveSubgraph } from '../../../../platform/graph/serve-subgraph.ts';
import { PublicKeys } from '../../../../platform/secrets/key-pairs.ts';

const [, , name = '', keys = '', port = '0'] = process.argv;
const sdl =
  'type Query { name: String slow(ms: Int!): String } type Mutation { note(ms: Int! = 0): Int } type Subscription { names: String }';
let noted = 0;
const schema = buildSubgraphSchema([
  {
    typeDefs: parse(sdl),
    resolvers: {
      Query: {
        name: () => name,
        slow: async (_: unknown, { ms }: { ms: number }) => {
          await sleep(ms);
          return name;
        },
      },
      Mutation: {
        note: async (_: unknown, { ms }: { ms: number }) => {
          noted += 1;
          process.stdout.write('noted\n');
          await sleep(ms);
          return noted;
        },
      },
      Subscription: {
        names: {
          subscribe: async function* () {
            for (;;) {
              yield { names: name };
              await sleep(50);
            }
          },
        },
      },
    },
  },
]);
const identity: Identity = { kind: 'user', id: 'ann', name, admin: false, projects: {}, credentialId: 'c' };
const served = await serveSubgraph({
  subgraph: { name: 'test', schema },
  ...{
    host: '127.0.0.1',
    port: Number(port),
    publicKeys: new PublicKeys(JSON.parse(keys)),
    log: pino({ level: 'silent' }),
  },
  authenticator: { authenticate: async () => identity, recheck: async () => identity },
});
process.stdout.write(`${served.url}\n`);
process.stdin.once('data', () => void served.drain().then(() => process.exit(0)));
