// DNS backends for the graph, for administrators only. Their rows belong to dns/. This service knows which zones and flavors use
// one.
import { type BackendRow, placesOf } from '../../../../dns/backends/backend.ts';
import { type BackendInput, type CheckedBackend, checkBackend } from '../../../../dns/backends/backend-input.ts';
import { createBackend, removeBackend, updateBackend } from '../../../../dns/backends/backend-service.ts';
import {
  backendNamed,
  lockBackend,
  readBackend,
  readBackends,
  type SeenServer,
  serversOfEach,
} from '../../../../dns/backends/backend-store.ts';
import type { QueryDnsBackendArgs, QueryDnsBackendsArgs } from '../../../../generated/graph/gslb.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { always } from '../../../../platform/database/database.ts';
import type { Attempt, Effect, MutationOutcome } from '../../../../platform/edge/mutation.ts';
import { Refusal, refuse } from '../../../../platform/errors/errors.ts';
import { addFaults, givenFields } from '../../../../platform/graph/described/input.ts';
import { readSpec } from '../../../../platform/graph/described/spec.ts';
import { naturalKey } from '../../../../platform/graph/natural-key.ts';
import { adminCaller, caller, requireAdmin } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { refuseStale, refuseUnknown } from '../../../../platform/input/refusals.ts';
import type { Page } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import { dnsBackend } from '../../spec/dns-backend.ts';
import type { NamedInput, ServiceDependencies } from './entity-service.ts';
import { userOfBackend } from './use-store.ts';

type Dependencies = Pick<ServiceDependencies, 'db' | 'wake' | 'mutations' | 'egress' | 'sealer'>;
type Outcome = Promise<MutationOutcome<BackendRow>>;
type Credentials = Pick<BackendInput, 'credentials'>;
/** Settings under the graph's names. */
type Shown = Omit<BackendInput, 'credentials' | 'type'> & { readonly backendType: BackendInput['type'] };
type Named = CheckedBackend & { readonly name: string };

const backendList: ListTable = {
  ...{ table: 'dns_backend', name: 'name', shown: always },
  all: { name: 'dns_backend_list_idx', time: 'PRIMARY' },
};

const byId = Symbol('DNS backends by id');
const serversById = Symbol('servers by DNS backend');

