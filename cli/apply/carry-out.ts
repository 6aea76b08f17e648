// Carries out the steps of a plan, one after the other. A refusal affects one step and those that need what it makes; a lost server
// all that follow. A run that was interrupted can be repeated.
import { createHash } from 'node:crypto';
import { isSecretName } from '../../platform/secrets/secret-names.ts';
import { canonicalJson, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { CommandFailure, Interruption } from '../failures.ts';
import type { GraphClient } from '../graph-client.ts';
import { type AppliedPayload, graphqlDocumentOf } from './mutations.ts';
import { hideSecrets } from './secrets.ts';
import { awaited, type Request, type Step, stepKey } from './step.ts';

type Result =
  | 'CREATED'
  | 'UPDATED'
  | 'DELETED'
  | 'UNCHANGED'
  | 'WOULD_CREATE'
  | 'WOULD_UPDATE'
  | 'WOULD_DELETE'
  /** The server refused it. */
  | 'REFUSED'
  /** The connection was lost: the next run shows whether it was done. */
  | 'NO_ANSWER'
  | 'NOT_DONE';

export interface StepResult {
  readonly step: Step;
  readonly result: Result;
  readonly line: number;
  readonly id: string | null;
  readonly message: string | null;
}

export interface Outcome {
  readonly results: readonly StepResult[];
  /** Why the server did not answer. */
  readonly lost: CommandFailure | undefined;
  /** Of the last write. */
  readonly commit: AppliedPayload['commit'];
}

const done = { create: 'CREATED', update: 'UPDATED', delete: 'DELETED', nothing: 'UNCHANGED' } as const;
const would = { create: 'WOULD_CREATE', update: 'WOULD_UPDATE', delete: 'WOULD_DELETE', nothing: 'UNCHANGED' } as const;
/** So often may an object have been created from the same file, and deleted, while its keys were kept. */
const mostKeys = 50;

/** A step in the words of a dry run. */
export function foreseen(step: Step): StepResult {
  return { step, result: would[step.action], line: step.line, id: step.id, message: null };
}

export async function carryOut(client: GraphClient, steps: readonly Step[]): Promise<Outcome> {
  const results: StepResult[] = [];
  const ids = new Map<string, string>();
  let lost: CommandFailure | undefined;
  let commit: AppliedPayload['commit'] = null;
  const tell = (step: Step, result: Result, message: string | null, more: Partial<StepResult> = {}) =>
    results.push({ step, result, line: step.line, id: step.id, message, ...more });
  for (const step of steps) {
    const { request, secrets } = step;
    if (step.id !== null) ids.set(stepKey(step), step.id);
    if (request === undefined) {
      results.push(foreseen(step));
      continue;
    }
    if (lost !== undefined) {
      tell(step, 'NOT_DONE', null);
      continue;
    }
    const missing = missingIn(request.input, ids);
    if (missing !== undefined) {
      tell(step, 'NOT_DONE', `it needs ${missing}, which was not made`);
      continue;
    }
    try {
      const payload = await send(client, request, filled(request.input, ids) as JsonObject, step.action === 'create');
      const [error] = payload.userErrors;
      if (error !== undefined) {
        const text = payload.userErrors.map(({ code, message }) => `${code}: ${message}`).join('; ');
        tell(step, 'REFUSED', hideSecrets(text, secrets), { line: step.lineOf(error.field.slice(1)) });
        continue;
      }
      commit = payload.commit ?? commit;
      const id = step.id ?? payload.made?.id ?? null;
      if (id !== null) ids.set(stepKey(step), id);
      tell(step, done[step.action], null, { id });
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      const isInterrupted = error instanceof Interruption;
      lost = isInterrupted ? error : new CommandFailure(hideSecrets(error.message, secrets), error.exitCode);
      tell(step, 'NO_ANSWER', lost.message);
    }
  }
  return { results, lost, commit };
}

/** Throws CommandFailure where something was refused or not answered. `what` runs again: `the import`. */
export function failIfAny({ results, lost }: Outcome, what: string, objects: string): void {
  if (lost instanceof Interruption) throw new Interruption(`run ${what} again`);
  if (lost !== undefined) throw new CommandFailure(`${lost.message}: run ${what} again`, lost.exitCode);
  const refused = results.filter(({ result }) => result === 'REFUSED').length;
  if (refused > 0) throw new CommandFailure(`${refused} of ${results.length} ${objects} were refused`);
}

/**
 * The key follows from the content, so that a repetition is known as such. An object that was created from the same content before, and
 * deleted since, has used its key: the next one is taken.
 */
async function send(
  client: GraphClient,
  request: Request,
  input: JsonObject,
  creates: boolean,
): Promise<AppliedPayload> {
  for (let turn = 1; ; turn += 1) {
    const idempotencyKey = keyFor(request, input, turn);
    const payload = await client.tryMutate(graphqlDocumentOf(request.mutation), { ...input, idempotencyKey });
    const isOther = payload.userErrors.some(({ code }) => code === 'KEY_CONFLICT');
    const { made, userErrors } = payload;
    const isGone = made === null || made.provisioningStatus === 'DELETED' || made.provisioningStatus === 'DELETING';
    if (turn === mostKeys || !(isOther || (creates && userErrors.length === 0 && isGone))) return payload;
  }
}

/** In the form of a UUID. Secrets are left out: nothing that is stored may help to guess one. */
export function keyFor({ mutation, seen = null }: Request, input: JsonObject, turn: number): string {
  const content = canonicalJson([mutation, withoutSecrets(input), seen, turn]);
  const hash = createHash('sha256').update(content).digest('hex');
  return [hash.slice(0, 8), hash.slice(8, 12), hash.slice(12, 16), hash.slice(16, 20), hash.slice(20, 32)].join('-');
}

function withoutSecrets(value: JsonValue | undefined): JsonValue | undefined {
  return mapped(value, (object) => Object.fromEntries(Object.entries(object).filter(([name]) => !isSecretName(name))));
}

function filled(value: JsonValue | undefined, ids: ReadonlyMap<string, string>): JsonValue | undefined {
  const key = awaited(value);
  if (key !== undefined) return ids.get(key);
  if (Array.isArray(value)) return value.map((each: JsonValue) => filled(each, ids) as JsonValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, filled(member as JsonValue, ids)]));
}

/** What is needed and was not made. */
function missingIn(value: JsonValue | undefined, ids: ReadonlyMap<string, string>): string | undefined {
  const key = awaited(value);
  if (key !== undefined) return ids.has(key) ? undefined : key;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const member of Object.values(value)) {
    const missing = missingIn(member as JsonValue, ids);
    if (missing !== undefined) return missing;
  }
  return undefined;
}

function mapped(value: JsonValue | undefined, change: (object: JsonObject) => JsonObject): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((each: JsonValue) => mapped(each, change) as JsonValue);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(change(value as JsonObject));
  return Object.fromEntries(members.map(([name, member]) => [name, mapped(member, change)]));
}
