// Strict parsing of a query. Anyone can send anything, so nothing here throws, and each loop has a bound. A malformed query
// becomes a fault with the response code for its sender.
import { rcodes, types } from '../../wire/message.ts';
import { type Edns, readEdns } from './edns.ts';
import { nameEnd } from './names.ts';

export interface Query {
  readonly packet: Buffer;
  /** End of the question's name, type and class, which are echoed unchanged (0x20). */
  readonly questionEnd: number;
  /** The question's name as on the wire, in lower case: the key of names. */
  readonly key: string;
  readonly type: number;
  readonly class: number;
  /** Undefined if it has no OPT record (RFC 6891). */
  readonly edns: Edns | undefined;
}

/** Gets no answer: it is an answer itself, or too short for an id. */
interface Dropped {
  readonly dropped: true;
}

export interface Faulty {
  readonly packet: Buffer;
  readonly rcode: number;
  /** Undefined if the question is unreadable, and therefore not echoed. */
  readonly questionEnd: number | undefined;
  readonly edns: Edns | undefined;
}

type Read = Query | Faulty | Dropped;

const headerBytes = 12;
/** A question has an OPT record, and at most one signature. IXFR has a SOA record. */
const mostRecords = 4;

export function readQuery(packet: Buffer): Read {
  // RFC 1035 section 4.1.1: an answer to an answer would start a loop.
  if (packet.length < headerBytes || (packet[2] as number) & 0x80) return { dropped: true };
  const faulty = (rcode: number, questionEnd?: number, edns?: Edns): Faulty => ({ packet, rcode, questionEnd, edns });
  if (((packet[2] as number) & 0x78) !== 0) return faulty(rcodes.NOTIMP);
  // RFC 9619: exactly one question.
  if (packet.readUInt16BE(4) !== 1) return faulty(rcodes.FORMERR);
  const end = nameEnd(packet, headerBytes);
  if (end === undefined || end + 4 > packet.length) return faulty(rcodes.FORMERR);
  const questionEnd = end + 4;
  const type = packet.readUInt16BE(end);
  const asked = packet.readUInt16BE(end + 2);
  const opt = optAt(packet, questionEnd);
  if (typeof opt !== 'number') return faulty(opt.rcode, questionEnd);
  const edns = opt === 0 ? undefined : readEdns(packet, opt);
  if (edns?.fault !== undefined) return faulty(edns.fault, questionEnd, edns);
  // RFC 9824 section 3.5: NXNAME can't be requested.
  if (type === types.NXNAME || type === 0 || type === types.OPT) return faulty(rcodes.FORMERR, questionEnd, edns);
  const key = inLowerCase(packet.toString('latin1', headerBytes, end));
  return { packet, questionEnd, key, type, class: asked, edns };
}

/** RFC 4343 section 3: only ASCII letters have a case. Changes of other bytes would invalidate signatures. */
function inLowerCase(text: string): string {
  return /[\x80-\xff]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text.toLowerCase();
}

/**
 * Offset after the owner name of the only OPT record, or 0 if there is none. All records must be complete and end with the
 * packet.
 */
function optAt(packet: Buffer, from: number): number | { readonly rcode: number } {
  const before = packet.readUInt16BE(6) + packet.readUInt16BE(8);
  const count = before + packet.readUInt16BE(10);
  if (count > mostRecords) return { rcode: rcodes.FORMERR };
  let [at, opt] = [from, 0];
  for (let index = 0; index < count; index += 1) {
    const name = recordNameEnd(packet, at);
    if (name === undefined || name + 10 > packet.length) return { rcode: rcodes.FORMERR };
    const type = packet.readUInt16BE(name);
    const next = name + 10 + packet.readUInt16BE(name + 8);
    if (next > packet.length) return { rcode: rcodes.FORMERR };
    // RFC 8945 section 5.2.1: no key is shared with any client.
    if (type === types.TSIG) return { rcode: rcodes.NOTAUTH };
    if (type === types.OPT) {
      // RFC 6891 section 6.1.1: one, in the additional section, of the root.
      if (opt !== 0 || index < before || packet[at] !== 0) return { rcode: rcodes.FORMERR };
      opt = name;
    }
    at = next;
  }
  return at === packet.length ? opt : { rcode: rcodes.FORMERR };
}

/** Like `nameEnd`, but the name may end with a pointer backwards (RFC 1035 section 4.1.4). */
function recordNameEnd(packet: Buffer, from: number): number | undefined {
  for (let at = from; at < from + 255; ) {
    const length = packet[at];
    if (length === undefined) return undefined;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2 <= packet.length && packet.readUInt16BE(at) - 0xc000 < from ? at + 2 : undefined;
    if (length > 63) return undefined;
    at += length + 1;
  }
  return undefined;
}
