// Hive Gateway as it is compared with: its Rust planner, and what ours has on by default as far as Hive has it.
//
// The same: JWT (HS256, issuer and expiry checked), tokens, depth, aliases, CSRF prevention, no batching, one process,
// production mode, hardly any logs.
// Different: Hive checks the JWT at every request, ours keeps an answer for a second; ours signs an identity for each
// subgraph request, bounds root fields and cost and counts metrics. Hive has no such identity, and its demand control
// counts otherwise, so these are off here. Both are stock otherwise: no cache of answers, and none would help.
import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { defineConfig, extractFromHeader } from '@graphql-hive/gateway';
import { unifiedGraphHandler } from '@graphql-hive/router-runtime';

const { BENCH_JWT_KEY, BENCH_MAX_ALIASES, BENCH_MAX_DEPTH, BENCH_MAX_TOKENS, BENCH_SUPERGRAPH } = process.env;
const key = Buffer.from(BENCH_JWT_KEY, 'base64');

export const gatewayConfig = defineConfig({
  supergraph: BENCH_SUPERGRAPH,
  // Imported here rather than asked for by a flag, which falls back to the other planner in silence.
  unifiedGraphHandler,
  jwt: {
    signingKeyProviders: [() => key],
    tokenLookupLocations: [extractFromHeader({ name: 'authorization', prefix: 'Bearer' })],
    tokenVerification: { algorithms: ['HS256'], issuer: 'tidegate' },
    reject: { missingToken: true, invalidToken: true },
  },
  maxTokens: Number(BENCH_MAX_TOKENS),
  maxDepth: Number(BENCH_MAX_DEPTH),
  csrfPrevention: true,
  batching: false,
  graphiql: false,
  landingPage: false,
  logging: 'error',
  plugins: () => [maxAliasesPlugin({ n: Number(BENCH_MAX_ALIASES) })],
});
