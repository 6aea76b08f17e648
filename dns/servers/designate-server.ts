// OpenStack Designate, API version 2: zones and record sets, with Keystone for logins. Designate changes one record set per
// request, asynchronously. So the fence is written before the records, and each change waits until Designate reports that its
// name servers have it.
import { setTimeout as sleep } from 'node:timers/promises';
import { logInAtKeystone } from '../../platform/openstack/keystone.ts';
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { type NameRecord, recordTypes, sortedRecords } from '../records/record-set.ts';
import { ApiClient, type ApiClientOptions, type ApiPlace } from './api-client.ts';
import { changeWindow } from './change-window.ts';
import { DnsError } from './dns-error.ts';
import { fenceName, fenceText, parseFence } from './fence.ts';
import type { PublishResult, RecordServer, WantedName, ZoneServer, ZoneWish } from './record-server.ts';
import { endedBy, fenceOf, hasOurs, isAsWanted, isFenceOf, refuseTaken, type SeenWithOthers } from './seen.ts';

export interface DesignateOptions extends ApiPlace, Pick<ApiClientOptions, 'egress' | 'timeoutMs'> {
  /** Keystone with its version. */
  readonly authUrl: string;
  readonly username: string;
  readonly password: string;
  readonly project: string;
  readonly userDomain: string;
  readonly projectDomain: string;
}

/** A record set in Designate's API. */
interface Recordset {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** Null for the zone's TTL. */
  readonly ttl: number | null;
  readonly records: readonly string[];
  readonly status: string;
}

interface Found extends SeenWithOthers {
  readonly recordsets: readonly Recordset[];
  readonly fenceSet: Recordset | undefined;
}

const mostRounds = 5;
/** Designate takes about a second for a change, and 5 to 15 s when a NOTIFY is lost. */
const pollMs = 100;
/** Number of record sets. A name has fewer. */
const pageLength = 20;
const mostPages = 50;
const settleMs = 15_000;
/** Designate refuses 0. */
const fenceTtlSeconds = 1;
const hostmaster = 'hostmaster';
const ourTypes: ReadonlySet<string> = new Set(recordTypes);

export class DesignateServer implements RecordServer, ZoneServer {
  readonly name: string;
  readonly refusesLate = false;
  readonly #api: ApiClient;
  /** Ids by zone. */
  readonly #zones = new Map<string, string>();

