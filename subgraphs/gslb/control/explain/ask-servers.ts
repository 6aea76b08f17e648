// Queries name servers over DNS for their answer to a client: one query each, all at once, with one deadline. The queries are
// like a resolver's (RFC 7871), so the answers are for the client and not for us.
import { clientAddress } from '../../../../dns/policy/client.ts';
import { DnsClient } from '../../../../dns/servers/dns-client.ts';
import { DnsError } from '../../../../dns/servers/dns-error.ts';
import type { ServerPlace } from '../../../../dns/servers/transport.ts';
import { encodeAskedFor, scopeBitsOf } from '../../../../dns/wire/client-subnet.ts';
import {
  decodeAddress,
  decodeTarget,
  type Message,
  rcodes,
  types,
  type WireRecord,
} from '../../../../dns/wire/message.ts';
import { WireError } from '../../../../dns/wire/name.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import { Turns } from '../../../../platform/work/turns.ts';

type QuestionType = 'A' | 'AAAA' | 'CNAME';

export interface ServerQuestion {
  /** Without a final dot, in lower case. */
  readonly name: string;
  readonly type: QuestionType;
  /** An address. */
  readonly client: string;
  /** Known bits of the client's address to send. Undefined for all. */
  readonly clientBits: number | undefined;
}

export interface ShownAnswer {
  readonly outcome: 'RECORDS' | 'NODATA' | 'SERVFAIL';
  readonly records: readonly { readonly type: QuestionType; readonly data: string; readonly ttlSeconds: number }[];
  /** Null if the server did not report it. */
  readonly scopeBits: number | null;
}

export interface Asked {
  /** Null if there is none: see `error`. */
  readonly answer: ShownAnswer | null;
  readonly error: string | null;
  readonly latencyMs: number | null;
}

/** Deadline over UDP and TCP together. */
const timeoutMs = 2_000;
/** Limit of concurrent explanations in this process. */
const mostAtOnce = 16;

export class ServerAsker {
  readonly #egress: EgressPolicy;
  readonly #turns = new Turns(mostAtOnce);
  readonly #stop = new AbortController();

  constructor(egress: EgressPolicy) {
    this.#egress = egress;
  }

  /** Answers in the order of the places. Undefined places are not asked. */
  async ask(places: readonly (ServerPlace | undefined)[], question: ServerQuestion): Promise<readonly Asked[]> {
    if (!this.#turns.take())
      return places.map(() => unasked('not asked: this process is busy with other explanations; try again'));
    try {
      return await Promise.all(places.map((place) => this.#askOne(place, question)));
    } finally {
      this.#turns.give();
    }
  }

  /** Ends questions under way, and refuses later ones. */
  stop(): void {
    this.#stop.abort(new DnsError('UNREACHABLE', 'not asked: this process is stopping'));
  }

  async #askOne(place: ServerPlace | undefined, { name, type, client, clientBits }: ServerQuestion): Promise<Asked> {
    if (place === undefined) return unasked('not asked: its address is not known here');
    const dns = new DnsClient({ place, key: undefined, timeoutMs, egress: this.#egress });
    const begunMs = performance.now();
    try {
      const opt = encodeAskedFor(clientAddress(client, clientBits));
      const message = await dns.ask({ name, type: types[type] }, this.#stop.signal, opt);
      const latencyMs = Math.round(performance.now() - begunMs);
      return { answer: shownAnswer(message, name), error: null, latencyMs };
    } catch (error) {
      if (error instanceof DnsError || error instanceof WireError) return unasked(error.message);
      throw error;
    }
  }
}

function unasked(error: string): Asked {
  return { answer: null, error, latencyMs: null };
}

/** Throws DnsError for codes that are not answers, and WireError. */
function shownAnswer(message: Message, name: string): ShownAnswer {
  const { rcode, answers, opt } = message;
  if (rcode === rcodes.REFUSED) throw new DnsError('REFUSED', 'it refused: it does not answer the zone');
  if (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN && rcode !== rcodes.SERVFAIL)
    throw new DnsError('BAD_ANSWER', `it answered with code ${rcode}`);
  const records = answers.filter((record) => record.name === name).flatMap(shownRecord);
  const scopeBits = opt === undefined ? null : (scopeBitsOf(opt) ?? null);
  const outcome = rcode === rcodes.SERVFAIL ? 'SERVFAIL' : records.length > 0 ? 'RECORDS' : 'NODATA';
  return { outcome, records, scopeBits };
}

function shownRecord(record: WireRecord): ShownAnswer['records'] {
  const ttlSeconds = record.ttl;
  if (record.type === types.A) return [{ type: 'A', data: decodeAddress(record), ttlSeconds }];
  if (record.type === types.AAAA) return [{ type: 'AAAA', data: decodeAddress(record), ttlSeconds }];
  if (record.type === types.CNAME) return [{ type: 'CNAME', data: `${decodeTarget(record)}.`, ttlSeconds }];
  return [];
}
