// Signed queries and updates to one server, with verification of its answers.
import { randomInt } from 'node:crypto';
import type { EgressPolicy } from '../../platform/net/egress.ts';
import {
  decodeMessage,
  encodeQuery,
  encodeUpdate,
  type Message,
  type Question,
  rcodes,
  types,
  type WireRecord,
} from '../wire/message.ts';
import { WireError } from '../wire/name.ts';
import { fudgeSeconds, sign, type TsigKey, tsigErrors, verify } from '../wire/tsig.ts';
import { DnsError } from './dns-error.ts';
import { askTcp, askUdp, longestUdpBytes, type ServerPlace } from './transport.ts';

export interface DnsClientOptions {
  readonly place: ServerPlace;
  /** Undefined if queries are unsigned, and answers trusted. */
  readonly key: TsigKey | undefined;
  /** Deadline of one query, over UDP and TCP together. */
  readonly timeoutMs: number;
  /** Unix milliseconds. Default: the clock. */
  readonly now?: () => number;
  /** For servers from users of the graph. Undefined for servers in the settings, which have no limit. */
  readonly egress?: EgressPolicy | undefined;
}

interface Update {
  readonly zone: string;
  readonly prerequisites: readonly WireRecord[];
  readonly changes: readonly WireRecord[];
}

/** Results of an update: done, or a prerequisite does not hold (RFC 2136 section 3.2). */
type UpdateResult = 'DONE' | 'IN_USE' | 'CHANGED';

/** Response codes that make a statement about records, so they must be signed. */
const aboutRecords: ReadonlySet<number> = new Set([
  ...[rcodes.NOERROR, rcodes.NXDOMAIN, rcodes.YXDOMAIN, rcodes.YXRRSET, rcodes.NXRRSET],
]);

export class DnsClient {
  readonly #options: DnsClientOptions;

  constructor(options: DnsClientOptions) {
    this.#options = options;
  }

  /** The server's answer, with any code. `opt`: an EDNS record. Throws DnsError. */
  ask(question: Question, signal: AbortSignal, opt?: WireRecord): Promise<Message> {
    const query = encodeQuery(randomInt(0x10000), question, opt);
    return this.#exchange(query, this.#seconds(), signal, question);
  }

  /**
   * Records in the server's answer, with its authority section. Empty if there are none. A CNAME replaces the records. Throws
   * DnsError.
   */
  async query(question: Question, signal: AbortSignal): Promise<readonly WireRecord[]> {
    const message = await this.ask(question, signal);
    if (message.rcode !== rcodes.NXDOMAIN) throwUnlessDone(message);
    if (!message.isAuthoritative) throw new DnsError('NOT_AUTHORITATIVE', `it has no authority over ${question.name}`);
    return message.answers.filter(
      ({ name, type }) => name === question.name && (type === question.type || type === types.CNAME),
    );
  }

  /**
   * `atMs` (Unix milliseconds): when the input of the update was read. The server refuses the update `fudgeSeconds` after that, however late it is
   * sent. Throws DnsError.
   */
  async update(
    update: Update,
    options: { readonly atMs: number; readonly signal: AbortSignal },
  ): Promise<UpdateResult> {
    const atSeconds = Math.floor(options.atMs / 1000);
    const message = await this.#exchange(encodeUpdate(randomInt(0x10000), update), atSeconds, options.signal);
    if (message.rcode === rcodes.YXDOMAIN) return 'IN_USE';
    if (message.rcode === rcodes.YXRRSET || message.rcode === rcodes.NXRRSET || message.rcode === rcodes.NXDOMAIN)
      return 'CHANGED';
    throwUnlessDone(message);
    return 'DONE';
  }

