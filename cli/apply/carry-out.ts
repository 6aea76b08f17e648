// Carries out the steps of a plan: the steps of one object in order, several objects of a kind at once, and one kind after the other. A refusal
// affects one step and those that need its result. A lost server affects all steps that follow. An interrupted run can be repeated.
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalJson, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { isSecretName } from '../../platform/values/secret-names.ts';
import { allAtOnce, mostAtOnce } from '../at-once.ts';
import { CommandFailure, Interruption } from '../failures.ts';
import { type GraphClient, GraphFailure, type Manner } from '../graph-client.ts';
import { hideSecrets } from '../secrets.ts';
import { type AppliedPayload, graphqlDocumentOf } from './mutations.ts';
import { isWhole } from './owned.ts';
import { awaited, groupsOf, type Request, type Step, stepKey } from './step.ts';

type Result =
  | 'CREATED'
  | 'UPDATED'
  | 'DELETED'
  | 'DISABLED'
  | 'RESET'
  | 'STAYS'
  | 'UNCHANGED'
  | 'WOULD_CREATE'
  | 'WOULD_UPDATE'
  | 'WOULD_DELETE'
  | 'WOULD_DISABLE'
  | 'WOULD_RESET'
  /** The server refused it. */
  | 'REFUSED'
  /** The connection was lost. The next run shows whether the step was carried out. */
  | 'NO_ANSWER'
  | 'NOT_DONE';

export interface StepResult {
  readonly step: Step;
  readonly result: Result;
  readonly line: number;
  readonly id: string | null;
  readonly message: string | null;
  /** The server could not be asked in a dry run. */
  readonly isNotAsked?: true;
}

export interface Outcome {
  /** In the order of the steps. */
  readonly results: readonly StepResult[];
  /** The reason why the server did not answer. */
  readonly lost: CommandFailure | undefined;
  /** Commit of the last write. */
  readonly commit: AppliedPayload['commit'];
}

interface CarryOutOptions {
  /** Source of whole objects. */
  readonly source?: string | undefined;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, of: number) => void;
}

const done = {
  create: 'CREATED',
  update: 'UPDATED',
  delete: 'DELETED',
  disable: 'DISABLED',
  reset: 'RESET',
  keep: 'STAYS',
  nothing: 'UNCHANGED',
} as const;
const would = {
  create: 'WOULD_CREATE',
  update: 'WOULD_UPDATE',
  delete: 'WOULD_DELETE',
  disable: 'WOULD_DISABLE',
  reset: 'WOULD_RESET',
  keep: 'STAYS',
  nothing: 'UNCHANGED',
} as const;
/** Up to this many objects of a kind are created one by one, so that a lost server leaves only one of them unknown. */
const fewObjects = 20;
/**
 * Number of times that an object may have been created from the same file and deleted while its keys were kept. A further creation gets a new key.
 */
const mostKeys = 50;
/** The server was overloaded, and did nothing. */
const laterCodes: ReadonlySet<string | undefined> = new Set(['BUSY', 'IN_PROGRESS', 'RATE_LIMITED']);
/** The server refused the request before it did anything, for example because of a number that isn't whole, or too many parts. */
const refusalCodes: ReadonlySet<string | undefined> = new Set([
  ...['GRAPHQL_VALIDATION_FAILED', 'INVALID_INPUT', 'LIMIT_EXCEEDED', 'FORBIDDEN'],
]);
const pausesMs = [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000];

/** Whether another step may be accepted nevertheless. */
export function isRefusal(error: unknown): boolean {
  return error instanceof GraphFailure && refusalCodes.has(error.code);
}

/** A step in the words of a dry run. */
export function foreseen(step: Step): StepResult {
  return { step, result: would[step.action], line: step.line, id: step.id, message: step.note ?? null };
}

export async function carryOut(
  client: GraphClient,
  steps: readonly Step[],
  options: CarryOutOptions = {},
): Promise<Outcome> {
  const run = new Run(client, steps.length, options);
  for (const ofOneKind of groupsOf(steps)) {
    const width = ofOneKind.length > fewObjects ? mostAtOnce : 1;
    await allAtOnce(ofOneKind, (ofOneObject) => run.carryOut(ofOneObject), width);
  }
  return run.outcome(steps);
}

