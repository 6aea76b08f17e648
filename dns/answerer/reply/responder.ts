// Computes the answer to a packet: without waiting, without throwing, and equally over UDP and TCP.
import { classes, rcodes, types } from '../../wire/message.ts';
import type { Clocks } from '../clocks.ts';
import { denialOf } from '../dnssec/denial.ts';
import { bytesOfAddress, type Peer } from '../query/peer.ts';
import { type Faulty, type Query, readQuery } from '../query/query.ts';
import type { ServerCookies } from '../query/server-cookies.ts';
import type { RecordSet } from '../record-set.ts';
import type { Found, Zone } from '../zone/zone.ts';
import type { Zones } from '../zone/zones.ts';
import { AnswerWriter, type Opt } from './answer-writer.ts';
import { type Content, contentOf, type Policies } from './content.ts';
import { limitOf, optOf } from './edns-reply.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { type Counts, noCounts } from './stats.ts';

interface ResponderOptions {
  readonly zones: Zones;
  readonly policies: Policies;
  readonly cookies: ServerCookies;
  readonly limiter: RateLimiter;
  /** Limit of the answer's size in multiples of the question's, for clients without a proven address. */
  readonly amplification: number;
  /** RFC 5001: distinguishes this server from others at the same address. */
  readonly nsid: Buffer;
  readonly clocks: Pick<Clocks, 'wallMs' | 'steadyMs'>;
  /** Answer to `TXT CH` of `age.tidegate.` */
  readonly age: () => string;
}

interface Asking {
  readonly mostBytes: number;
  readonly atSeconds: number;
  readonly opt: (scopeBits: number) => Opt | undefined;
}

/** RFC 1035 section 3.2.3, RFC 1995, RFC 5936; RRSIG records have no meaning by themselves. */
const refusedTypes: ReadonlySet<number> = new Set([types.AXFR, types.IXFR, types.MAILA, types.MAILB, types.RRSIG]);
/** Kinds of answers for the limiter, above all ids of names. Other answers of a zone count as equal answers. */
const kinds = { error: -1, negative: -2 } as const;
const ageKey = '\x03age\x08tidegate\0';

export class Responder {
  readonly counts: Counts = noCounts();
  readonly #options: ResponderOptions;
  readonly #writer = new AnswerWriter();

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  /** Undefined if nothing is answered. */
  answer(packet: Buffer, peer: Peer): Buffer | undefined {
    this.counts.queries += 1;
    if (!peer.udp) this.counts.overTcp += 1;
    const read = readQuery(packet);
    if ('dropped' in read) {
      this.counts.dropped += 1;
      return undefined;
    }
    const { cookies, limiter, amplification, zones, nsid, clocks } = this.#options;
    const atSeconds = Math.floor(clocks.wallMs() / 1_000);
    const cookie = read.edns?.cookie;
    const address = bytesOfAddress(peer.address);
    const hasCookie = cookie !== undefined && cookies.isValid(cookie, address, atSeconds);
    if (hasCookie) this.counts.proven += 1;
    // A valid cookie or a TCP connection proves the client's address.
    const isProven = hasCookie || !peer.udp;
    const ours = cookie && cookies.answerTo(cookie, hasCookie, address, atSeconds);
    const opt = (scopeBits: number) => optOf(read.edns, { nsid, cookie: ours, scopeBits });
    const limit = limitOf(read.edns, peer.udp);
    const mostBytes = isProven ? limit : Math.min(limit, Math.floor(amplification * packet.length));
    const asking: Asking = { mostBytes, atSeconds, opt };
    const zone = 'key' in read && read.class === classes.IN ? zones.of(read.key) : undefined;
    const found = 'key' in read ? zone?.find(read.key) : undefined;
    if (!isProven) {
      const kind = found?.node.id ?? (zone === undefined ? kinds.error : kinds.negative);
      const allowed = limiter.allow(address, kind, clocks.steadyMs());
      if (allowed !== 'ANSWER') {
        this.counts.limited += 1;
        if (allowed === 'DROP') return undefined;
        this.counts.slipped += 1;
        return this.#slip(read, asking, ours !== undefined);
      }
    }
    if (!('key' in read)) {
      this.counts.malformed += 1;
      return this.#error(read, read.rcode, asking);
    }
    if (read.class === classes.CH && read.type === types.TXT && read.key === ageKey) return this.#age(read, asking);
    if (zone === undefined || refusedTypes.has(read.type)) {
      this.counts.refused += 1;
      return this.#error(read, rcodes.REFUSED, asking);
    }
    // RFC 4035 section 3.1.4.1: the parent zone answers DS questions at a zone's own name.
    const above = read.type === types.DS && read.key === zone.key ? zones.above(zone) : undefined;
    if (above !== undefined) return this.#write(above, undefined, read, delegationOf(zone, above), asking);
    const content = contentOf(found, read, address, this.#options.policies);
    return this.#write(zone, found, read, content, asking);
  }

  /** A real client comes back: over TCP, or with the cookie in the answer (RFC 7873 section 5.2.3). */
  #slip(read: Query | Faulty, asking: Asking, withCookie: boolean): Buffer {
    const opt = this.#begin(read, asking, 0);
    if (withCookie) {
      this.counts.badCookies += 1;
      return this.#writer.end({ rcode: rcodes.BADCOOKIE, authoritative: false }, opt);
    }
    this.#writer.truncate();
    return this.#writer.end({ rcode: rcodes.NOERROR, authoritative: false }, opt);
  }

