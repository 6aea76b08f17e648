// Requests concurrent with a trial's calls: adopting, sharing and verifying of their objects, and changes of their backend.
import { isUnavailable } from '../../platform/errors/database-errors.ts';
import { encodeId, newUuid } from '../../platform/values/ids.ts';
import type { JsonObject } from '../../subgraphs/relay/drivers/driver.ts';
import type { Arena } from './arena.ts';
import type { ObjectDevice, TrialObject } from './devices/objects.ts';
import { MemberSilentError, type RelayMember } from './relay-member.ts';
import type { GraphAnswer } from './relay-process.ts';

/** A time in which a backend was disabled or away, in Unix milliseconds. The changes themselves are outside of it. */
export interface BackendWindow {
  readonly backend: string;
  readonly change: 'disable' | 'move';
  /** When it was requested. */
  readonly askedAtMs: number;
  /** When it was acknowledged. */
  readonly fromMs: number;
  /** When the way back was requested. */
  readonly untilMs: number;
  /** When that was acknowledged. */
  readonly backAtMs: number;
}

const answerMs = 15_000;
const mostTries = 5;
const document = (mutation: string): string =>
  `mutation ($input: ${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!) {
    done: ${mutation}(input: $input) { userErrors { code message } } }`;

const silent = 'SILENT';
/** Answers of a busy machine, or of a database that is lost for a moment. */
const sameKeyHelps: ReadonlySet<string> = new Set([silent, 'OUTCOME_UNCERTAIN', 'UNAVAILABLE']);

/** This happens on a machine that is too busy. */
function noAnswer(error: unknown): GraphAnswer {
  if (!(error instanceof MemberSilentError)) throw error;
  return { data: null, errors: [{ message: error.message, extensions: { code: silent } }] };
}

export class MappingChanges {
  readonly #arena: Arena;
  readonly #device: ObjectDevice;
  readonly windows: BackendWindow[] = [];
  /** Number of answers by mutation and code. */
  readonly answers: Record<string, number> = {};

  constructor(arena: Arena, device: ObjectDevice) {
    this.#arena = arena;
    this.#device = device;
  }

  /** For another CMP object. */
  async adopt(member: RelayMember, backend: string, object: TrialObject, key: string): Promise<void> {
    const { resource, scope, key: name } = object;
    const cmpObject = { namespace: 'trials', type: 'adopter', externalId: key };
    const input = { idempotencyKey: key, backend: { name: backend }, cmpObject, resource, scope, objectKey: name };
    await this.#ask(member, 'mappingAdopt', input);
  }

  /** For a live mapping of the object, if there is one. */
  async change(
    member: RelayMember,
    what: 'share' | 'verify',
    backend: string,
    { key: name }: TrialObject,
    key: string,
  ): Promise<void> {
    const row = await this.#row<{ id: string; shared: number }>(
      `SELECT m.id, m.shared FROM mapping m JOIN backend b ON b.id = m.backend_id
      WHERE b.name = ? AND m.object_key = ? AND m.owner_slot IS NOT NULL LIMIT 1`,
      [backend, name],
    );
    if (row === undefined) return;
    const input = { idempotencyKey: key, id: encodeId('Mapping', row.id) };
    if (what === 'verify') await this.#ask(member, 'mappingVerify', input);
    else await this.#ask(member, row.shared === 0 ? 'mappingShare' : 'mappingUnshare', input);
  }

  /** Runs while the backend is disabled, or has the address of the lane's other device. */
  async during(
    member: RelayMember,
    { lane, backend }: { readonly lane: number; readonly backend: string },
    change: 'disable' | 'move',
    run: () => Promise<unknown>,
  ): Promise<void> {
    const row = await this.#row<{ id: string }>('SELECT id FROM backend WHERE name = ?', [backend]);
    const id = encodeId('Backend', row?.id ?? '');
    const [there, back] =
      change === 'disable'
        ? [{ enabled: false }, { enabled: true }]
        : [this.#device.backend(lane, 'away'), this.#device.backend(lane, 'home')];
    const askedAtMs = Date.now();
    await this.#update(member, { id, ...there });
    const fromMs = Date.now();
    await run();
    const untilMs = Date.now();
    await this.#update(member, { id, ...back });
    this.windows.push({ backend, change, askedAtMs, fromMs, untilMs, backAtMs: Date.now() });
  }

  async #update(member: RelayMember, input: JsonObject): Promise<void> {
    const keyed = { idempotencyKey: newUuid(), ...input };
    let code = silent;
    while (sameKeyHelps.has(code)) code = await this.#ask(member, 'backendUpdate', keyed);
    if (code !== 'ok') throw new Error(`a backend could not be changed: ${code}`);
  }

  /** The first one. On a machine that is too busy, waits until the database answers again. */
  async #row<Row>(sql: string, values: readonly string[]): Promise<Row | undefined> {
    for (let tries = 1; ; tries += 1) {
      try {
        return (await this.#arena.db.query<Row>(sql, values))[0];
      } catch (error) {
        if (!isUnavailable(error) || tries === mostTries) throw error;
        this.answers['database unavailable'] = (this.answers['database unavailable'] ?? 0) + 1;
      }
    }
  }

  /** The answer's code. */
  async #ask(member: RelayMember, mutation: string, input: JsonObject): Promise<string> {
    const { data, errors } = await member.run(document(mutation), { input }, answerMs).catch(noAnswer);
    const refusals = (data?.done as { userErrors: { code: string }[] } | undefined)?.userErrors;
    const code = String(errors?.[0]?.extensions?.code ?? refusals?.[0]?.code ?? 'ok');
    this.answers[`${mutation} ${code}`] = (this.answers[`${mutation} ${code}`] ?? 0) + 1;
    if (errors !== undefined && !sameKeyHelps.has(code))
      this.#arena.unexpected.push(`${mutation}: ${errors[0]?.message}`);
    return code;
  }
}
