// CONTAINER/OBJECT on the command line and in the path of a call.
import { UsageError } from '../../failures.ts';

/** Throws UsageError. */
export function namesIn(given: string): { readonly container: string; readonly object: string } {
  const slash = given.indexOf('/');
  if (slash < 1 || slash === given.length - 1)
    throw new UsageError(`'${given}' is not CONTAINER/OBJECT, such as photos/cat.jpg`);
  return { container: given.slice(0, slash), object: given.slice(slash + 1) };
}

/** Percent-encoded. Throws UsageError. */
export function objectPath(given: string): string {
  const { container, object } = namesIn(given);
  return [container, ...object.split('/')].map(encodeURIComponent).join('/');
}
