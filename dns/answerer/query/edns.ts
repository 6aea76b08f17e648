// The OPT record of a question (RFC 6891): its size, version, flags, and the known options.
import { rcodes } from '../../wire/message.ts';
import { type ClientSubnet, readSubnet } from './client-subnet.ts';

export interface Edns {
  /** The sender's limit of a UDP answer. */
  readonly payloadBytes: number;
  /** Whether DNSSEC records are requested (RFC 3225). */
  readonly dnssec: boolean;
  /** Whether NXDOMAIN may accompany a compact denial (RFC 9824 section 5.1). */
  readonly compact: boolean;
  readonly wantsNsid: boolean;
  /** The client's part and, if it has one, the server's (RFC 7873 section 4). */
  readonly cookie: Buffer | undefined;
  readonly subnet: ClientSubnet | undefined;
  /** Response code if the option is malformed, otherwise undefined. */
  readonly fault: number | undefined;
}

export const options = { NSID: 3, SUBNET: 8, COOKIE: 10 } as const;

const flags = { dnssec: 0x8000, compact: 0x4000 } as const;

/** `at`: offset of the record's type. The record is complete. */
export function readEdns(packet: Buffer, at: number): Edns {
  const edns = {
    payloadBytes: packet.readUInt16BE(at + 2),
    dnssec: (packet.readUInt16BE(at + 6) & flags.dnssec) !== 0,
    compact: (packet.readUInt16BE(at + 6) & flags.compact) !== 0,
    wantsNsid: false,
    cookie: undefined as Buffer | undefined,
    subnet: undefined as ClientSubnet | undefined,
    fault: undefined as number | undefined,
  };
  // RFC 6891 section 6.1.3: the options of a later version may have another form.
  if (packet[at + 5] !== 0) return Object.assign(edns, { fault: rcodes.BADVERS });
  const end = at + 10 + packet.readUInt16BE(at + 8);
  for (let option = at + 10; option < end; ) {
    const from = option + 4;
    const to = from > end ? end + 1 : from + packet.readUInt16BE(option + 2);
    if (to > end) return Object.assign(edns, { fault: rcodes.FORMERR });
    switch (packet.readUInt16BE(option)) {
      case options.NSID:
        edns.wantsNsid = true;
        break;
      case options.SUBNET: {
        const subnet = edns.subnet === undefined ? readSubnet(packet, from, to) : undefined;
        if (subnet === undefined) return Object.assign(edns, { fault: rcodes.FORMERR });
        edns.subnet = subnet;
        break;
      }
      case options.COOKIE:
        // RFC 7873 section 5.2.2: 8 bytes, or 16 to 40. A second one is ignored.
        if (to - from !== 8 && (to - from < 16 || to - from > 40))
          return Object.assign(edns, { fault: rcodes.FORMERR });
        edns.cookie ??= packet.subarray(from, to);
        break;
    }
    option = to;
  }
  return edns;
}

/** The flags in an OPT record's TTL (RFC 6891 section 6.1.3). */
export function flagBits({ dnssec, compact }: { readonly dnssec: boolean; readonly compact: boolean }): number {
  return (dnssec ? flags.dnssec : 0) | (compact ? flags.compact : 0);
}
