// Whether this deployment has what a page shows: otherwise its graph knows none of the page's fields. The schema says so; a query with unknown
// fields would be an error in the browser's console.
import type { Document, Requester } from './request.ts';

type TypeQuery = Document<{ readonly __type?: object | null }, Record<string, never>>;

/** `document`: asks for one type by its name. */
export async function hasType(requester: Requester, document: TypeQuery): Promise<boolean> {
  try {
    return (await requester.request(document, {})).__type != null;
  } catch {
    // Not known: the page itself says what is wrong.
    return true;
  }
}
