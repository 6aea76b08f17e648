// PowerDNS through its HTTP API (documented for version 4.7). The API shows the database, and a DNS query shows what clients get.
// After a change a cache may return the old records for a whole TTL, about once in 80 changes. So the cache is flushed, and the
// server is queried until it returns the new records.
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { type NameRecord, recordTypes, sortedRecords } from '../records/record-set.ts';
import { ApiClient, type ApiClientOptions } from './api-client.ts';
import { changeWindow } from './change-window.ts';
import { DnsClient } from './dns-client.ts';
import { DnsError } from './dns-error.ts';
import { fenceName, fenceText, parseFence } from './fence.ts';
import type { PublishResult, RecordServer, WantedName, ZoneServer, ZoneWish } from './record-server.ts';
import { lookAt } from './rfc2136-server.ts';
import {
  endedBy,
  fenceOf,
  hasOurs,
  isAsWanted,
  isFenceOf,
  refuseTaken,
  type Seen,
  type SeenWithOthers,
} from './seen.ts';
import type { ServerPlace } from './transport.ts';

export interface PowerdnsOptions extends Omit<ApiClientOptions, 'headers' | 'sessions'> {
  readonly apiKey: string;
  /** Place where it answers queries. */
  readonly dns: ServerPlace;
}

const mostRounds = 5;
/** Pauses before further reads, in milliseconds. */
const readBackPausesMs = [5, 20, 50, 100, 200, 400, 800];
const fenceTtlSeconds = 0;
const ourTypes: ReadonlySet<string> = new Set(recordTypes);
/** Types that the server itself creates. */
const signatureTypes: ReadonlySet<string> = new Set(['RRSIG', 'NSEC', 'NSEC3']);
/** Refresh, retry and expire times, and the negative caching time (RFC 2308), in seconds. */
const soaTimes = '3600 600 604800 60';
const server = '/api/v1/servers/localhost';
/** Marks a zone whose NS records were given here by an administrator. An existing zone keeps its own. */
const nameServersKind = 'X-TIDEGATE-NAMESERVERS';

interface Rrset {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly contents: readonly string[];
}

export class PowerdnsServer implements RecordServer, ZoneServer {
  readonly name: string;
  readonly refusesLate = false;
  readonly #api: ApiClient;
  readonly #dns: DnsClient;

  constructor({ apiKey, dns, ...options }: PowerdnsOptions) {
    this.name = options.place.url;
    this.#api = new ApiClient({ ...options, headers: { 'x-api-key': apiKey } });
    this.#dns = new DnsClient({ place: dns, key: undefined, timeoutMs: options.timeoutMs, egress: options.egress });
  }

  close(): Promise<void> {
    return this.#api.close();
  }

  async check(zone: string, signal: AbortSignal): Promise<void> {
    await this.#api.call({ method: 'GET', path: `${pathOf(zone)}?rrsets=false` }, signal);
    await this.#dns.query({ name: zone, type: 6 }, signal);
  }

