// In a Diffie-Hellman group exchange (RFC 4419) the server chooses the prime, before it has proved its identity. Node tests a prime
// that it does not know, and this process is blocked during the test: 0.7 s of CPU time for 3072 bits, a minute for 8192, hours for
// the longest prime that fits into a packet. So shorter primes are requested, and longer ones are refused untested. Uses members of
// ssh2 1.17.0 that are not in its types (package.json pins that version).

import type { Client } from 'ssh2';

/** RFC 8270: the minimum that is still secure. */
const wantedBits = 2_048;
/** Old OpenSSH servers have at least one prime of at most this length. */
const mostBits = 4_096;

interface GroupExchange {
  _prefBits: number;
  _maxBits: number;
  setDHParams(prime: Buffer, generator: Buffer): void;
}

interface ClientInternals {
  readonly _protocol: { _kex: unknown };
}

/** For a client whose `connect` has just been called, so that nothing has been received yet. */
export function boundGroupExchange(client: Client): void {
  let exchange: unknown;
  Object.defineProperty((client as unknown as ClientInternals)._protocol, '_kex', {
    configurable: true,
    get: () => exchange,
    set: (next: unknown) => {
      exchange = next;
      if (isGroupExchange(next)) bound(next);
    },
  });
}

function isGroupExchange(exchange: unknown): exchange is GroupExchange {
  return typeof exchange === 'object' && exchange !== null && 'setDHParams' in exchange && '_maxBits' in exchange;
}

function bound(exchange: GroupExchange): void {
  exchange._prefBits = Math.min(exchange._prefBits, wantedBits);
  exchange._maxBits = mostBits;
  const take = exchange.setDHParams.bind(exchange);
  exchange.setDHParams = (prime, generator) => {
    const bits = bitsOf(prime);
    // ssh2 turns it into an 'error', and ends the connection.
    if (bits > mostBits) throw new Error(`the server chose a group of ${bits} bits; at most ${mostBits} are accepted`);
    take(prime, generator);
  };
}

/** Bits of an mpint (RFC 4251 section 5), without leading zeros. */
function bitsOf(number: Buffer): number {
  const first = number.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (number.length - first) * 8 - Math.clz32(number[first] ?? 0) + 24;
}
