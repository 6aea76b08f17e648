// The addresses that zones publish for one of our name servers: those in its machine's record at which it reports to answer. Pure.
import { isIP } from 'node:net';
import { isEverywhere, type NameServerRecord } from '../../../../platform/machines/name-server-record.ts';
import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { NameServerFacts } from '../../wire/dns-wire.ts';

type Reported = Pick<NameServerFacts, 'addresses'>;

export interface PublishedAddresses {
  /** In the order of the record. */
  readonly addresses: readonly string[];
  /** Reason why there is none, with a remedy. Null if there is one. */
  readonly reason: string | null;
}

/** A name that is answered at all its addresses of a family restricts nothing. */
export function publishedAddresses(
  name: string,
  record: NameServerRecord | undefined,
  { addresses: reported }: Partial<Reported>,
): PublishedAddresses {
  const given = record?.addresses ?? [];
  const own = (reported ?? []).map(({ address }) => canonicalText(address));
  const answersAt = (address: string) =>
    own.some((each) => each === address || (isEverywhere(each) && isIP(each) === isIP(address)));
  const addresses = given.filter(answersAt);
  const set = `tidegate machines update ${name} --address IP`;
  if (given.length === 0) return { addresses, reason: `its record has no addresses: ${set}` };
  if (addresses.length > 0) return { addresses, reason: null };
  const differ = `it answers at ${own.join(', ') || 'no address'}, and its record has ${given.join(', ')}`;
  return { addresses, reason: `${differ}: correct its setting nameserver.listen, or ${set}` };
}