  #error(read: Query | Faulty, rcode: number, asking: Asking): Buffer {
    const opt = this.#begin(read, asking, 0);
    return this.#writer.end({ rcode, authoritative: false }, opt);
  }

  #age(query: Query, asking: Asking): Buffer {
    const opt = this.#begin(query, asking, 0);
    const text = Buffer.from(this.#options.age(), 'latin1').subarray(0, 255);
    const set = { key: query.key, type: types.TXT, ttlSeconds: 0, data: [Buffer.from([text.length, ...text])] };
    this.#writer.add('answers', set, [], classes.CH);
    return this.#writer.end({ rcode: rcodes.NOERROR, authoritative: true }, opt);
  }

  #write(zone: Zone, found: Found | undefined, query: Query, content: Content, asking: Asking): Buffer {
    const scopeBits = 'scopeBits' in content ? content.scopeBits : 0;
    const opt = this.#begin(query, asking, scopeBits);
    const signs = zone.signer !== undefined && query.edns?.dnssec === true;
    const rcode = this.#fill(zone, found, query, content, asking.atSeconds, signs);
    if (this.#writer.isTruncated) this.counts.truncated += 1;
    return this.#writer.end({ rcode, authoritative: rcode !== rcodes.SERVFAIL }, opt);
  }

  /** Writes all sections. Returns the response code. */
  #fill(
    zone: Zone,
    found: Found | undefined,
    query: Query,
    content: Content,
    atSeconds: number,
    signs: boolean,
  ): number {
    const signed = (set: RecordSet) => (signs ? (zone.signer?.signaturesOf(set, atSeconds) ?? []) : []);
    const add = (section: 'answers' | 'authority', set: RecordSet) => this.#writer.add(section, set, signed(set));
    switch (content.kind) {
      case 'FAILURE':
        this.counts.failed += 1;
        return rcodes.SERVFAIL;
      case 'RECORDS': {
        this.counts.records += 1;
        const set = found?.isWildcard === true ? { ...content.set, key: query.key } : content.set;
        add('answers', set);
        return rcodes.NOERROR;
      }
      case 'NODATA':
      case 'NO_SUCH_NAME': {
        const exists = content.kind === 'NODATA';
        const has = exists ? content.has : undefined;
        if (signs && exists && query.type === types.NSEC) {
          this.counts.records += 1;
          add('answers', denialOf(query.key, content.has, zone.negativeSoa.ttlSeconds));
          return rcodes.NOERROR;
        }
        this.counts[exists ? 'nodata' : 'nxdomain'] += 1;
        if (add('authority', zone.negativeSoa) && signs)
          add('authority', denialOf(query.key, has, zone.negativeSoa.ttlSeconds));
        // RFC 9824 section 3.1 and 5.1: for validating clients the name exists, with only NXNAME.
        return exists || (signs && query.edns?.compact !== true) ? rcodes.NOERROR : rcodes.NXDOMAIN;
      }
    }
  }

  #begin(read: Query | Faulty, { mostBytes, opt }: Asking, scopeBits: number): Opt | undefined {
    const made = opt(scopeBits);
    const key = 'key' in read ? read.key : '';
    this.#writer.begin(read.packet, read.questionEnd, key, mostBytes, made);
    return made;
  }
}

/** The DS records of a zone in its parent zone. If it is unsigned: a denial with the NS records of the delegation. */
function delegationOf(zone: Zone, { head: { ttlSeconds } }: Zone): Content {
  const data = zone.delegationSigners();
  if (data.length === 0) return { kind: 'NODATA', has: [types.NS], scopeBits: 0 };
  return { kind: 'RECORDS', set: { key: zone.key, type: types.DS, ttlSeconds, data }, scopeBits: 0 };
}
