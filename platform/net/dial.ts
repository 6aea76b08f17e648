// Connecting on a user's behalf. The policy checks each dialled address: for a name the addresses that it resolves to now, and
// the connection goes to one of exactly these. So a name that resolves to something else a moment later gains nothing.
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
 * Connects `socket`. A denied address fails like any connection, with an 'error' in a later turn: an EgressDeniedError. The
 * caller owns the socket, and ends it with `resetSocket`.
 */
export function dial(egress: EgressPolicy, { host, port }: Address, socket = new Socket()): Socket {
  if (isIP(host) === 0) {
    return socket.connect({ host, port, lookup: allowedAddresses(egress, port, socket) });
  }
  const denial = egress.denial(host, port);
  if (denial === undefined) return socket.connect({ host, port });
  // A caller that aborts in this turn no longer listens.
  return socket.on('error', () => undefined).destroy(new EgressDeniedError(denial));
}

/** Like dns.lookup, without denied addresses. */
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
