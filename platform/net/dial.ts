// Connecting on a user's behalf. The policy is asked about each address that is dialled: of a name, about those that it
// resolves to now, and the connection goes to one of just these. So a name that resolves to something else a moment later
// gains nothing.
import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction, Socket } from 'node:net';
import type { EgressDenial, EgressPolicy } from './egress.ts';
import { namesOfUsers } from './names.ts';
import type { Address } from './origin.ts';

export class EgressDeniedError extends Error {
  readonly code = 'EGRESS_DENIED';
  readonly denial: EgressDenial;

  constructor(denial: EgressDenial) {
    super(denial.reason);
    this.name = 'EgressDeniedError';
    this.denial = denial;
  }
}

/**
 * Connects `socket`. What is denied fails as any connection does, by an 'error' in a later turn: an EgressDeniedError.
 * The caller owns the socket, and ends it by `resetSocket`.
 */
export function dial(egress: EgressPolicy, { host, port }: Address, socket = new Socket()): Socket {
  if (isIP(host) === 0) {
    return socket.connect({ host, port, lookup: allowedAddresses(egress, port, socket) });
  }
  const denial = egress.denial(host, port);
  if (denial === undefined) return socket.connect({ host, port });
  // A caller that gives up in this turn listens no more.
  return socket.on('error', () => undefined).destroy(new EgressDeniedError(denial));
}

/** As dns.lookup, without the addresses that are denied. */
function allowedAddresses(egress: EgressPolicy, port: number, socket: Socket): LookupFunction {
  return (name, options, done) => {
    const giveUp = namesOfUsers.lookup(name, (error, found) => {
      socket.off('close', giveUp);
      if (error !== null) return done(error, []);
      let denial: EgressDenial | undefined;
      const allowed: LookupAddress[] = [];
      for (const each of found) {
        const against = egress.denial(each.address, port);
        if (against === undefined) allowed.push(each);
        else denial ??= against;
      }
      const [first] = allowed;
      if (first === undefined)
        return done(denial === undefined ? new Error(`${name} has no address`) : new EgressDeniedError(denial), []);
      if (options.all === true) done(null, allowed);
      else done(null, first.address, first.family);
    });
    socket.once('close', giveUp);
  };
}
