// Resolution of users' host names by asking name servers, which blocks none of the process's threads, unlike the system's resolver.
// It suits callers that need many names repeatedly. A caller that dials an address must check it with the egress policy.
import { Resolver } from 'node:dns/promises';

export interface ResolvedAddress {
  readonly address: string;
  readonly ttlSeconds: number;
}

/** Rejects when the name does not resolve; with `isAbsence`, because there is no such name. */
export type ResolveName = (name: string) => Promise<readonly ResolvedAddress[]>;

/** Asks the name servers of the machine, or these (`ADDRESS:PORT`). */
export function resolverOf(servers?: readonly string[]): ResolveName {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  return async (name) => {
    const [four, six] = await Promise.allSettled([
      resolver.resolve4(name, { ttl: true }),
      resolver.resolve6(name, { ttl: true }),
    ]);
    // One family that fails must not take the other's addresses away.
    if (four.status === 'rejected' && six.status === 'rejected') throw four.reason;
    for (const each of [four, six]) if (each.status === 'rejected' && !isAbsence(each.reason)) throw each.reason;
    const found = [four, six].flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    return found.map(({ address, ttl }) => ({ address, ttlSeconds: ttl }));
  };
}

/** The name server does not know the name, or knows no address for it. */
export function isAbsence(error: unknown): boolean {
  return ['ENODATA', 'ENOTFOUND'].includes((error as NodeJS.ErrnoException).code ?? '');
}
