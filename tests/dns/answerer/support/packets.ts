// Questions as bytes, built by hand so that the server's own codec does not check itself, and the parts of an answer.
import { decodeMessage } from '../../../../dns/wire/message.ts';

export const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28, DS: 43, RRSIG: 46, NSEC: 47, DNSKEY: 48 };

interface Asked {
  readonly type?: number;
  readonly class?: number;
  readonly flags?: number;
  readonly counts?: readonly [number, number, number, number];
  /** Data of an OPT record. Undefined for a query without one. */
  readonly options?: Buffer;
  readonly edns?: { readonly payload?: number; readonly version?: number; readonly flags?: number };
  /** After all. */
  readonly rest?: Buffer;
}

export function question(name: string, asked: Asked = {}): Buffer {
  const { type = types.A, class: group = 1, flags = 0, options, edns, rest = Buffer.alloc(0) } = asked;
  const hasOpt = options !== undefined || edns !== undefined;
  const { payload = 4_096, version = 0, flags: ednsFlags = 0 } = edns ?? {};
  const opt = hasOpt
    ? [Buffer.from([0]), uint16(41), uint16(payload), Buffer.from([0, version]), uint16(ednsFlags)]
    : [];
  const data = options ?? Buffer.alloc(0);
  if (hasOpt) opt.push(uint16(data.length), data);
  const counts = asked.counts ?? [1, 0, 0, hasOpt ? 1 : 0];
  return Buffer.concat([
    uint16(0x1234),
    uint16(flags),
    ...counts.map(uint16),
    wireName(name),
    uint16(type),
    uint16(group),
    ...opt,
    rest,
  ]);
}

export function option(code: number, data: Buffer): Buffer {
  return Buffer.concat([uint16(code), uint16(data.length), data]);
}

export function subnet(family: number, bits: number, bytes: readonly number[], scope = 0): Buffer {
  return option(8, Buffer.from([0, family, bits, scope, ...bytes]));
}

export function wireName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.from([...labels.flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]), 0]);
}

export function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

export interface Answer {
  readonly rcode: number;
  readonly flags: { readonly aa: boolean; readonly tc: boolean; readonly rd: boolean; readonly ra: boolean };
  /** Question, answer, authority, additional. */
  readonly counts: readonly number[];
  /** `type data`, data in hexadecimal, in order. */
  readonly answers: readonly string[];
  readonly ttl: number | undefined;
  /** Options of the OPT record, in hexadecimal by code. */
  readonly options: ReadonlyMap<number, string>;
  readonly ednsFlags: number | undefined;
}

/** Throws if it is not a whole message. */
export function read(bytes: Buffer | undefined): Answer {
  if (bytes === undefined) throw new Error('there is no answer');
  const message = decodeMessage(bytes);
  const flags = bytes.readUInt16BE(2);
  const counts = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at));
  const opt = (counts[3] ?? 0) > 0 ? lastOpt(bytes) : undefined;
  return {
    rcode: message.rcode | ((opt?.extended ?? 0) << 4),
    flags: { aa: message.isAuthoritative, tc: message.isTruncated, rd: (flags & 0x100) > 0, ra: (flags & 0x80) > 0 },
    counts,
    answers: message.answers.map(({ type, data }) => `${type} ${data.toString('hex')}`),
    ttl: message.answers[0]?.ttl,
    options: opt?.options ?? new Map(),
    ednsFlags: opt?.flags,
  };
}

/** The OPT record is the last one in our answers. */
function lastOpt(bytes: Buffer) {
  for (let at = bytes.length - 11; at >= 12; at -= 1) {
    if (bytes[at] !== 0 || bytes.readUInt16BE(at + 1) !== 41) continue;
    if (at + 11 + bytes.readUInt16BE(at + 9) !== bytes.length) continue;
    const options = new Map<number, string>();
    for (let each = at + 11; each < bytes.length; each += 4 + bytes.readUInt16BE(each + 2))
      options.set(bytes.readUInt16BE(each), bytes.toString('hex', each + 4, each + 4 + bytes.readUInt16BE(each + 2)));
    return { extended: bytes[at + 5] ?? 0, flags: bytes.readUInt16BE(at + 7), options };
  }
  return undefined;
}