  constructor({ url, certificateSha256, caCertificates, egress, timeoutMs, ...account }: DesignateOptions) {
    this.name = url;
    this.#api = new ApiClient({
      ...{ place: { url, certificateSha256, caCertificates }, others: [account.authUrl], egress, timeoutMs },
      sessions: {
        open: (exchange) => logInAtKeystone(exchange, account),
        // keystonemiddleware answers before Designate sees the call.
        refusedSession: ({ status }) => status === 401,
      },
    });
  }

  close(): Promise<void> {
    return this.#api.close();
  }

  async check(zone: string, signal: AbortSignal): Promise<void> {
    this.#zones.delete(zone);
    await this.#zoneId(zone, signal);
  }

  async publish(wanted: WantedName, signal: AbortSignal): Promise<PublishResult> {
    const mayChange = changeWindow(wanted);
    for (let round = 1; round <= mostRounds; round += 1) {
      const seen = await this.#look(wanted, signal);
      const ended = endedBy(wanted, seen);
      if (ended !== undefined) return ended;
      if (isAsWanted(seen, wanted)) return this.#settled(wanted, { removed: true }, signal);
      refuseTaken(seen, wanted);
      // Its servers apply changes in order: when they have the last written records, they have also applied the earlier removals.
      if (await this.#change(seen, wanted, mayChange, signal))
        return this.#settled(wanted, { removed: wanted.records.length === 0 }, signal);
    }
    throw new DnsError('CHANGED_MEANWHILE', `the name changed ${mostRounds} times while it was being published`);
  }

  async has(wanted: WantedName, signal: AbortSignal): Promise<boolean> {
    return isAsWanted(await this.#look(wanted, signal), wanted);
  }

  async forget(wanted: WantedName, signal: AbortSignal): Promise<void> {
    const mayChange = changeWindow(wanted);
    const { fence, fenceSet } = await this.#look(wanted, signal);
    if (fence === undefined || fenceSet === undefined || !isFenceOf(fence, wanted)) return;
    await this.#remove(wanted.zone, fenceSet, mayChange, signal);
    for (let leftMs = settleMs; leftMs > 0; leftMs -= pollMs) {
      if (await this.#isSettled(wanted.zone, signal)) return;
      await sleep(pollMs, undefined, { signal });
    }
    throw notAnswered(wanted);
  }

  /** The name servers, signing and transfers are set by Designate's pool. */
  async ensureZone({ zone }: ZoneWish, signal: AbortSignal): Promise<void> {
    const body = { name: `${zone}.`, email: `${hostmaster}@${zone}`, type: 'PRIMARY' };
    // 409 if it exists.
    await this.#api.call({ method: 'POST', path: '/v2/zones', body, allow: [409] }, signal);
    await this.#zoneId(zone, signal);
  }

  async delegationSigners(): Promise<readonly string[]> {
    return [];
  }

  /** False if somebody else changed the name in the meantime. */
  async #change(seen: Found, wanted: WantedName, mayChange: () => boolean, signal: AbortSignal): Promise<boolean> {
    const { zone, name, records, ttlSeconds } = wanted;
    const used = recordTypes.filter((type) => records.some((each) => each.type === type));
    const gone = hasOurs(seen, wanted)
      ? seen.recordsets.filter(({ type }) => ourTypes.has(type) && !used.some((each) => each === type))
      : [];
    const steps = [
      // The fence first, so that a later writer with an older generation sees it.
      () =>
        this.#put(
          { zone, known: seen.fenceSet, name: fenceName(name), type: 'TXT', ttl: fenceTtlSeconds },
          [`"${fenceText(fenceOf(wanted))}"`],
          mayChange,
          signal,
        ),
      ...gone.map((each) => () => this.#remove(zone, each, mayChange, signal)),
      // An alias and addresses exclude each other there until what is removed is gone.
      () => this.#untilGone(wanted, gone, signal),
      ...used.map((type) => () => {
        const known = seen.recordsets.find((each) => each.type === type);
        const values = records.filter((each) => each.type === type).map(({ value }) => value);
        const texts = type === 'CNAME' ? values.map((value) => `${value}.`) : values;
        return this.#put({ zone, known, name, type, ttl: ttlSeconds }, texts, mayChange, signal);
      }),
    ];
    for (const step of steps) if (!(await step())) return false;
    return true;
  }

  async #put(
    at: {
      readonly zone: string;
      readonly known: Recordset | undefined;
      readonly name: string;
      readonly type: string;
      readonly ttl: number;
    },
    records: readonly string[],
    mayChange: () => boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { zone, known, name, type, ttl } = at;
    const path = `/v2/zones/${await this.#zoneId(zone, signal)}/recordsets`;
    const content = { ttl, records: [...records] };
    // 404 and 409 mean that it was removed or created since it was read.
    const reply =
      known === undefined
        ? await this.#api.call(
            { method: 'POST', path, body: { name: `${name}.`, type, ...content }, mayChange, allow: [409] },
            signal,
          )
        : await this.#api.call(
            { method: 'PUT', path: `${path}/${known.id}`, body: content, mayChange, allow: [404, 409] },
            signal,
          );
    return reply.status < 300;
  }

  async #remove(zone: string, { id }: Recordset, mayChange: () => boolean, signal: AbortSignal): Promise<boolean> {
    const path = `/v2/zones/${await this.#zoneId(zone, signal)}/recordsets/${id}`;
    const { status } = await this.#api.call({ method: 'DELETE', path, mayChange, allow: [404] }, signal);
    return status < 300;
  }

  /** False if the records are still there after a long time. */
  async #untilGone(wanted: WantedName, gone: readonly Recordset[], signal: AbortSignal): Promise<boolean> {
    if (gone.length === 0) return true;
    for (let leftMs = settleMs; leftMs > 0; leftMs -= pollMs) {
      const { recordsets, fenceSet } = await this.#look(wanted, signal);
      const left = new Set([...recordsets.map(({ id }) => id), fenceSet?.id]);
      if (!gone.some(({ id }) => left.has(id))) return true;
      await sleep(pollMs, undefined, { signal });
    }
    return false;
  }

  /**
   * Waits until the name servers have the change. Designate reports this for each existing record set, and for `removed` ones
   * only for the whole zone.
   */
  async #settled(wanted: WantedName, { removed }: { readonly removed: boolean }, signal: AbortSignal) {
    for (let leftMs = settleMs; leftMs > 0; leftMs -= pollMs) {
      const seen = await this.#look(wanted, signal);
      const { fence } = seen;
      if (fence?.writer === wanted.writer && fence.generation > wanted.generation)
        return { state: 'OVERTAKEN', generation: fence.generation } as const;
      const all = [...seen.recordsets, ...(seen.fenceSet === undefined ? [] : [seen.fenceSet])];
      const failed = all.find(({ status }) => status === 'ERROR');
      if (failed !== undefined)
        throw new DnsError(
          'SERVER_FAILURE',
          `Designate could not hand ${failed.type} of ${wanted.name} to its servers`,
        );
      const isThere = all.every(({ status }) => status === 'ACTIVE') && isAsWanted(seen, wanted);
      if (isThere && (!removed || (await this.#isSettled(wanted.zone, signal)))) return { state: 'PUBLISHED' } as const;
      await sleep(pollMs, undefined, { signal });
    }
    throw notAnswered(wanted);
  }

  /** Whether its servers have all changes of the zone. Designate hides record sets that it is still deleting. */
  async #isSettled(zone: string, signal: AbortSignal): Promise<boolean> {
    const path = `/v2/zones/${await this.#zoneId(zone, signal)}`;
    const { body } = await this.#call(zone, { method: 'GET', path }, signal);
    return isObject(body) && body.status === 'ACTIVE';
  }

  async #look({ zone, name }: WantedName, signal: AbortSignal): Promise<Found> {
    const path = `/v2/zones/${await this.#zoneId(zone, signal)}/recordsets`;
    const ask = async (asked: string) => {
      const all: Recordset[] = [];
      let marker = '';
      for (let pages = 1; pages <= mostPages; pages += 1) {
        const query = `name=${asked}.&sort_key=name&limit=${pageLength}${marker}`;
        const answer = await this.#call(zone, { method: 'GET', path: `${path}?${query}` }, signal);
        const page = recordsetsOf(answer.body);
        all.push(...page.filter((each) => each.name === `${asked}.`));
        const last = page[page.length - 1];
        // There `*` stands for any text, and sorts before every other beginning of a name.
        if (page.length < pageLength || last?.name.startsWith('*') !== true) return all;
        marker = `&marker=${last.id}`;
      }
      throw new DnsError('BAD_ANSWER', `it has more than ${mostPages * pageLength} wildcards below ${asked}`);
    };
    const [recordsets, fences] = await Promise.all([ask(name), ask(fenceName(name))]);
    const fenceSet = fences.find(({ type }) => type === 'TXT');
    const ours = recordsets.filter(({ type }) => ourTypes.has(type));
    return {
      ...{ recordsets, fenceSet },
      fence: fenceSet?.records.flatMap((text) => parseFence(text.replaceAll('"', '')) ?? [])[0],
      records: sortedRecords(
        ours.flatMap(({ type, records }) =>
          records.map((value) => ({ type, value: type === 'CNAME' ? value.replace(/\.$/, '') : value }) as NameRecord),
        ),
      ),
      ttls: new Set(ours.map(({ ttl }) => ttl ?? -1)),
      others: recordsets.map(({ type }) => type).filter((type) => !ourTypes.has(type)),
    };
  }

  /** A zone that was made again has another id. */
  async #call(zone: string, call: Parameters<ApiClient['call']>[0], signal: AbortSignal) {
    try {
      return await this.#api.call(call, signal);
    } catch (error) {
      if (error instanceof DnsError && error.code === 'NOT_AUTHORITATIVE') this.#zones.delete(zone);
      throw error;
    }
  }

  async #zoneId(zone: string, signal: AbortSignal): Promise<string> {
    const known = this.#zones.get(zone);
    if (known !== undefined) return known;
    const { body } = await this.#api.call({ method: 'GET', path: `/v2/zones?name=${zone}.` }, signal);
    const [found] = listIn(body, 'zones');
    if (typeof found?.id !== 'string') throw new DnsError('NOT_AUTHORITATIVE', `it does not have the zone ${zone}`);
    this.#zones.set(zone, found.id);
    return found.id;
  }
}

function notAnswered({ name }: WantedName): DnsError {
  return new DnsError('NOT_AS_PUBLISHED', `it took the change of ${name}, but its servers still lack it`);
}

function recordsetsOf(body: JsonValue | undefined): readonly Recordset[] {
  return listIn(body, 'recordsets').map(({ id, name, type, ttl, records, status }) => ({
    ...{ id: String(id), name: String(name), type: String(type), status: String(status) },
    ttl: typeof ttl === 'number' ? ttl : null,
    records: Array.isArray(records) ? records.map(String) : [],
  }));
}

function listIn(body: JsonValue | undefined, field: string): readonly JsonObject[] {
  const list = isObject(body) ? body[field] : undefined;
  if (!Array.isArray(list)) throw new DnsError('BAD_ANSWER', `its answer has no ${field}`);
  return list.filter(isObject);
}