  #seconds(): number {
    return Math.floor((this.#options.now?.() ?? Date.now()) / 1000);
  }

  async #exchange(message: Buffer, atSeconds: number, signal: AbortSignal, question?: Question): Promise<Message> {
    const { place, key, timeoutMs, egress } = this.#options;
    const denial = egress?.denial(place.address, place.port);
    if (denial !== undefined) throw new DnsError('EGRESS_DENIED', denial.reason);
    const { bytes, mac } = key === undefined ? { bytes: message, mac: undefined } : sign(message, key, atSeconds);
    const check = (answer: Buffer) => this.#check(answer, message, mac, question);
    if (bytes.length <= longestUdpBytes) {
      const isOurs = (answer: Buffer) => answer.length > 2 && answer.readUInt16BE(0) === message.readUInt16BE(0);
      const answer = await askUdp(place, bytes, isOurs, { timeoutMs: timeoutMs / 2, signal });
      // Over UDP anybody may answer, so after an invalid answer the query is repeated over TCP.
      const checked = answer === undefined ? undefined : attempt(() => check(answer));
      if (checked?.isTruncated === false) return checked;
    }
    return check(await askTcp(place, bytes, { timeoutMs, signal }));
  }

  /** Throws DnsError if the bytes are not a signed answer to the request. */
  #check(bytes: Buffer, request: Buffer, requestMac: Buffer | undefined, question: Question | undefined): Message {
    const { key } = this.#options;
    try {
      const answer = decodeMessage(bytes);
      const isAnswer = answer.isResponse && answer.id === request.readUInt16BE(0);
      const asked = answer.questions[0];
      const isOther = question !== undefined && (asked?.name !== question.name || asked.type !== question.type);
      // An answer without the question is an error, and its code is more specific.
      if (!isAnswer || (isOther && answer.rcode === rcodes.NOERROR))
        throw new DnsError('BAD_ANSWER', 'it answered something else');
      if (key !== undefined && requestMac !== undefined) this.#checkSignature(bytes, answer, key, requestMac);
      return answer;
    } catch (error) {
      if (error instanceof WireError) throw new DnsError('BAD_ANSWER', error.message, { cause: error });
      throw error;
    }
  }

  #checkSignature(bytes: Buffer, answer: Message, key: TsigKey, requestMac: Buffer): void {
    if (answer.tsig === undefined) {
      // Errors may be unsigned, because they only cost another attempt.
      if (answer.rcode === rcodes.NOTAUTH)
        throw new DnsError(
          'BAD_KEY',
          `it does not take our signature: it has no such key ${key.name}, or the clocks differ by more than ${fudgeSeconds} s`,
        );
      if (!aboutRecords.has(answer.rcode)) throwUnlessDone(answer);
      throw new DnsError('NOT_SIGNED', 'its answer is not signed');
    }
    const { isValid, error, serverSeconds } = verify(bytes, answer.tsig, key, requestMac);
    if (error === tsigErrors.BADKEY) throw new DnsError('BAD_KEY', `it does not know the key ${key.name}`);
    if (error === tsigErrors.BADSIG)
      throw new DnsError('BAD_SIGNATURE', `it has another secret for the key ${key.name}`);
    if (serverSeconds !== undefined) throw badTime(serverSeconds, this.#seconds());
    if (!isValid) throw new DnsError('NOT_SIGNED', 'the signature of its answer is not valid');
  }
}

function badTime(serverSeconds: number, ourSeconds: number): DnsError {
  const text = (seconds: number) => new Date(seconds * 1000).toISOString();
  return new DnsError(
    'BAD_TIME',
    `it takes no message that is more than ${fudgeSeconds} s old: by its clock it is ${text(serverSeconds)}, by ours ${text(ourSeconds)}`,
  );
}

function throwUnlessDone({ rcode }: Message): void {
  if (rcode === rcodes.NOERROR) return;
  const name = Object.entries(rcodes).find(([, code]) => code === rcode)?.[0] ?? `code ${rcode}`;
  if (rcode === rcodes.REFUSED)
    throw new DnsError(
      'REFUSED',
      `it refused (REFUSED): the key may not do this, or the clocks differ by more than ${fudgeSeconds} s`,
    );
  if (rcode === rcodes.SERVFAIL) throw new DnsError('SERVER_FAILURE', 'it failed (SERVFAIL)');
  if (rcode === rcodes.NOTAUTH || rcode === rcodes.NOTZONE)
    throw new DnsError('NOT_AUTHORITATIVE', `it is not a primary server of the zone (${name})`);
  throw new DnsError('BAD_ANSWER', `it answered ${name}`);
}

function attempt<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
