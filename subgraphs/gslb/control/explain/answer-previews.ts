// Previews what DNS would answer after a change of a name, a pool or a member. The mutation's own code makes the change in a transaction that is
// rolled back; the same functions as after a commit evaluate members and plan names there.
import { type PreparedMap, prepareClientMap } from '../../../../dns/policy/client.ts';
import type { NamePlan } from '../../../../dns/policy/plan.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Sql } from '../../../../platform/database/database.ts';
import { type Attempt, type Effect, toUserErrors } from '../../../../platform/edge/mutation.ts';
import { checkNulls } from '../../../../platform/edge/update-nulls.ts';
import type { UserError } from '../../../../platform/errors/errors.ts';
import { maySee } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import type { EntityService } from '../entities/entity-service.ts';
import { plansOfNow } from '../plans/planning.ts';
import { regionsMap } from '../plans/zone-plans.ts';
import { namesOfPools, type PlannedName, projectsOfNames, readNames } from '../stores/name-store.ts';
import { type EvaluatedMember, poolOfMember } from '../stores/standing-store.ts';
import { readWatching } from '../verdicts/electorate.ts';
import { evaluateMember } from '../verdicts/member-evaluation.ts';

type PreviewedType = 'Gslb' | 'GslbPool' | 'GslbPoolMember';
type Prepares = Pick<EntityService<PreviewedType>, 'prepareCreate' | 'prepareUpdate' | 'prepareDelete'>;

interface PreviewOptions {
  readonly db: Database;
  readonly egress: EgressPolicy;
  readonly silenceMs: number;
  readonly freshMs: number;
  readonly services: Readonly<Record<PreviewedType, Prepares>>;
}

/** A plan with the maps of clients that its steps use. */
export interface PreviewedPlan {
  readonly plan: NamePlan;
  readonly maps: ReadonlyMap<string, PreparedMap>;
}

export interface PreviewedName {
  readonly fqdn: string;
  /** Null if it is not answered. */
  readonly before: PreviewedPlan | null;
  readonly after: PreviewedPlan | null;
}

interface AnswerPreview {
  readonly names: readonly PreviewedName[];
  readonly total: number;
  readonly userErrors: readonly UserError[];
}

interface Change {
  readonly type: PreviewedType;
  readonly verb: 'Create' | 'Update' | 'Delete';
  readonly input: { readonly id: string; readonly poolId?: string };
}

/** A pool may be used by many names. */
const mostNames = 20;

/** Rolls back the transaction of a preview. */
class RolledBack extends Error {
  readonly seen: Omit<AnswerPreview, 'userErrors'>;

  constructor(seen: Omit<AnswerPreview, 'userErrors'>) {
    super('a preview');
    this.seen = seen;
  }
}

export class AnswerPreviews {
  readonly #options: PreviewOptions;

  constructor(options: PreviewOptions) {
    this.#options = options;
  }

  async preview(context: RequestContext, change: object): Promise<AnswerPreview> {
    // Exactly one, because of @oneOf.
    const [mutation = '', input] = Object.entries(change)[0] ?? [];
    try {
      return { ...(await this.#carryOut(context, mutation, changeOf(mutation, input))), userErrors: [] };
    } catch (error) {
      const errors = toUserErrors(error);
      if (errors === undefined) throw error;
      const userErrors = errors.map((each) => ({ ...each, field: ['change', mutation, ...each.field.slice(1)] }));
      return { names: [], total: 0, userErrors };
    }
  }

  /** Leaves nothing behind: neither the change nor its audit entry, event or key. */
  async #carryOut(
    context: RequestContext,
    mutation: string,
    change: Change,
  ): Promise<Omit<AnswerPreview, 'userErrors'>> {
    const attempt: Attempt = {
      ...{ check: new InputCheck(), projectId: null, setting: null },
      madeIn: async () => undefined,
      inTurn: async () => undefined,
    };
    checkNulls(attempt.check, mutation, change.input);
    const effect = await this.#prepare(attempt, context, change);
    attempt.check.throwIfAny();
    try {
      return await this.#options.db.transaction(async (tx) => {
        const known = await namesBefore(tx, change);
        const seen = (await projectsOfNames(tx, known)).filter(({ projectId }) => maySee(context.identity, projectId));
        // Each has a map of up to a thousand client blocks, so only the maps of displayed names are read.
        const ids = seen.slice(0, mostNames).map((name) => name.id);
        const before = await answered(tx, await readNames(tx, ids));
        const id = await effect(tx);
        const shown = await readNames(tx, change.type === 'Gslb' ? [id] : ids);
        const plans = await plansOfNow(tx, shown, (members) => this.#evaluated(tx, members));
        const after = await answered(
          tx,
          shown.map((name) => ({ ...name, plan: plans.get(name.id) ?? null })),
        );
        const rows = shown.map((name) => ({
          ...{ fqdn: name.fqdn, before: before.get(name.id) ?? null, after: after.get(name.id) ?? null },
        }));
        throw new RolledBack({ names: rows, total: change.type === 'Gslb' ? rows.length : seen.length });
      });
    } catch (error) {
      if (error instanceof RolledBack) return error.seen;
      throw error;
    }
  }

  #prepare(attempt: Attempt, context: RequestContext, { type, verb, input }: Change): Promise<Effect> {
    return this.#options.services[type][`prepare${verb}`](attempt, context, input);
  }

  /** Evaluates by the present votes. A new member has none yet. */
  async #evaluated(sql: Sql, members: readonly EvaluatedMember[]): Promise<readonly EvaluatedMember[]> {
    if (members.length === 0) return [];
    const watching = await readWatching(sql, members, this.#options);
    return members.map((member) => ({ ...member, ...evaluateMember(watching, member).standing }));
  }
}

/** Splits `gslbPoolMemberCreate` into type and verb. */
function changeOf(mutation: string, input: unknown): Change {
  const [, stem = '', verb = ''] = /^(gslb\w*?)(Create|Update|Delete)$/.exec(mutation) ?? [];
  const type = `${stem.charAt(0).toUpperCase()}${stem.slice(1)}`;
  return { type, verb, input } as Change;
}

/** UUIDs of the names whose answers the change can affect. None for a new name, before it exists. */
async function namesBefore(sql: Sql, { type, verb, input }: Change): Promise<readonly string[]> {
  const uuid = decodeUuid(type, input.id ?? '');
  if (type === 'Gslb') return uuid === undefined || verb === 'Create' ? [] : [uuid];
  if (type === 'GslbPool') return uuid === undefined ? [] : namesOfPools(sql, [uuid]);
  if (verb === 'Create') {
    const pool = decodeUuid('GslbPool', input.poolId ?? '');
    return pool === undefined ? [] : namesOfPools(sql, [pool]);
  }
  return uuid === undefined ? [] : namesOfPools(sql, await poolOfMember(sql, uuid));
}

/** The answered names among these, by UUID. Leaves out the map of a new or changed name: it isn't stored yet, or is outdated. */
async function answered(sql: Sql, names: readonly PlannedName[]): Promise<ReadonlyMap<string, PreviewedPlan>> {
  const shared = await regionsMap(sql);
  return new Map(
    names.flatMap(({ id, plan, spec }) => {
      if (plan === null) return [];
      const own = { mapId: id, blocks: spec.clientBlocks, regions: shared.regions };
      const map = plan.clientMapId === id ? own : shared;
      return [[id, { plan, maps: new Map([[map.mapId, prepareClientMap(map)]]) }]];
    }),
  );
}