  async publish(wanted: WantedName, signal: AbortSignal): Promise<PublishResult> {
    const mayChange = changeWindow(wanted);
    for (let round = 1; round <= mostRounds; round += 1) {
      const seen = await this.#look(wanted, signal);
      const ended = endedBy(wanted, seen);
      if (ended !== undefined) return ended;
      if (isAsWanted(seen, wanted)) return this.#readBack(wanted, signal);
      refuseTaken(seen, wanted);
      const body = { rrsets: changesOf(seen, wanted) };
      // 422: somebody else changed the name since it was read.
      const reply = await this.#api.call(
        { method: 'PATCH', path: pathOf(wanted.zone), body, mayChange, allow: [422] },
        signal,
      );
      if (reply.status !== 422) return this.#readBack(wanted, signal);
    }
    throw new DnsError('CHANGED_MEANWHILE', `the name changed ${mostRounds} times while it was being published`);
  }

  async has(wanted: WantedName, signal: AbortSignal): Promise<boolean> {
    const [held, answered] = await Promise.all([this.#look(wanted, signal), lookAt(this.#dns, wanted.name, signal)]);
    return isAsWanted(held, wanted) && isAsWanted(answered, wanted);
  }

  async forget(wanted: WantedName, signal: AbortSignal): Promise<void> {
    const mayChange = changeWindow(wanted);
    const { fence } = await this.#look(wanted, signal);
    if (fence === undefined || !isFenceOf(fence, wanted)) return;
    const body = { rrsets: [removal(fenceName(wanted.name), 'TXT')] };
    await this.#api.call({ method: 'PATCH', path: pathOf(wanted.zone), body, mayChange }, signal);
  }

  async ensureZone(wish: ZoneWish, signal: AbortSignal): Promise<void> {
    const { zone, nameServers, isSigned, secondaries, transferKey } = wish;
    if (transferKey !== undefined) await this.#ensureKey(transferKey, signal);
    const isPrimary = secondaries.length > 0;
    const wanted = {
      kind: isPrimary ? 'Master' : 'Native',
      // Only needed for signed zones, because it reads the whole zone at each change.
      api_rectify: isSigned,
      ...{ soa_edit_api: 'INCREASE', dnssec: isSigned },
      master_tsig_key_ids: transferKey === undefined ? [] : [`${transferKey.name}.`],
    };
    const path = pathOf(zone);
    const there = await this.#api.call({ method: 'GET', path: `${path}?rrsets=false`, allow: [404] }, signal);
    if (there.status === 404) {
      const soa = `${nameServers[0] ?? zone}. hostmaster.${zone}. 1 ${soaTimes}`;
      const rrsets = [{ name: `${zone}.`, type: 'SOA', ttl: 3_600, records: [{ content: soa, disabled: false }] }];
      const body = { name: `${zone}.`, nameservers: nameServers.map((each) => `${each}.`), rrsets, ...wanted };
      // 409: another worker has just created it.
      await this.#api.call({ method: 'POST', path: `${server}/zones`, body, allow: [409] }, signal);
    }
    await this.#ensureNameServers(wish, signal);
    // PowerDNS ignores some of these fields when it creates a zone.
    await this.#api.call({ method: 'PUT', path, body: wanted }, signal);
    const told = { kind: 'ALSO-NOTIFY', metadata: [...secondaries] };
    await this.#api.call({ method: 'PUT', path: `${path}/metadata/ALSO-NOTIFY`, body: told }, signal);
    if (isSigned) await this.#api.call({ method: 'PUT', path: `${path}/rectify`, allow: [422] }, signal);
    if (isPrimary) await this.#notify(zone, signal);
  }

  async #ensureNameServers({ zone, nameServers }: ZoneWish, signal: AbortSignal): Promise<void> {
    const path = pathOf(zone);
    const known = (await this.#ask(zone, zone, signal)).find(({ type }) => type === 'NS');
    const contents = nameServers.map((each) => `${each}.`);
    const metadata = `${path}/metadata/${nameServersKind}`;
    if (known?.contents.toSorted().join() !== contents.toSorted().join()) {
      const { body } = await this.#api.call({ method: 'GET', path: metadata, allow: [404] }, signal);
      const isOurs = isObject(body) && Array.isArray(body.metadata) && body.metadata.length > 0;
      if (!isOurs) return;
      const records = contents.map((content) => ({ content, disabled: false }));
      const rrset = { name: `${zone}.`, type: 'NS', ttl: known?.ttl ?? 3_600, changetype: 'REPLACE', records };
      await this.#api.call({ method: 'PATCH', path, body: { rrsets: [rrset] } }, signal);
      await this.#api.call({ method: 'PUT', path: `${server}/cache/flush?domain=${zone}.` }, signal);
    }
    const body = { kind: nameServersKind, metadata: contents };
    await this.#api.call({ method: 'PUT', path: metadata, body }, signal);
  }

  async delegationSigners(zone: string, signal: AbortSignal): Promise<readonly string[]> {
    const { body } = await this.#api.call({ method: 'GET', path: `${pathOf(zone)}/cryptokeys` }, signal);
    const keys = Array.isArray(body) ? body.filter(isObject) : [];
    return keys.flatMap(({ ds }) => (Array.isArray(ds) ? ds.map(String) : []));
  }

  async #ensureKey({ name, algorithm, secret }: NonNullable<ZoneWish['transferKey']>, signal: AbortSignal) {
    const key = { name, algorithm, key: secret.toString('base64') };
    const path = `${server}/tsigkeys`;
    const made = await this.#api.call({ method: 'POST', path, body: key, allow: [409] }, signal);
    if (made.status === 409) await this.#api.call({ method: 'PUT', path: `${path}/${name}.`, body: key }, signal);
  }

  /** Notifies the secondaries at once. By itself the server does it once a minute. 422 if the zone has none. */
  async #notify(zone: string, signal: AbortSignal): Promise<void> {
    await this.#api.call({ method: 'PUT', path: `${pathOf(zone)}/notify`, allow: [422] }, signal);
  }

  async #readBack(wanted: WantedName, signal: AbortSignal): Promise<PublishResult> {
    for (const pauseMs of [0, ...readBackPausesMs]) {
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal });
      await this.#flush(wanted.name, signal);
      const seen = await lookAt(this.#dns, wanted.name, signal);
      if (isAsWanted(seen, wanted)) {
        await this.#notify(wanted.zone, signal);
        return { state: 'PUBLISHED' };
      }
      const generation = seen.fence?.generation ?? 0;
      if (seen.fence?.writer === wanted.writer && generation > wanted.generation)
        return { state: 'OVERTAKEN', generation };
    }
    throw new DnsError('NOT_AS_PUBLISHED', `it took the change of ${wanted.name}, but still answers something else`);
  }

  async #flush(name: string, signal: AbortSignal): Promise<void> {
    for (const each of [name, fenceName(name)])
      await this.#api.call({ method: 'PUT', path: `${server}/cache/flush?domain=${each}.` }, signal);
  }

  async #ask(zone: string, name: string, signal: AbortSignal): Promise<readonly Rrset[]> {
    const path = `${pathOf(zone)}?rrset_name=${name}.`;
    // Versions before 4.7 answer the whole zone.
    const { body } = await this.#api.call({ method: 'GET', path }, signal);
    return rrsetsOf(body).filter((each) => each.name === `${name}.`);
  }

  /** State in the server's database. */
  async #look({ zone, name }: WantedName, signal: AbortSignal): Promise<SeenWithOthers> {
    const [atName, atFence] = await Promise.all([
      this.#ask(zone, name, signal),
      this.#ask(zone, fenceName(name), signal),
    ]);
    const ours = atName.filter(({ type }) => ourTypes.has(type));
    const texts = atFence.filter(({ type }) => type === 'TXT').flatMap(({ contents }) => contents);
    return {
      fence: texts.flatMap((text) => parseFence(text.replaceAll('"', '')) ?? [])[0],
      records: sortedRecords(
        ours.flatMap(({ type, contents }) =>
          contents.map((value) => ({ type, value: type === 'CNAME' ? withoutDot(value) : value }) as NameRecord),
        ),
      ),
      ttls: new Set(ours.map(({ ttl }) => ttl)),
      others: atName.map(({ type }) => type).filter((type) => !ourTypes.has(type) && !signatureTypes.has(type)),
    };
  }
}

