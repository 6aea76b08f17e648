// The program of the planner's process (process-planner.ts): the planner of Hive Router (MIT) for one supergraph. It imports nothing else, so that it
// starts in about 60 ms.
import { QueryPlanner } from '@graphql-hive/router-query-planner';

/** The first message to the process, and all later messages. */
export type ToPlanner = { readonly supergraph: string } | { readonly text: string };

/** Answers. `plan` is undefined for the first message, and for an operation without subgraphs. */
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

// Works even during planning, which runs on a separate thread.
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