/** Deletions follow only if all other steps succeeded, so that replacements exist first. */
export async function carryOutAll(
  client: GraphClient,
  { changes, deletions }: { readonly changes: readonly Step[]; readonly deletions: readonly Step[] },
  options: CarryOutOptions,
): Promise<Outcome> {
  const changed = await carryOut(client, changes, options);
  const isSound = changed.results.every(({ result }) => !['REFUSED', 'NO_ANSWER', 'NOT_DONE'].includes(result));
  if (!isSound) {
    const message = 'something before it was not done';
    const kept = deletions.map(
      (step): StepResult =>
        step.request === undefined ? foreseen(step) : { ...foreseen(step), result: 'NOT_DONE', message },
    );
    return { ...changed, results: [...changed.results, ...kept] };
  }
  const { results, lost, commit } = await carryOut(client, deletions, options);
  return { results: [...changed.results, ...results], lost, commit: commit ?? changed.commit };
}

class Run {
  readonly #client: GraphClient;
  readonly #count: number;
  readonly #options: CarryOutOptions;
  readonly #results = new Map<Step, StepResult>();
  /** Keyed by the step that creates the object. Null if it was not created. */
  readonly #ids = new Map<string, string | null>();
  /** Objects whose steps have begun. */
  readonly #begun = new Map<string, Promise<void>>();
  #lost: CommandFailure | undefined;
  #commit: AppliedPayload['commit'] = null;

  constructor(client: GraphClient, count: number, options: CarryOutOptions) {
    this.#client = client;
    this.#count = count;
    this.#options = options;
  }

