// Explains the selection of the answer for a client, to users who may see the name.

import { type Answer, answer } from '../../../../dns/policy/answer.ts';
import { clientAddress, type GeoSource } from '../../../../dns/policy/client.ts';
import { prepareName } from '../../../../dns/policy/prepare.ts';
import { nameOfPlace } from '../../../../dns/servers/transport.ts';
import type { QueryGslbExplainArgs, Resolvers } from '../../../../generated/graph/gslb.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { CodedError, quoted } from '../../../../platform/errors/errors.ts';
import { maySee } from '../../../../platform/input/authorise.ts';
import { blockBytes } from '../../../../platform/net/address-block.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { EntityReads } from '../entities/entity-reads.ts';
import { readFlip } from '../stores/history-store.ts';
import { nameAnswering, plansOf } from '../stores/name-store.ts';
import type { AnswerPreviews, PreviewedPlan } from './answer-previews.ts';
import type { Asked, ServerAsker, ServerQuestion, ShownAnswer } from './ask-servers.ts';
import { explainName, type NameExplanation, preparedMaps, type ServerAnswer, serversOfName } from './explain.ts';

interface ExplainDependencies {
  readonly db: Database;
  readonly reads: EntityReads;
  readonly asker: ServerAsker;
  /** Locates clients. */
  readonly geo: GeoSource;
  readonly previews: AnswerPreviews;
}

export interface ExplanationRow extends NameExplanation {
  readonly asked: ServerQuestion;
  readonly at: Date | null;
}

export interface ServerRow {
  readonly planned: ServerAnswer;
  readonly address: string | null;
  readonly answer: Asked;
}

export interface ExplainedMemberRow {
  readonly memberId: string;
  readonly reason: string | null;
}

