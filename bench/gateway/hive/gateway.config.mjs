// The compared configuration of Hive Gateway: its Rust planner, and the default features of this project's gateway as far as Hive has them.
//
// The common features: JWT (HS256, issuer and expiry checked), tokens, depth, aliases, CSRF prevention, no batching, one process,
// production mode, hardly any logs. Different: Hive checks the JWT at every request, this gateway caches the result for a second; this
// gateway signs an identity for each subgraph request, limits root fields and cost, and counts metrics. Hive has no such identity, and its
// demand control counts differently, so these are off here. Otherwise both have default settings: no cache of answers, which would not help
// here. Equal requests in progress are joined, and so are equal requests to subgraphs, which is its default.
import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { defineConfig, extractFromHeader } from '@graphql-hive/gateway';
import { unifiedGraphHandler } from '@graphql-hive/router-runtime';

const { BENCH_JWT_KEY, BENCH_MAX_ALIASES, BENCH_MAX_DEPTH, BENCH_MAX_TOKENS, BENCH_SUPERGRAPH } = process.env;
const key = Buffer.from(BENCH_JWT_KEY, 'base64');

export const gatewayConfig = defineConfig({
  supergraph: BENCH_SUPERGRAPH,
  // It is imported here instead of being selected by a flag, because the flag silently falls back to the other planner.
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
  inboundInflightRequestDeduplication: true,
  graphiql: false,
  landingPage: false,
  logging: 'error',
  plugins: () => [maxAliasesPlugin({ n: Number(BENCH_MAX_ALIASES) })],
});
