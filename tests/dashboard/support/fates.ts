// Decides for each request of a page to the graph whether it is answered, lost, held, or answered by the test.
import type { Page } from 'playwright-core';

interface Asked {
  /** Its name in the document: `RelayBackends`. */
  readonly operation: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The number of earlier requests of this operation. */
  readonly before: number;
}

/** `lost`: it never arrives. A promise holds the request; an object is the answer's `data`; undefined: the server answers. */
type Fate = 'lost' | object | undefined;

/** Returns the number of requests of an operation. */
export async function fatesOf(
  page: Page,
  fateOf: (asked: Asked) => Fate | Promise<Fate>,
): Promise<(operation: string) => number> {
  const counts = new Map<string, number>();
  await page.route('**/graphql', async (route) => {
    const { query = '', variables = {} } = route.request().postDataJSON() as {
      readonly query?: string;
      readonly variables?: Asked['variables'];
    };
    const operation = /(?:query|mutation) (\w+)/.exec(query)?.[1] ?? '';
    const before = counts.get(operation) ?? 0;
    counts.set(operation, before + 1);
    const fate = await fateOf({ operation, variables, before });
    if (fate === 'lost') await route.abort('connectionaborted');
    else if (fate === undefined) await route.continue();
    else await route.fulfill({ json: { data: fate } });
  });
  return (operation) => counts.get(operation) ?? 0;
}

/** A promise that a test settles. */
export function held(): { readonly until: Promise<undefined>; readonly release: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { until: promise, release: () => resolve(undefined) };
}
