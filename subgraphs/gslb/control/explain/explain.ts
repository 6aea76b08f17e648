// Explains the selection of the answer for a client, now or at a past time, and reads the current answers of all our name servers. Uses the same
// function as the name servers (dns/policy/answer.ts), with the plan of that time.
import { answeringPlaces } from '../../../../dns/backends/backend.ts';
import { readBackend } from '../../../../dns/backends/backend-store.ts';
import { readZoneNamed } from '../../../../dns/backends/zone-store.ts';
import { type Explained, explain } from '../../../../dns/policy/answer.ts';
import {
  clientAddress,
  type GeoSource,
  noGeo,
  type PreparedMap,
  prepareClientMap,
} from '../../../../dns/policy/client.ts';
import type { NamePlan } from '../../../../dns/policy/plan.ts';
import { prepareName } from '../../../../dns/policy/prepare.ts';
import { placeOf } from '../../../../dns/servers/transport.ts';
import type { Sql } from '../../../../platform/database/database.ts';
import type { NameServerFacts } from '../../wire/dns-wire.ts';
import { planAt, planOfGeneration } from '../plans/plan-store.ts';
import { clientMapsNamed } from '../plans/zone-plans.ts';
import { readNameServers } from '../stores/name-server-store.ts';
import { nameOfFqdn, type PlannedName } from '../stores/name-store.ts';
import { changesAfter, isAnswered, readZonesNamed, type ZoneRow } from '../stores/zone-store.ts';

interface ExplainQuestion {
  /** Without a final dot, in lower case. */
  readonly fqdn: string;
  /** A, AAAA, CNAME or another. */
  readonly type: string;
  /** An address. */
  readonly client: string;
  /** Known prefix of a client subnet. Undefined if the whole address is known. */
  readonly clientBits?: number | undefined;
  /** Undefined for the present time. */
  readonly at?: Date;
  /** Locates clients. Default: no client has a location. */
  readonly geo?: GeoSource;
  /** 0 ≤ x < 1, for random steps. */
  readonly draw?: () => number;
}

export interface ServerAnswer {
  readonly name: string;
  /** Generation of the zone in the server's last report. Null if it reported none, or is not our server. */
  readonly zoneGeneration: number | null;
  /** Number of changes of the name that it lacks. */
  readonly behind: number;
  readonly heardAt: Date | null;
  /** Addresses where it listens. Empty if unknown. */
  readonly addresses: NameServerFacts['addresses'];
  /** Null if it has no data for the name, its plan is no longer stored, or it uses no plans. */
  readonly answer: Explained | null;
}

interface GslbExplanation {
  readonly gslbId: string;
  /** Generation of the name's plan. */
  readonly generation: number;
  /** The change of a verdict that caused it. Null for another cause, or for the current plan. */
  readonly flipId: string | null;
  readonly plan: NamePlan;
  readonly answer: Explained;
  /** Empty for a past time. */
  readonly servers: readonly ServerAnswer[];
}

export interface NameExplanation extends Omit<GslbExplanation, 'servers'> {
  readonly name: PlannedName;
}

type Asked = Omit<ExplainQuestion, 'fqdn'>;

/** Undefined if there is no such name, or it had no answer then, or that is no longer kept. Throws when the client is not an address. */
export async function gslbExplain(db: Sql, question: ExplainQuestion): Promise<GslbExplanation | undefined> {
  const name = await nameOfFqdn(db, question.fqdn);
  const explained = name && (await explainName(db, name, question));
  if (explained === undefined) return undefined;
  const servers = question.at === undefined ? await serversOfName(db, explained.name, question) : [];
  return { ...explained, servers };
}

/** Undefined if it had no answer then, or that is no longer kept. Throws when the client is not an address. */
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
  { id }: PlannedName,
  { type, client, clientBits, geo = noGeo, draw = Math.random }: Asked,
): Promise<(plan: NamePlan) => Explained> {
  const asked = { type, client: clientAddress(client, clientBits), geo, draw };
  const maps = await preparedMaps(db, [id]);
  return (plan) => explain(prepareName(plan, maps), asked);
}

/** Client maps by id, including the shared one. Skips those of other names, because a zone may have thousands of blocks. */
export async function preparedMaps(db: Sql, mapIds: readonly string[]): Promise<ReadonlyMap<string, PreparedMap>> {
  const maps = await clientMapsNamed(db, mapIds);
  return new Map(maps.map((map) => [map.mapId, prepareClientMap(map)]));
}

/** The answer of each of our name servers with its current data. For a zone at a backend: the backend's servers, including its secondaries. */
export async function serversOfName(db: Sql, name: PlannedName, asked: Asked): Promise<readonly ServerAnswer[]> {
  const zone = (await readZonesNamed(db, [name.zone])).get(name.zone);
  if (zone !== undefined && !isAnswered(zone)) return serversOfBackend(db, zone);
  const answerOf = await answering(db, name, asked);
  const answers: ServerAnswer[] = [];
  for (const { name: server, state, facts, heardAt } of await readNameServers(db)) {
    const has = state?.zones[`${name.zone}.`];
    const zoneGeneration = has?.history === zone?.history ? (has?.number ?? null) : null;
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

/** These servers have records and no plans. */
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
