// DNS messages: requests (queries and updates, RFC 1035 and RFC 2136) and responses. Decodes only what the publisher needs. The
// data of other records stays bytes.
import { SocketAddress } from 'node:net';
import { addressBytes } from '../../platform/net/address-block.ts';
import { decodeName, encodeName, expandName, WireError } from './name.ts';

export const types = {
  ...{ A: 1, NS: 2, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28, OPT: 41 },
  ...{ DS: 43, RRSIG: 46, NSEC: 47, DNSKEY: 48, NXNAME: 128 },
  ...{ TSIG: 250, IXFR: 251, AXFR: 252, MAILB: 253, MAILA: 254, ANY: 255 },
} as const;
export const classes = { IN: 1, CH: 3, NONE: 254, ANY: 255 } as const;
const opcodes = { QUERY: 0, UPDATE: 5 } as const;

/** RFC 1035 section 4.1.1, RFC 2136 section 2.2, RFC 8945 section 3; above 15 with EDNS only (RFC 6891 section 9, RFC 7873 section 8). */
export const rcodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
  BADCOOKIE: 23,
} as const;

export interface Question {
  readonly name: string;
  readonly type: number;
}

/** A record, or an element of an update in the same form. */
export interface WireRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  /** For a CNAME that was read: its target without pointers into the message. */
  readonly data: Buffer;
}

export interface Message {
  readonly id: number;
  readonly opcode: number;
  readonly isResponse: boolean;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly rcode: number;
  readonly questions: readonly Question[];
  readonly answers: readonly WireRecord[];
  /** EDNS record. Undefined if the sender does not support EDNS. */
  readonly opt: WireRecord | undefined;
  /** The TSIG record, which is the last one. Undefined if the message is not signed. */
  readonly tsig: (WireRecord & { readonly offset: number }) | undefined;
}

const headerBytes = 12;

/** `opt`: an EDNS record. */
export function encodeQuery(id: number, { name, type }: Question, opt?: WireRecord): Buffer {
  const more = opt === undefined ? [] : [encodeRecord(opt)];
  return Buffer.concat([header(id, opcodes.QUERY, [1, 0, 0, more.length]), encodeQuestion(name, type), ...more]);
}

/** RFC 2136 section 2: changes `zone` if all prerequisites hold. */
export function encodeUpdate(
  id: number,
  update: {
    readonly zone: string;
    readonly prerequisites: readonly WireRecord[];
    readonly changes: readonly WireRecord[];
  },
): Buffer {
  const { zone, prerequisites, changes } = update;
  return Buffer.concat([
    header(id, opcodes.UPDATE, [1, prerequisites.length, changes.length, 0]),
    encodeQuestion(zone, types.SOA),
    ...[...prerequisites, ...changes].map(encodeRecord),
  ]);
}

function header(id: number, opcode: number, counts: readonly number[]): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(opcode << 11, 2);
  for (const [index, count] of counts.entries()) bytes.writeUInt16BE(count, 4 + 2 * index);
  return bytes;
}

function encodeQuestion(name: string, type: number): Buffer {
  const fixed = Buffer.alloc(4);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(classes.IN, 2);
  return Buffer.concat([encodeName(name), fixed]);
}

export function encodeRecord({ name, type, class: group, ttl, data }: WireRecord): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(group, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([encodeName(name), fixed, data]);
}

/** Throws WireError. Skips records after the answers, which must be complete. */
export function decodeMessage(message: Buffer): Message {
  if (message.length < headerBytes) throw new WireError('it is shorter than a header');
  const flags = message.readUInt16BE(2);
  const [questionCount = 0, answerCount = 0, authorityCount = 0, additionalCount = 0] = [4, 6, 8, 10].map((at) =>
    message.readUInt16BE(at),
  );
  let at = headerBytes;
  const questions: Question[] = [];
  for (let count = 0; count < questionCount; count += 1) {
    const { name, next } = decodeName(message, at);
    if (next + 4 > message.length) throw new WireError('a question is cut off');
    questions.push({ name, type: message.readUInt16BE(next) });
    at = next + 4;
  }
  const answers: WireRecord[] = [];
  let [opt, tsig]: [Message['opt'], Message['tsig']] = [undefined, undefined];
  for (let count = answerCount + authorityCount + additionalCount; count > 0; count -= 1) {
    const { record, next } = decodeRecord(message, at);
    if (answers.length < answerCount) answers.push(record);
    if (tsig !== undefined) throw new WireError('its TSIG is not the last record');
    if (record.type === types.OPT) opt = record;
    // RFC 8945 section 5.1: the last record of the additional section.
    if (record.type === types.TSIG) {
      if (count > additionalCount) throw new WireError('its TSIG is in another section');
      tsig = { ...record, offset: at };
    }
    at = next;
  }
  if (at !== message.length) throw new WireError('there are bytes after its end');
  return {
    id: message.readUInt16BE(0),
    opcode: (flags >> 11) & 0xf,
    isResponse: (flags & 0x8000) !== 0,
    isAuthoritative: (flags & 0x0400) !== 0,
    isTruncated: (flags & 0x0200) !== 0,
    rcode: flags & 0xf,
    ...{ questions, answers, opt, tsig },
  };
}

function decodeRecord(message: Buffer, offset: number): { readonly record: WireRecord; readonly next: number } {
  const { name, next: at } = decodeName(message, offset);
  if (at + 10 > message.length) throw new WireError('a record is cut off');
  const next = at + 10 + message.readUInt16BE(at + 8);
  if (next > message.length) throw new WireError('a record is cut off');
  const type = message.readUInt16BE(at);
  // Elements of updates have no target.
  const hasTarget = type === types.CNAME && next > at + 10;
  if (hasTarget && decodeName(message, at + 10).next !== next) throw new WireError('an alias has another length');
  const record = {
    ...{ name, type, class: message.readUInt16BE(at + 2), ttl: message.readUInt32BE(at + 4) },
    data: hasTarget ? expandName(message, at + 10) : message.subarray(at + 10, next),
  };
  return { record, next };
}

/** The data of an A or AAAA record. The text must be an address. */
export function encodeAddress(text: string): Buffer {
  return Buffer.from(addressBytes(text) ?? []);
}

/** Canonical. Throws WireError. */
export function decodeAddress({ type, data }: WireRecord): string {
  if (data.length !== (type === types.A ? 4 : 16)) throw new WireError('an address has another length');
  const address = type === types.A ? data.join('.') : data.toString('hex').replace(/(.{4})(?!$)/g, '$1:');
  return new SocketAddress({ address, family: type === types.A ? 'ipv4' : 'ipv6', port: 1 }).address;
}

/** The target of a CNAME record, in lower case. Throws WireError. */
export function decodeTarget({ data }: WireRecord): string {
  return decodeName(data, 0).name;
}

/** The data of a TXT record with one string of at most 255 bytes. */
export function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length > 255) throw new Error(`a text is too long for DNS: ${text}`);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

/** All strings of a TXT record, joined (RFC 1035 section 3.3.14). Throws WireError. */
export function decodeText({ data }: WireRecord): string {
  let text = '';
  for (let at = 0; at < data.length; ) {
    const end = at + 1 + (data[at] ?? 0);
    if (end > data.length) throw new WireError('a text is cut off');
    text += data.toString('latin1', at + 1, end);
    at = end;
  }
  return text;
}
