// The check that every dialled address must pass: may this process connect there? It is applied to the resolved address at each
// connect, so that a name that later resolves to another address gains nothing.
import { lookup } from 'node:dns/promises';
import { isIP, Socket } from 'node:net';

export interface EgressPolicy {
  /** Why this address (IPv4 or IPv6) and port must not be dialled; undefined when they may. */
  refusal(address: string, port: number): string | undefined;
}

export const openEgress: EgressPolicy = { refusal: () => undefined };

export class EgressRefusedError extends Error {
  constructor(address: string, port: number, reason: string) {
    super(`connections to ${address} port ${port} are not allowed: ${reason}`);
    this.name = 'EgressRefusedError';
  }
}

/** The first address of a host that the policy allows. An address is returned at once, without a promise. */
export function allowedAddress(egress: EgressPolicy, host: string, port: number): string | Promise<string> {
  return isIP(host) === 0 ? resolveAllowed(egress, host, port) : allowed(egress, host, port);
}

/** A socket to an allowed address. The caller owns it, and ends it with `resetSocket`. */
export function dial(address: string, port: number): Socket {
  const socket = new Socket();
  socket.connect({ host: address, port });
  return socket;
}

async function resolveAllowed(egress: EgressPolicy, host: string, port: number): Promise<string> {
  const found = await lookup(host, { all: true });
  const open = found.find(({ address }) => egress.refusal(address, port) === undefined);
  return open?.address ?? allowed(egress, found[0]?.address ?? host, port);
}

function allowed(egress: EgressPolicy, address: string, port: number): string {
  const reason = egress.refusal(address, port);
  if (reason !== undefined) throw new EgressRefusedError(address, port, reason);
  return address;
}
