// Connecting on a user's behalf. The policy checks each dialled address: for a name the addresses that it resolves to now, and
// the connection goes to one of exactly these. So a name that resolves to something else a moment later gains nothing.
import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction, Socket } from 'node:net';
import type { EgressDenial, EgressPolicy } from './egress.ts';
import { namesOfUsers } from './names.ts';
import type { Address } from './origin.ts';
import { isFor, lacksSource } from './source-address.ts';

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
 * Connects `socket`, from the policy's source address if it has one. A name then means its addresses of that family. A denied
 * address, or a source address that this host lacks, fails like any connection, with an 'error' in a later turn: a denied one with
 * an EgressDeniedError. The caller owns the socket, and ends it with `resetSocket`.
 */
export function dial(egress: EgressPolicy, { host, port }: Address, socket = new Socket()): Socket {
  const { source } = egress;
  const bound = source !== undefined && isFor(source, host) ? { localAddress: source } : {};
  if (lacksSource(source, host))
    return socket.on('error', () => undefined).destroy(new Error(`this host does not have the address ${source} now`));
  if (isIP(host) === 0) {
    const family = source === undefined ? {} : { family: isIP(source) };
    return socket.connect({ host, port, lookup: allowedAddresses(egress, port, socket), ...family, ...bound });
  }
  const denial = egress.denial(host, port);
  if (denial === undefined) return socket.connect({ host, port, ...bound });
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
        if (egress.source !== undefined && isIP(each.address) !== isIP(egress.source)) continue;
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
