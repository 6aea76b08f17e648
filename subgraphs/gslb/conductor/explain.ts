// Why a client gets its answer, now or at a past moment, and what every name server of ours answers it now. By the one function that
// answers (dns/policy/answer.ts), from the plan that is or was wanted.
import { answeringPlaces } from '../../../dns/backends/backend.ts';
import { readBackend } from '../../../dns/backends/backend-store.ts';
import { readZoneNamed } from '../../../dns/backends/zone-store.ts';
import { type Explained, explain } from '../../../dns/policy/answer.ts';
import {
  clientAddress,
  type GeoSource,
  noGeo,
  type PreparedMap,
  prepareClientMap,
} from '../../../dns/policy/client.ts';
import type { NamePlan } from '../../../dns/policy/plan.ts';
import { prepareName } from '../../../dns/policy/prepare.ts';
import { placeOf } from '../../../dns/servers/transport.ts';
import type { Sql } from '../../../platform/database/database.ts';
import type { NameServerFacts } from '../wire/dns-wire.ts';
import { readNameServers } from './name-server-store.ts';
import { nameOfFqdn, type PlannedName } from './name-store.ts';
import { planAt, planOfGeneration } from './plan-store.ts';
import { clientMapsOf } from './zone-plans.ts';
import { changesAfter, isAnswered, readZonesNamed, type ZoneRow } from './zone-store.ts';

export interface ExplainQuestion {
  /** Without a final dot, in lower case. */
  readonly fqdn: string;
  /** A, AAAA, CNAME or another. */
  readonly type: string;
  /** An address. */
  readonly client: string;
  /** How much of it is known: the prefix of a client subnet; undefined: all. */
  readonly clientBits?: number | undefined;
  /** Undefined: now. */
  readonly at?: Date;
  /** Where clients are; default: nowhere. */
  readonly geo?: GeoSource;
  /** 0 ≤ x < 1, for steps that choose at random. */
  readonly draw?: () => number;
}

export interface ServerAnswer {
  readonly name: string;
  /** Of the zone, that it said last; null: it has not said one, or is nobody of ours. */
  readonly zoneGeneration: number | null;
  /** Changes of the name that it does not have yet. */
  readonly behind: number;
  readonly heardAt: Date | null;
  /** Where it listens; empty: that is not known. */
  readonly addresses: NameServerFacts['addresses'];
  /** Null: it has nothing of the name, its plan is no longer kept, or it has no plans. */
  readonly answer: Explained | null;
}

export interface GslbExplanation {
  readonly gslbId: string;
  /** Of the name's plan. */
  readonly generation: number;
  /** The change of a verdict that made it; null: another cause, or the plan of now. */
  readonly flipId: string | null;
  readonly plan: NamePlan;
  readonly answer: Explained;
  /** Empty for a past moment. */
  readonly servers: readonly ServerAnswer[];
}

export interface NameExplanation extends Omit<GslbExplanation, 'servers'> {
  readonly name: PlannedName;
}

type Asked = Omit<ExplainQuestion, 'fqdn'>;

/** Undefined: there is no such name, or it had no answer then, or that is no longer kept. Throws when the client is not an address. */
export async function gslbExplain(db: Sql, question: ExplainQuestion): Promise<GslbExplanation | undefined> {
  const name = await nameOfFqdn(db, question.fqdn);
  const explained = name && (await explainName(db, name, question));
  if (explained === undefined) return undefined;
  const servers = question.at === undefined ? await serversOfName(db, explained.name, question) : [];
  return { ...explained, servers };
}

/** Undefined: it had no answer then, or that is no longer kept. Throws when the client is not an address. */
export async function explainName(db: Sql, name: PlannedName, asked: Asked): Promise<NameExplanation | undefined> {
  const now = name.plan === null ? undefined : { plan: name.plan, generation: name.generation, flipId: null };
  const wanted = asked.at === undefined ? now : await planAt(db, name.id, asked.at);
  if (wanted === undefined) return undefined;
  const { plan, generation, flipId } = wanted;
  const answerOf = await answering(db, name, asked);
  return { name, gslbId: name.id, generation, flipId, plan, answer: answerOf(plan) };
}

async function answering(
  db: Sql,
  { zone }: PlannedName,
  { type, client, clientBits, geo = noGeo, draw = Math.random }: Asked,
): Promise<(plan: NamePlan) => Explained> {
  const asked = { type, client: clientAddress(client, clientBits), geo, draw };
  const maps = await preparedMaps(db, zone);
  return (plan) => explain(prepareName(plan, maps), asked);
}

/** Those of the zone's names. */
export async function preparedMaps(db: Sql, zone: string): Promise<ReadonlyMap<string, PreparedMap>> {
  return new Map((await clientMapsOf(db, zone)).map((map) => [map.mapId, prepareClientMap(map)]));
}

/** What each of our name servers answers by what it has; or the servers of the backend that answers the zone, with its secondaries. */
export async function serversOfName(db: Sql, name: PlannedName, asked: Asked): Promise<readonly ServerAnswer[]> {
  const zone = (await readZonesNamed(db, [name.zone])).get(name.zone);
  if (zone !== undefined && !isAnswered(zone)) return serversOfBackend(db, zone);
  const answerOf = await answering(db, name, asked);
  const answers: ServerAnswer[] = [];
  for (const { name: server, state, facts, heardAt } of await readNameServers(db)) {
    const zoneGeneration = state?.zones[`${name.zone}.`] ?? null;
    // Each change of a name is one generation of its plan.
    const behind =
      zoneGeneration === null ? 0 : await changesAfter(db, { zone: name.zone, gslbId: name.id, zoneGeneration });
    const plan =
      zoneGeneration === null
        ? null
        : behind === 0
          ? name.plan
          : await planOfGeneration(db, name.id, name.generation - behind);
    answers.push({
      ...{ name: server, zoneGeneration, behind, heardAt, addresses: facts?.addresses ?? [] },
      answer: plan === null ? null : answerOf(plan),
    });
  }
  return answers;
}

/** They have records, and no plans. */
async function serversOfBackend(db: Sql, { name, spec }: ZoneRow): Promise<readonly ServerAnswer[]> {
  const backend = (await readZoneNamed(db, name))?.backendId ?? null;
  const row = backend === null ? undefined : await readBackend(db, backend);
  if (row === undefined) return [];
  return [...answeringPlaces(row.spec), ...spec.secondaries].map((place) => {
    const at = placeOf(place);
    const addresses = at === undefined ? [] : [at];
    return { ...{ name: place, zoneGeneration: null, behind: 0, heardAt: null, addresses }, answer: null };
  });
}
