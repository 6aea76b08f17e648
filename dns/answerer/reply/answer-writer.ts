// Writes answers: the unchanged question, then whole record sets while there is room, then the OPT record. One buffer serves all answers, and each
// answer is a copy. Owners that are the asked name or a suffix of it are pointers (RFC 1035 section 4.1.4). Names in data are written in full.
import { classes, types } from '../../wire/message.ts';
import { bytesOf } from '../query/names.ts';
import type { RecordSet } from '../record-set.ts';

const headerBytes = 12;
const largestMessage = 65_535;
const fixedBytes = 10;

type Section = 'answers' | 'authority';

const countAt = { answers: 6, authority: 8, additional: 10 } as const;
const flags = { response: 0x8000, authoritative: 0x0400, truncated: 0x0200, recursionDesired: 0x0100 } as const;

interface Head {
  readonly rcode: number;
  readonly authoritative: boolean;
}

/** Data of an OPT record, and the values in its other fields (RFC 6891 section 6.1.2). */
export interface Opt {
  readonly payloadBytes: number;
  readonly flagBits: number;
  readonly data: Buffer;
}

export class AnswerWriter {
  readonly #bytes = Buffer.alloc(largestMessage);
  #at = 0;
  #limit = 0;
  #key = '';
  #questionEnd = 0;
  #truncated = false;

  /** `questionEnd`: undefined without a question. `limit`: size of the whole answer. */
  begin(packet: Buffer, questionEnd: number | undefined, key: string, limit: number, opt: Opt | undefined): void {
    const bytes = this.#bytes;
    this.#at = questionEnd ?? headerBytes;
    // A loop is faster than a call of copy for so few.
    for (let at = 0; at < this.#at; at += 1) bytes[at] = packet[at] as number;
    bytes.writeUInt16BE(questionEnd === undefined ? 0 : 1, 4);
    for (let at = 6; at < headerBytes; at += 1) bytes[at] = 0;
    this.#limit = Math.min(limit, largestMessage) - (opt === undefined ? 0 : 11 + opt.data.length);
    this.#key = key;
    this.#questionEnd = this.#at;
    this.#truncated = false;
  }

  /**
   * Writes the set and its signatures. Returns false, writes nothing and marks the answer as truncated if there is no room (RFC
   * 2181 section 9).
   */
  add(section: Section, set: RecordSet, signatures: readonly Buffer[] = [], group: number = classes.IN): boolean {
    const from = this.#at;
    for (const data of set.data) this.#record(set.key, set.type, group, set.ttlSeconds, data);
    for (const data of signatures) this.#record(set.key, types.RRSIG, group, set.ttlSeconds, data);
    if (this.#at > this.#limit) {
      this.#at = from;
      this.#truncated = true;
      return false;
    }
    const count = countAt[section];
    this.#bytes.writeUInt16BE(this.#bytes.readUInt16BE(count) + set.data.length + signatures.length, count);
    return true;
  }

  truncate(): void {
    this.#truncated = true;
  }

  get isTruncated(): boolean {
    return this.#truncated;
  }

  end({ rcode, authoritative }: Head, opt: Opt | undefined): Buffer {
    const bytes = this.#bytes;
    // Records of a truncated answer are ignored (RFC 2181 section 9), and would only amplify an attack with a forged address.
    if (this.#truncated) {
      this.#at = this.#questionEnd;
      bytes.fill(0, countAt.answers, headerBytes);
    }
    if (opt !== undefined) this.#opt(opt, rcode);
    const asked = bytes.readUInt16BE(2);
    // RFC 1035 section 4.1.1; CD is cleared (RFC 4035 section 3.1.6).
    const kept = asked & (0x7800 | flags.recursionDesired);
    const set = (authoritative ? flags.authoritative : 0) | (this.#truncated ? flags.truncated : 0);
    bytes.writeUInt16BE(flags.response | kept | set | (rcode & 0xf), 2);
    return Buffer.from(bytes.subarray(0, this.#at));
  }

  /** Past the limit nothing is written, but the record is counted. */
  #record(owner: string, type: number, group: number, ttlSeconds: number, data: Buffer): void {
    const bytes = this.#bytes;
    let at = this.#at;
    const pointer = this.#pointerTo(owner);
    const end = at + (pointer === undefined ? owner.length : 2) + fixedBytes + data.length;
    this.#at = end;
    if (end > this.#limit) return;
    if (pointer === undefined) at += bytesOf(owner).copy(bytes, at);
    else at = bytes.writeUInt16BE(0xc000 | pointer, at);
    at = bytes.writeUInt16BE(type, at);
    at = bytes.writeUInt16BE(group, at);
    at = bytes.writeUInt32BE(ttlSeconds, at);
    at = bytes.writeUInt16BE(data.length, at);
    for (let index = 0; index < data.length; index += 1) bytes[at + index] = data[index] as number;
  }

  #pointerTo(owner: string): number | undefined {
    if (owner === this.#key) return headerBytes;
    return this.#key.endsWith(owner) ? this.#questionEnd - 4 - owner.length : undefined;
  }

  #opt({ payloadBytes, flagBits, data }: Opt, rcode: number): void {
    const bytes = this.#bytes;
    bytes[this.#at] = 0;
    bytes.writeUInt16BE(types.OPT, this.#at + 1);
    bytes.writeUInt16BE(payloadBytes, this.#at + 3);
    bytes.writeUInt16BE((rcode >> 4) << 8, this.#at + 5);
    bytes.writeUInt16BE(flagBits, this.#at + 7);
    bytes.writeUInt16BE(data.length, this.#at + 9);
    data.copy(bytes, this.#at + 11);
    this.#at += 11 + data.length;
    bytes.writeUInt16BE(bytes.readUInt16BE(countAt.additional) + 1, countAt.additional);
  }
}