function changesOf(seen: Seen, wanted: WantedName): JsonObject[] {
  const { name, records, ttlSeconds } = wanted;
  const used = recordTypes.filter((type) => records.some((each) => each.type === type));
  const gone = hasOurs(seen, wanted) ? recordTypes.filter((type) => !used.includes(type)) : [];
  const contents = (type: string) =>
    records.filter((each) => each.type === type).map(({ value }) => (type === 'CNAME' ? `${value}.` : value));
  return [
    ...gone.map((type) => removal(name, type)),
    ...used.map((type) => replacement(name, type, ttlSeconds, contents(type))),
    replacement(fenceName(name), 'TXT', fenceTtlSeconds, [`"${fenceText(fenceOf(wanted))}"`]),
  ];
}

function removal(name: string, type: string): JsonObject {
  return { name: `${name}.`, type, changetype: 'DELETE' };
}

function replacement(name: string, type: string, ttl: number, contents: readonly string[]): JsonObject {
  const records = contents.map((content) => ({ content, disabled: false }));
  return { name: `${name}.`, type, ttl, changetype: 'REPLACE', records };
}

function rrsetsOf(body: JsonValue | undefined): readonly Rrset[] {
  const rrsets = isObject(body) ? body.rrsets : undefined;
  if (!Array.isArray(rrsets)) throw new DnsError('BAD_ANSWER', 'its answer has no record sets');
  return rrsets.filter(isObject).map(({ name, type, ttl, records }) => ({
    ...{ name: String(name), type: String(type), ttl: Number(ttl) },
    contents: (Array.isArray(records) ? records : [])
      .filter(isObject)
      .filter(({ disabled }) => disabled !== true)
      .map(({ content }) => String(content)),
  }));
}

function pathOf(zone: string): string {
  return `${server}/zones/${zone}.`;
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, '').toLowerCase();
}
