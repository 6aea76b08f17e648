// Whether this deployment has what a page shows: otherwise its graph knows none of the page's fields. The schema answers this; a query with unknown
// fields would be an error in the browser's console.
import { DeploymentPartsDocument, type DeploymentPartsQuery } from '../../../generated/dashboard/graphql.ts';
import { askedOnce } from './asked-once.ts';
import { keepTrying } from './keep-trying.ts';
import type { Requester } from './request.ts';

const parts = askedOnce((requester) => keepTrying(() => requester.request(DeploymentPartsDocument, {})));

export async function hasPart(requester: Requester, part: keyof DeploymentPartsQuery): Promise<boolean> {
  try {
    return (await parts(requester))[part] !== null;
  } catch {
    // Not known: the page itself shows the error.
    return true;
  }
}
