// The program of the planner's process (process-planner.ts): the planner of Hive Router (MIT) for one supergraph. It imports nothing
// else, so that it starts in some 60 ms.
import { QueryPlanner } from '@graphql-hive/router-query-planner';

/** The first message to the process, and all that follow. */
export type ToPlanner = { readonly supergraph: string } | { readonly text: string };

/** The answer to each: `plan` is undefined for the first one, and for an operation that needs no subgraph. */
export type FromPlanner = { readonly plan?: unknown } | { readonly fault: string };

/** No labels of progressive overrides are active. */
const labels: Set<string> = new Set();

let planner: QueryPlanner | undefined;

process.on('message', (message: ToPlanner) => {
  answerTo(message).then(
    (plan) => process.send?.({ plan } satisfies FromPlanner),
    (error: unknown) => process.send?.({ fault: String(error) } satisfies FromPlanner),
  );
});

// Even in the midst of planning: it happens on a thread of its own.
process.on('disconnect', () => process.exit(0));

async function answerTo(message: ToPlanner): Promise<unknown> {
  if ('supergraph' in message) {
    planner = new QueryPlanner(message.supergraph);
    return undefined;
  }
  if (planner === undefined) throw new Error('there is no supergraph yet');
  const { node } = (await planner.planAsync(message.text, null, labels, 0)) as { readonly node?: unknown };
  return node ?? undefined;
}