export class DnsBackendService {
  readonly #dependencies: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** Finds a backend by UUID. Null unless the caller is an administrator. */
  async one(context: RequestContext, id: string): Promise<BackendRow | null> {
    if (context.identity?.admin !== true) return null;
    return (await loader(context, byId, id, (ids) => readBackends(this.#dependencies.db, ids))) ?? null;
  }

  async byGlobalId(context: RequestContext, globalId: string): Promise<BackendRow | null> {
    const id = decodeUuid('DnsBackend', globalId);
    return id === undefined ? null : this.one(context, id);
  }

  /** Finds a backend by global id or name. Throws INVALID_INPUT unless exactly one is given. */
  async byKey(context: RequestContext, args: Partial<QueryDnsBackendArgs>): Promise<BackendRow | null> {
    const key = naturalKey({ ...args });
    if ('id' in key) return this.byGlobalId(context, key.id);
    if (context.identity?.admin !== true) return null;
    const id = await backendNamed(this.#dependencies.db, key.name);
    return id === undefined ? null : this.one(context, id);
  }

  async page(context: RequestContext, args: Partial<QueryDnsBackendsArgs>): Promise<Page<BackendRow>> {
    adminCaller(context);
    const { db } = this.#dependencies;
    const filter: ListFilter = { ...args, orderBy: args.orderBy ?? 'NAME', projects: 'all' };
    return pageOfList(db, backendList, filter, (ids) => readBackends(db, ids));
  }

  async servers(context: RequestContext, { id, spec }: BackendRow): Promise<readonly SeenServer[]> {
    if (placesOf(spec).length === 0) return [];
    const { db } = this.#dependencies;
    const read = async (ids: readonly string[]) => serversOfEach(db, [...(await readBackends(db, ids)).values()]);
    return (await loader(context, serversById, id, read)) ?? [];
  }

  create(context: RequestContext, input: Credentials & { readonly idempotencyKey?: string | null }): Outcome {
    const { sealer } = this.#dependencies;
    return this.#run('Create', context, input, async ({ check }) => {
      const checked = this.#checked(check, givenFields(dnsBackend, input, check), input);
      return async (tx) => (await createBackend(tx, sealer, checked)).id;
    });
  }

  update(context: RequestContext, input: Credentials & NamedInput): Outcome {
    const { db } = this.#dependencies;
    return this.#run('Update', context, input, async ({ check }) => {
      const id = idOf(check, input);
      const given = givenFields(dnsBackend, input, check);
      const found = await readBackend(db, id);
      // A missing backend is refused in the transaction, because a repeated request must still get its first answer.
      if (found !== undefined) this.#checked(check, { ...backendSettings(found), ...given }, input);
      return async (tx) => {
        const row = (await lockBackend(tx, id)) ?? refuseUnknown('DnsBackend', 'id', input.id);
        refuseStale(input.expectedVersion, row);
        const checked = this.#checked(new InputCheck(), { ...backendSettings(row), ...given }, input);
        return (await updateBackend(tx, this.#dependencies, id, checked)).id;
      };
    });
  }

  delete(context: RequestContext, input: NamedInput): Outcome {
    return this.#run('Delete', context, input, async ({ check }) => {
      const id = idOf(check, input);
      return async (tx) => {
        const row = (await lockBackend(tx, id)) ?? refuseUnknown('DnsBackend', 'id', input.id);
        refuseStale(input.expectedVersion, row);
        const user = await userOfBackend(tx, id);
        if (user !== undefined)
          refuse('IN_USE', `${user} is at the backend ${row.name}: delete it first`, { field: ['input', 'id'] });
        await removeBackend(tx, id);
        return id;
      };
    });
  }

  #run<Input extends { readonly idempotencyKey?: string | null }>(
    verb: string,
    context: RequestContext,
    input: Input,
    prepare: (attempt: Attempt) => Promise<Effect>,
  ): Outcome {
    const { db, mutations } = this.#dependencies;
    return mutations.run({
      ...{ name: `dnsBackend${verb}`, context, input, subject: 'DnsBackend' },
      prepare: (attempt) => {
        requireAdmin(caller(context));
        return prepare(attempt);
      },
      read: (id) => readBackend(db, id),
    });
  }

  #checked(check: InputCheck, given: JsonObject, { credentials }: Credentials): Named {
    const read = readSpec(dnsBackend, given);
    if (!read.ok) addFaults(check, dnsBackend, given, read.faults);
    check.throwIfAny();
    if (!read.ok) throw new Refusal(check.errors);
    // The description in the graph matches BackendInput.
    const { backendType: type, ...rest } = read.spec as unknown as Shown;
    const settings = { ...rest, type };
    return {
      ...checkBackend({ ...settings, credentials: credentials ?? null }, this.#dependencies.egress),
      name: settings.name,
    };
  }
}

function idOf(check: InputCheck, input: NamedInput): string {
  const id = check.id('id', input.id, 'DnsBackend');
  check.throwIfAny();
  return id ?? '';
}

/** Settings as the graph shows them. */
export function backendSettings({ name, type, spec }: Pick<BackendRow, 'name' | 'type' | 'spec'>): JsonObject {
  const { type: _, ...rest } = spec;
  const own = withoutNulls(rest) as JsonObject;
  return {
    ...{ name, backendType: type, rfc2136: null, powerdns: null, designate: null },
    ...(type === 'ANSWERER' ? {} : { [type.toLowerCase()]: own }),
  };
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (member === null ? [] : [[name, withoutNulls(member)]])),
  );
}
