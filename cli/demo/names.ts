// The answers of the lab's name servers, from the view of a resolver.
import { Resolver } from 'node:dns/promises';

const answerMs = 1_000;

/** Addresses in order. Empty if there is none, or the server does not answer. */
export async function addressesAt(server: string, port: string, name: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: answerMs, tries: 1 });
  resolver.setServers([`${server}:${port}`]);
  return (await resolver.resolve4(name).catch(() => [])).sort();
}
