// Signs record sets of one zone on demand (RFC 4034 section 3), and caches the signatures by record set. Signatures are short-lived, because an
// outdated answer can be replayed until its signature ends.
import { type KeyObject, sign } from 'node:crypto';
import type { LRUCache } from 'lru-cache';
import type { DnssecKeyPlan } from '../../policy/plan.ts';
import { classes, types } from '../../wire/message.ts';
import { bytesOf, labelCount } from '../query/names.ts';
import type { RecordSet } from '../record-set.ts';
import { dnskeyData, privateKeyOf } from './keys.ts';

export interface KeptSignature {
  /** Data of RRSIG records, one for each active key. */
  readonly data: readonly Buffer[];
  /** The signatures may not be valid yet at an earlier time, by a clock that was set back. */
  readonly madeAtSeconds: number;
  readonly renewAtSeconds: number;
}

/** Shared by all zones, so that there is one bound. */
export type SignatureCache = LRUCache<string, KeptSignature>;

/** Clocks of resolvers may be slow, and ours fast. An early beginning makes no old answer valid, because only the end matters. */
const backDatedSeconds = 86_400;
const validSeconds = 2 * 86_400;
/** Keeps signatures from expiring in a resolver's cache. */
const renewedBeforeSeconds = 86_400;

interface SigningKey {
  readonly tag: number;
  readonly key: KeyObject;
}

let signers = 0;

export class ZoneSigner {
  /** Data of the DNSKEY records, including keys that do not sign yet, or no longer. */
  readonly keyData: readonly Buffer[];
  readonly #zone: Buffer;
  readonly #cache: SignatureCache;
  readonly #keySigning: readonly SigningKey[];
  readonly #zoneSigning: readonly SigningKey[];
  /** Prefix of its signatures in the cache. */
  readonly #prefix: string;

  /** Throws when a key can't be used, or none can sign. */
  constructor(zoneKey: string, keys: readonly DnssecKeyPlan[], cache: SignatureCache) {
    this.#zone = bytesOf(zoneKey);
    this.#cache = cache;
    this.#prefix = `${++signers} `;
    this.keyData = keys.map(({ flags, publicKey }) => dnskeyData(flags, Buffer.from(publicKey, 'base64')));
    const active = keys.filter((key) => key.active);
    const signing = (flags: number) =>
      active.filter((key) => key.flags === flags).map((plan) => ({ tag: plan.keyTag, key: privateKeyOf(plan) }));
    const [entry, plain] = [signing(257), signing(256)];
    // One key may have both tasks (RFC 6781 section 3.1).
    this.#keySigning = entry.length > 0 ? entry : plain;
    this.#zoneSigning = plain.length > 0 ? plain : entry;
    if (active.length === 0) throw new Error('no key is active');
  }

  /** The data of its RRSIG records. */
  signaturesOf(set: RecordSet, atSeconds: number): readonly Buffer[] {
    const data = set.data.length > 1 ? set.data.toSorted(Buffer.compare) : set.data;
    let name = `${this.#prefix}${set.type} ${set.ttlSeconds} ${set.key}`;
    for (const each of data) name += ` ${each.toString('latin1')}`;
    const kept = this.#cache.get(name);
    if (kept !== undefined && atSeconds >= kept.madeAtSeconds && atSeconds < kept.renewAtSeconds) return kept.data;
    const keys = set.type === types.DNSKEY ? this.#keySigning : this.#zoneSigning;
    const made = keys.map((key) => this.#sign(set, data, key, atSeconds));
    const renewAtSeconds = atSeconds + validSeconds - renewedBeforeSeconds;
    this.#cache.set(name, { data: made, madeAtSeconds: atSeconds, renewAtSeconds });
    return made;
  }

  #sign({ key: owner, type, ttlSeconds }: RecordSet, data: readonly Buffer[], key: SigningKey, atSeconds: number) {
    const fixed = Buffer.alloc(18);
    fixed.writeUInt16BE(type, 0);
    fixed[2] = 13;
    fixed[3] = labelCount(owner);
    fixed.writeUInt32BE(ttlSeconds, 4);
    fixed.writeUInt32BE((atSeconds + validSeconds) >>> 0, 8);
    fixed.writeUInt32BE((atSeconds - backDatedSeconds) >>> 0, 12);
    fixed.writeUInt16BE(key.tag, 16);
    // RFC 4034 section 3.1.8.1: the RRSIG's data without the signature, then the records in canonical form and order.
    const parts = [fixed, this.#zone];
    for (const each of data) {
      const numbers = Buffer.alloc(10);
      numbers.writeUInt16BE(type, 0);
      numbers.writeUInt16BE(classes.IN, 2);
      numbers.writeUInt32BE(ttlSeconds, 4);
      numbers.writeUInt16BE(each.length, 8);
      parts.push(bytesOf(owner), numbers, each);
    }
    // RFC 6605 section 4: both numbers, one after the other.
    const signature = sign('sha256', Buffer.concat(parts), { key: key.key, dsaEncoding: 'ieee-p1363' });
    return Buffer.concat([fixed, this.#zone, signature]);
  }
}
