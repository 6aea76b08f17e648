// The OPT record of an answer (RFC 6891 section 7). Exists if the question has one.
import { rcodes } from '../../wire/message.ts';
import { subnetScope } from '../query/client-subnet.ts';
import { type Edns, flagBits, options } from '../query/edns.ts';
import type { Opt } from './answer-writer.ts';

/** Packet size that fits on all paths (flag day 2020), used for our answers and as the size that we accept. */
const mostUdpBytes = 1_232;
/** RFC 1035 section 4.2.1, without EDNS. */
const leastUdpBytes = 512;

const noData = Buffer.alloc(0);

interface EdnsReply {
  readonly nsid: Buffer;
  /** The option's data. Undefined if the question has no cookie. */
  readonly cookie: Buffer | undefined;
  readonly scopeBits: number;
}

export function optOf(edns: Edns | undefined, { nsid, cookie, scopeBits }: EdnsReply): Opt | undefined {
  if (edns === undefined) return undefined;
  // RFC 6891 section 6.1.3: options of another version are ignored.
  const { wantsNsid, subnet } = edns.fault === rcodes.BADVERS ? { wantsNsid: false, subnet: undefined } : edns;
  const parts: Buffer[] = [];
  if (wantsNsid) parts.push(option(options.NSID, nsid));
  if (subnet !== undefined) {
    const { family, bits, bytes } = subnet;
    const head = Buffer.from([0, family, bits, subnetScope(subnet, scopeBits)]);
    parts.push(option(options.SUBNET, Buffer.concat([head, bytes])));
  }
  if (cookie !== undefined) parts.push(option(options.COOKIE, cookie));
  const data = parts.length === 0 ? noData : Buffer.concat(parts);
  return { payloadBytes: mostUdpBytes, flagBits: flagBits(edns), data };
}

function option(code: number, data: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(4 + data.length);
  bytes.writeUInt16BE(code, 0);
  bytes.writeUInt16BE(data.length, 2);
  data.copy(bytes, 4);
  return bytes;
}

/** Maximum length of the answer. */
export function limitOf(edns: Edns | undefined, udp: boolean): number {
  if (!udp) return 65_535;
  return edns === undefined ? leastUdpBytes : Math.min(Math.max(edns.payloadBytes, leastUdpBytes), mostUdpBytes);
}
