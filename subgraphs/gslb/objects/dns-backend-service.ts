// DNS backends for the graph, administrators' alone. Their rows are dns/'s; which zones and flavors name one is ours to say.
import { type BackendRow, placesOf } from '../../../dns/backends/backend.ts';
import { type BackendInput, type CheckedBackend, checkBackend } from '../../../dns/backends/backend-input.ts';
import { createBackend, removeBackend, updateBackend } from '../../../dns/backends/backend-service.ts';
import {
  lockBackend,
  pageOfBackends,
  readBackend,
  readBackends,
  type SeenServer,
  serversSeen,
} from '../../../dns/backends/backend-store.ts';
import { adminCaller, caller, requireAdmin } from '../../../platform/authorise.ts';
import { Refusal, refuse } from '../../../platform/errors.ts';
import { type Page, type PageArguments, page, pageRequest } from '../../../platform/graph/connection.ts';
import { addFaults, givenFields } from '../../../platform/graph/described/input.ts';
import { readSpec } from '../../../platform/graph/described/spec.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import { InputCheck } from '../../../platform/input.ts';
import type { JsonObject } from '../../../platform/json.ts';
import type { Attempt, Effect, MutationOutcome } from '../../../platform/mutation.ts';
import { refuseStale, refuseUnknown } from '../../../platform/refusals.ts';
import { userOfBackend } from '../conductor/use-store.ts';
import { dnsBackend } from '../parts/dns-backend.ts';
import type { NamedInput, ServiceParts } from './object-service.ts';

type Parts = Pick<ServiceParts, 'db' | 'wake' | 'mutations' | 'egress' | 'sealer'>;
type Outcome = Promise<MutationOutcome<BackendRow>>;
type Credentials = Pick<BackendInput, 'credentials'>;
type Named = CheckedBackend & { readonly name: string };

const byId = Symbol('DNS backends by id');

export class DnsBackendService {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** By UUID; null for others than administrators. */
  async one(context: RequestContext, id: string): Promise<BackendRow | null> {
    if (context.identity?.admin !== true) return null;
    return (await loader(context, byId, id, (ids) => readBackends(this.#parts.db, ids))) ?? null;
  }

  async byGlobalId(context: RequestContext, globalId: string): Promise<BackendRow | null> {
    const id = decodeUuid('DnsBackend', globalId);
    return id === undefined ? null : this.one(context, id);
  }

  /** In the order of their names. */
  async page(context: RequestContext, args: PageArguments): Promise<Page<BackendRow>> {
    adminCaller(context);
    const { first, take, after } = pageRequest(args);
    return page(await pageOfBackends(this.#parts.db, after?.[0] ?? '', take), first, ({ name }) => [name]);
  }

  servers(row: BackendRow): Promise<readonly SeenServer[]> {
    return placesOf(row.spec).length === 0 ? Promise.resolve([]) : serversSeen(this.#parts.db, row);
  }

  create(context: RequestContext, input: Credentials & { readonly idempotencyKey?: string | null }): Outcome {
    const { sealer } = this.#parts;
    return this.#run('Create', context, input, async ({ check }) => {
      const checked = this.#checked(check, givenFields(dnsBackend, input, check), input);
      return async (tx) => (await createBackend(tx, sealer, checked)).id;
    });
  }

  update(context: RequestContext, input: Credentials & NamedInput): Outcome {
    const { db } = this.#parts;
    return this.#run('Update', context, input, async ({ check }) => {
      const id = idOf(check, input);
      const given = givenFields(dnsBackend, input, check);
      const found = await readBackend(db, id);
      // One that is gone is refused in the transaction: a repeated request still gets its first answer.
      if (found !== undefined) this.#checked(check, { ...backendSettings(found), ...given }, input);
      return async (tx) => {
        const row = (await lockBackend(tx, id)) ?? refuseUnknown('DnsBackend', 'id', input.id);
        refuseStale(input.expectedVersion, row.version);
        const checked = this.#checked(new InputCheck(), { ...backendSettings(row), ...given }, input);
        return (await updateBackend(tx, this.#parts, id, checked)).id;
      };
    });
  }

  delete(context: RequestContext, input: NamedInput): Outcome {
    return this.#run('Delete', context, input, async ({ check }) => {
      const id = idOf(check, input);
      return async (tx) => {
        const row = (await lockBackend(tx, id)) ?? refuseUnknown('DnsBackend', 'id', input.id);
        refuseStale(input.expectedVersion, row.version);
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
    const { db, mutations } = this.#parts;
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
    // The graph's description is that of BackendInput.
    const settings = read.spec as unknown as Omit<BackendInput, 'credentials'>;
    return {
      ...checkBackend({ ...settings, credentials: credentials ?? null }, this.#parts.egress),
      name: settings.name,
    };
  }
}

function idOf(check: InputCheck, input: NamedInput): string {
  const id = check.id('id', input.id, 'DnsBackend');
  check.throwIfAny();
  return id ?? '';
}

/** As the graph describes them. */
export function backendSettings({ name, type, spec }: Pick<BackendRow, 'name' | 'type' | 'spec'>): JsonObject {
  const { type: _, ...rest } = spec;
  const own = withoutNulls(rest) as JsonObject;
  return {
    ...{ name, type, rfc2136: null, powerdns: null, designate: null },
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