/** With a final dot. */
const longestName = 254;
const mostServers = 32;
const label = /^(\*|[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)$/;

const plansById = Symbol('plans by name');
const mapsById = Symbol('maps of clients by id');

export function explainResolvers({ db, reads, asker, geo, previews }: ExplainDependencies): Resolvers {
  const readMaps = (ids: readonly string[]) => preparedMaps(db, ids);
  return {
    Query: {
      gslbExplain: async (_, args, context) => {
        const asked = questionOf(args);
        const at = pastMoment(args.at ?? null);
        const name = await nameAnswering(db, asked.name, at);
        if (name === undefined || !maySee(context.identity, name.projectId)) return null;
        const explained = await explainName(db, name, { ...asked, geo, ...(at === null ? {} : { at }) });
        return explained === undefined ? null : { ...explained, asked, at };
      },
      gslbPreview: (_, { change }, context) => previews.preview(context, change),
    },
    GslbPreviewedName: {
      before: ({ before }, asked) => previewedAnswer(before, asked, geo),
      after: ({ after }, asked) => previewedAnswer(after, asked, geo),
    },
    Gslb: {
      answer: async ({ id }, { type, client }, context) => {
        const plan = await loader(context, plansById, id, (ids) => plansOf(db, ids));
        if (plan === undefined) return null;
        const mapId = plan.clientMapId;
        const map = mapId === null ? undefined : await loader(context, mapsById, mapId, readMaps);
        const maps = new Map(mapId === null || map === undefined ? [] : [[mapId, map]]);
        return previewedAnswer({ plan, maps }, { type, client }, geo);
      },
    },
    GslbExplanation: {
      askedAt: ({ at }) => at,
      gslb: async ({ name }, _, context) => {
        const row = await reads.entity(context, 'Gslb', name.id);
        if (row === null) throw new Error(`the GSLB ${name.id} was read, and is not there`);
        return row;
      },
      flip: async ({ flipId }) => (flipId === null ? null : ((await readFlip(db, flipId)) ?? null)),
      answer: ({ answer }) => plannedAnswer(answer),
      steps: async ({ answer, plan }, _, context) => {
        // The plan has no names of pools, because name servers don't need them.
        const pools = await Promise.all(plan.pools.map(({ poolId }) => reads.entity(context, 'GslbPool', poolId)));
        const named = (reason: string) =>
          pools.reduce((text, pool) => (pool === null ? text : text.replace(pool.id, pool.name)), reason);
        return answer.trail.map((step) => ({
          ...step,
          left: step.left.map((each) => ({ ...each, reason: named(each.reason) })),
        }));
      },
      clientRegion: ({ answer }) => answer.client.region,
      clientCountry: ({ answer }) => answer.client.place?.country ?? null,
      clientContinent: ({ answer }) => answer.client.place?.continent ?? null,
      servers: async ({ name, asked, at }) => {
        if (at !== null) return [];
        const servers = (await serversOfName(db, name, { ...asked, geo })).slice(0, mostServers);
        const places = servers.map(({ addresses }) => addresses.find(({ address }) => !isEverywhere(address)));
        const answers = await asker.ask(places, asked);
        return servers.flatMap((planned, index): ServerRow[] => {
          const [place, answer] = [places[index], answers[index]];
          return answer === undefined ? [] : [{ ...{ planned, answer }, address: place ? nameOfPlace(place) : null }];
        });
      },
    },
    GslbExplainedStep: {
      kept: ({ kept }) => kept.map((memberId) => ({ memberId, reason: null })),
      left: ({ left }) => left,
    },
    GslbExplainedMember: {
      id: ({ memberId }) => encodeId('GslbPoolMember', memberId),
      member: async ({ memberId }, _, context) => {
        const row = await reads.entity(context, 'GslbPoolMember', memberId);
        return row?.deleted === true ? null : row;
      },
    },
    GslbServerAnswer: {
      name: ({ planned }) => planned.name,
      zoneGeneration: ({ planned }) => planned.zoneGeneration,
      behind: ({ planned }) => planned.behind,
      heardAt: ({ planned }) => planned.heardAt,
      planned: ({ planned }) => (planned.answer === null ? null : plannedAnswer(planned.answer)),
      answered: ({ answer }) => answer.answer,
      message: ({ answer }) => answer.error,
      latencyMs: ({ answer }) => answer.latencyMs,
    },
  };
}

/** Throws INVALID_INPUT. */
function questionOf({ name, type, client }: QueryGslbExplainArgs): ServerQuestion {
  const asked = name.toLowerCase().replace(/\.$/, '');
  if (name.length > longestName || !asked.split('.').every((each) => label.test(each)))
    throw new CodedError(
      'INVALID_INPUT',
      `name: ${quoted(name)} is not a name: labels of 1 to 63 letters, digits, underscores and inner hyphens, at most ${longestName} characters. Give an internationalised name in its ASCII form (xn--).`,
    );
  const { address, bits } = clientOf(client);
  return { name: asked, type: type ?? 'A', client: address, clientBits: bits };
}

function clientOf(block: string | null | undefined): { readonly address: string; readonly bits: number | undefined } {
  const told = block ?? '0.0.0.0/0';
  const [address = ''] = told.split('/');
  return { address, bits: blockBytes(told)?.prefix };
}

/** Throws INVALID_INPUT. */
function pastMoment(at: Date | null): Date | null {
  if (at !== null && at.getTime() > Date.now())
    throw new CodedError('INVALID_INPUT', `at: ${at.toISOString()} is not past; omit it to ask about now.`);
  return at;
}

/** The first of the possible answers, if the choice is random. */
function previewedAnswer(
  previewed: PreviewedPlan | null,
  { type, client }: { readonly type?: string | null | undefined; readonly client?: string | null | undefined },
  geo: GeoSource,
): ShownAnswer | null {
  if (previewed === null) return null;
  const { address, bits } = clientOf(client);
  const asked = { type: type ?? 'A', client: clientAddress(address, bits), geo, draw: () => 0 };
  return plannedAnswer(answer(prepareName(previewed.plan, previewed.maps), asked));
}

function plannedAnswer({ outcome, records, ttlSeconds, scopeBits }: Answer): ShownAnswer {
  return { outcome, scopeBits, records: records.map(({ type, data }) => ({ type, data, ttlSeconds })) };
}

function isEverywhere(address: string): boolean {
  return /^[0:.]+$/.test(address);
}