  /** Carries out all steps of one object, in order. */
  async carryOut(steps: readonly Step[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const keys = new Set(steps.map(stepKey));
    for (const key of keys) this.#begun.set(key, promise);
    try {
      for (const step of steps) {
        this.#results.set(step, await this.#carryOutOne(step, keys));
        this.#options.onProgress?.(this.#results.size, this.#count);
      }
    } finally {
      resolve();
    }
  }

  outcome(steps: readonly Step[]): Outcome {
    const results = steps.flatMap((step) => this.#results.get(step) ?? []);
    return { results, lost: this.#lost, commit: this.#commit };
  }

  /** `own`: keys of the steps of the same object. */
  async #carryOutOne(step: Step, own: ReadonlySet<string>): Promise<StepResult> {
    const { request, secrets } = step;
    const key = stepKey(step);
    if (step.id !== null) this.#ids.set(key, step.id);
    const told = (result: Result, message: string | null, more: Partial<StepResult> = {}): StepResult => ({
      ...{ step, result, line: step.line, id: step.id, message, ...more },
    });
    if (request === undefined) return foreseen(step);
    if (this.#lost !== undefined) return told('NOT_DONE', null);
    for (const needed of awaitedIn(request.input)) {
      // Objects that were begun before do not depend on this one.
      if (!own.has(needed)) await this.#begun.get(needed);
      if ((this.#ids.get(needed) ?? null) === null) return told('NOT_DONE', `it needs ${needed}, which was not made`);
    }
    if (this.#lost !== undefined) return told('NOT_DONE', null);
    try {
      const input = filled(request.input, this.#ids) as JsonObject;
      const payload = await this.#send(step, request, input);
      const [error] = payload.userErrors;
      if (error !== undefined) {
        const text = payload.userErrors.map(({ code, message }) => `${code}: ${message}`).join('; ');
        return told('REFUSED', hideSecrets(text, secrets), { line: step.lineOf(error.field.slice(1)) });
      }
      this.#commit = payload.commit ?? this.#commit;
      const id = step.id ?? payload.made?.id ?? null;
      if (id !== null) this.#ids.set(key, id);
      return told(done[step.action], step.action === 'update' ? (step.note ?? null) : null, { id });
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      if (isRefusal(error)) return told('REFUSED', hideSecrets(error.message, secrets));
      const isInterrupted = error instanceof Interruption;
      this.#lost ??= isInterrupted ? error : new CommandFailure(hideSecrets(error.message, secrets), error.exitCode);
      return told('NO_ANSWER', this.#lost.message);
    }
  }

  /**
   * The key is derived from the content, so that a repetition is recognised. An object that was created from the same content, and deleted or renamed
   * since, has used its key, so the next one is taken.
   */
  async #send(step: Step, request: Request, input: JsonObject): Promise<AppliedPayload> {
    const creates = step.action === 'create';
    const { source } = this.#options;
    const manner = source !== undefined && isWhole(step) ? { source } : {};
    for (let turn = 1; ; turn += 1) {
      const idempotencyKey = turn > mostKeys ? randomUUID() : keyFor(request, input, turn);
      const payload = await this.#sendUntilTaken(request, { ...input, idempotencyKey }, manner);
      const isOther = payload.userErrors.some(({ code }) => code === 'KEY_CONFLICT');
      const isEarlier = creates && payload.userErrors.length === 0 && isGone(payload, input);
      if (turn > mostKeys || !(isOther || isEarlier)) return payload;
    }
  }

  /** Repeats the request while the server is overloaded. */
  async #sendUntilTaken({ mutation }: Request, input: JsonObject, manner: Manner): Promise<AppliedPayload> {
    const { signal } = this.#options;
    for (const pauseMs of pausesMs) {
      try {
        const payload = await this.#client.tryMutate(graphqlDocumentOf(mutation), input, manner);
        if (!payload.userErrors.some(({ code }) => laterCodes.has(code))) return payload;
      } catch (error) {
        if (!(error instanceof GraphFailure) || !laterCodes.has(error.code)) throw error;
      }
      await sleep(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => {
        throw new Interruption();
      });
    }
    return this.#client.tryMutate(graphqlDocumentOf(mutation), input, manner);
  }
}

/** Whether the result of an earlier request with the key is deleted, or has another name now. */
function isGone({ made }: AppliedPayload, { name }: JsonObject): boolean {
  if (made === undefined) return false;
  if (made === null || made.provisioningStatus === 'DELETED' || made.provisioningStatus === 'DELETING') return true;
  return made.name !== undefined && made.name !== name;
}

/** Throws CommandFailure if a step was refused or not answered. `what`: the command to repeat, for example `the import`. */
export function failIfAny({ results, lost }: Pick<Outcome, 'results' | 'lost'>, what: string, objects: string): void {
  if (lost instanceof Interruption) throw new Interruption(`run ${what} again`);
  if (lost !== undefined) throw new CommandFailure(`${lost.message}: run ${what} again`, lost.exitCode);
  const refused = results.filter(({ result }) => result === 'REFUSED').length;
  if (refused > 0) throw new CommandFailure(`${refused} of ${results.length} ${objects} were refused`);
}

/** A key in the form of a UUID. Leaves out secrets, so that nothing stored helps to guess one. */
export function keyFor({ mutation, seen = null }: Request, input: JsonObject, turn: number): string {
  const content = canonicalJson([mutation, withoutSecrets(input), seen, turn]);
  const hash = createHash('sha256').update(content).digest('hex');
  return [hash.slice(0, 8), hash.slice(8, 12), hash.slice(12, 16), hash.slice(16, 20), hash.slice(20, 32)].join('-');
}

function withoutSecrets(value: JsonValue | undefined): JsonValue | undefined {
  return mapped(value, (object) => Object.fromEntries(Object.entries(object).filter(([name]) => !isSecretName(name))));
}

function filled(value: JsonValue | undefined, ids: ReadonlyMap<string, string | null>): JsonValue | undefined {
  const key = awaited(value);
  if (key !== undefined) return ids.get(key) ?? null;
  if (Array.isArray(value)) return value.map((each: JsonValue) => filled(each, ids) as JsonValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, filled(member as JsonValue, ids)]));
}

/** Keys of the objects that it needs. */
export function awaitedIn(value: JsonValue | undefined): readonly string[] {
  const key = awaited(value);
  if (key !== undefined) return [key];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((member) => awaitedIn(member as JsonValue));
}

function mapped(value: JsonValue | undefined, change: (object: JsonObject) => JsonObject): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((each: JsonValue) => mapped(each, change) as JsonValue);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(change(value as JsonObject));
  return Object.fromEntries(members.map(([name, member]) => [name, mapped(member, change)]));
}
