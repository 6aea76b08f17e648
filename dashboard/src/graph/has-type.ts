// Whether this deployment has what a page shows: otherwise its graph knows none of the page's fields. The schema answers this; a query with unknown
// fields would be an error in the browser's console.
import { keepTrying } from './keep-trying.ts';
import type { GraphqlDocument, Requester } from './request.ts';

type TypeQuery = GraphqlDocument<{ readonly __type?: object | null }, Record<string, never>>;

/** `document`: asks for one type by its name. */
export async function hasType(requester: Requester, document: TypeQuery): Promise<boolean> {
  try {
    return (await keepTrying(() => requester.request(document, {}))).__type != null;
  } catch {
    // Not known: the page itself shows the error.
    return true;
  }
}
