// The part of a caller that a subgraph sees, and that its answer may depend on.
import type { GatewayContext } from './subgraph-link.ts';

/** A number for each identity object. The credential cache gives the same one to requests with the same credential. */
const identityNumbers = new WeakMap<object, number>();
let lastIdentityNumber = 0;

/** Everything except the request's id and its trace. Equal only for callers with the same credential. Ends with a space. */
export function visibleOf({ identity, clientAddress = '', callerRequestId = '' }: GatewayContext): string {
  // Neither an address nor an id contains a space.
  return `${identity === null ? 0 : numberOf(identity)} ${clientAddress} ${callerRequestId} `;
}

function numberOf(identity: object): number {
  let number = identityNumbers.get(identity);
  if (number === undefined) {
    number = ++lastIdentityNumber;
    identityNumbers.set(identity, number);
  }
  return number;
}
