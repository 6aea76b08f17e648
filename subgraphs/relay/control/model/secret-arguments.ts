// Secret arguments of calls. These are `writeOnly` arguments in an operation's schema, and all values under names that the schema
// does not have, because nobody knows their meaning. The value goes only to the device. It is sealed in the journal until the call
// has finally ended, and shown as `***`. Wanted values and the repetition of a request have a keyed hash of it instead. The hash
// shows whether two values are equal, and does not help to guess one.
import { SealError, type Sealer } from '../../../../platform/secrets/seal.ts';
import type {
  DriverOperation,
  JsonObject,
  JsonValue,
  RenderContext,
  ResourceReader,
  WireCall,
} from '../../drivers/driver.ts';
import { isObject } from '../../drivers/json.ts';
import { withSecrets } from '../../drivers/secret-values.ts';
import { createRedactor, type Redactor } from '../../transports/redact.ts';

/** Shown in place of a secret. */
const shownSecret = '***';

/** The secret side of a call. */
export interface CallSecrets {
  /** The arguments as they are shown. */
  readonly shownArgs: JsonObject;
  /** Rendered from these. */
  readonly shownWire: WireCall;
  /** `KEY:BASE64`, for the journal. */
  readonly sealed: string;
  /** Redacts all output of the device. */
  readonly redactor: Redactor;
}

/** An object of a backend: the same secret has another hash elsewhere. */
interface SecretPlace {
  readonly backendId: string;
  readonly objectHash: string;
}

/** The values that a call of the operation sets; null when it sets nothing. */
export function desiredOf(operation: DriverOperation, args: JsonObject): JsonObject | null {
  if (operation.mapping !== 'creates' && operation.mapping !== 'updates') return null;
  return operation.desired?.(args) ?? args;
}

interface Sealing {
  readonly id: string;
  readonly operation: DriverOperation;
  readonly args: JsonObject;
  render(args: JsonObject): WireCall;
}

/** The names of an operation's secret arguments that have a name. */
export function secretNamesOf({ argumentsSchema }: Pick<DriverOperation, 'argumentsSchema'>): readonly string[] {
  let names = bySchema.get(argumentsSchema);
  if (names === undefined) {
    const properties = Object.entries((argumentsSchema.properties ?? {}) as JsonObject);
    names = properties.flatMap(([name, schema]) => (isObject(schema) && schema.writeOnly === true ? [name] : []));
    bySchema.set(argumentsSchema, names);
  }
  return names;
}

const bySchema = new WeakMap<JsonObject, readonly string[]>();

export class SecretArguments {
  readonly #sealer: Sealer;

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** Undefined if the call has none. */
  take(call: Sealing): CallSecrets | undefined {
    const secrets = secretsIn(call.operation, call.args);
    if (secrets === undefined) return undefined;
    const { keyId, sealed } = this.#sealer.seal(JSON.stringify(secrets), aad(call.id));
    const shownArgs = shownArguments(call.operation, call.args);
    return {
      shownArgs,
      shownWire: call.render(shownArgs),
      sealed: `${keyId}:${sealed.toString('base64')}`,
      redactor: redactorFor(call.operation, call.args),
    };
  }

  /** The arguments of a call of the journal, with its secrets. Throws SealError. */
  argumentsOf(row: { readonly id: string; readonly arguments: string; readonly secrets: string | null }): JsonObject {
    const args = JSON.parse(row.arguments) as JsonObject;
    return row.secrets === null ? args : { ...args, ...open(this.#sealer, row.id, row.secrets) };
  }

  /** Like `argumentsOf`; a secret that can't be opened, or is gone, stays as it is shown. */
  argumentsAfterwards(row: Parameters<SecretArguments['argumentsOf']>[0]): JsonObject {
    try {
      return this.argumentsOf(row);
    } catch (error) {
      if (error instanceof SealError) return JSON.parse(row.arguments) as JsonObject;
      throw error;
    }
  }

  /** Undefined if no argument is secret. */
  redactorOf(operation: DriverOperation, args: JsonObject): Redactor | undefined {
    return secretsIn(operation, args) === undefined ? undefined : redactorFor(operation, args);
  }

  /** The settings that a call makes (`desiredOf`), with hashes in the place of secrets. */
  hashedDesired(operation: DriverOperation, args: JsonObject, place: SecretPlace): JsonObject | null {
    const named = secretNamesOf(operation).filter((name) => typeof args[name] === 'string');
    const hidden = Object.fromEntries(named.map((name) => [name, this.#hash(String(args[name]), name, place)]));
    const desired = desiredOf(operation, { ...args, ...hidden });
    return desired === null ? null : this.hashedValues(desired, { freeForm: operation.freeForm }, place);
  }

  /**
   * A device's values, with hashes in place of secrets, by the same keys as in `like`. A secret that the device does not have stays
   * absent, and a hash is not hashed again.
   */
  hashedValues(
    values: JsonObject,
    {
      secrets = [],
      freeForm,
    }: Pick<ResourceReader, 'secrets'> & { readonly freeForm?: ResourceReader['freeForm'] | undefined },
    place: SecretPlace,
    like: JsonObject = {},
  ): JsonObject {
    const hidden = Object.entries(values).flatMap(([name, value]) => {
      const hash = (text: string, path: string, keyId: string | undefined) => this.#hash(text, path, place, keyId);
      if (secrets.includes(name) && typeof value === 'string')
        return [[name, hash(value, name, keyOf(like[name]))] as const];
      const plain = freeForm === 'all' ? [] : freeForm?.[name];
      return plain === undefined ? [] : [[name, hashedLeaves(value ?? null, like[name], name, plain, hash)] as const];
    });
    return hidden.length === 0 ? values : { ...values, ...Object.fromEntries(hidden) };
  }

  /** `RenderContext.recordedAs`, for the object of a call. */
  recordedAs(
    { freeForm }: Pick<DriverOperation, 'freeForm'>,
    place: SecretPlace,
  ): NonNullable<RenderContext['recordedAs']> {
    return (values, like) => this.hashedValues(values, { freeForm }, place, like);
  }

  /** For the hash of a request: by each key, the active one first. */
  hashes(secret: string, place: string): readonly string[] {
    return this.#sealer.keyIds().flatMap((keyId) => this.#sealer.hash(secret, place, keyId) ?? []);
  }

  #hash(secret: string, name: string, { backendId, objectHash }: SecretPlace, keyId?: string): string {
    const place = `backend/${backendId}/${objectHash}/${name}`;
    const made = this.#sealer.hash(secret, place, keyId) ?? this.#sealer.hash(secret, place);
    return `${hashPrefix}${made}`;
  }
}

/** Seals a call's secrets again, with the active key. Throws SealError. */
export function resealedSecrets(sealer: Sealer, row: { readonly id: string; readonly secrets: string }): string {
  const { keyId, sealed } = sealer.seal(JSON.stringify(open(sealer, row.id, row.secrets)), aad(row.id));
  return `${keyId}:${sealed.toString('base64')}`;
}

/** Wanted values without the secrets that the reader can't read: they can't be compared. */
export function readableOf(
  wanted: JsonObject,
  { secrets = [], freeForm = {} }: Pick<ResourceReader, 'secrets' | 'freeForm'>,
): JsonObject {
  if (freeForm === 'all') return wanted;
  const hidden = Object.entries(wanted).filter(
    ([name, value]) => keyOf(value) !== undefined && !secrets.includes(name) && freeForm[name] === undefined,
  );
  if (hidden.length === 0) return wanted;
  return { ...wanted, ...Object.fromEntries(hidden.map(([name]) => [name, undefined])) };
}

/** A stored value as it is shown: `***` for each hash of a secret. */
export function withoutHashes(value: JsonValue): JsonValue {
  if (typeof value === 'string') return keyOf(value) === undefined ? value : shownSecret;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutHashes);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutHashes(member ?? null)]));
}

const hashPrefix = 'hmac-sha256:';

/** The key of a hash. Undefined if the text is not a hash. */
function keyOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? /^hmac-sha256:([^:]+):[0-9a-f]{64}$/.exec(value)?.[1] : undefined;
}

/** The whole top-level arguments of a call that contain secrets. Undefined if there are none. */
function secretsIn(operation: DriverOperation, args: JsonObject): JsonObject | undefined {
  const shown = shownArguments(operation, args);
  const names = Object.keys(args).filter((name) => shown[name] !== args[name]);
  return names.length === 0 ? undefined : Object.fromEntries(names.map((name) => [name, args[name] ?? null]));
}

/** Arguments as they are shown: `***` for secrets, and for all values under names that the driver's schema does not have. */
export function shownArguments(
  { argumentsSchema }: Pick<DriverOperation, 'argumentsSchema'>,
  args: JsonObject,
): JsonObject {
  return withSecrets(args, argumentsSchema, () => shownSecret) as JsonObject;
}

function redactorFor({ argumentsSchema }: DriverOperation, args: JsonObject): Redactor {
  const words: string[] = [];
  withSecrets(args, argumentsSchema, (secret, isNamed) => {
    // A number occurs in too many places: in ids of jobs, ports and times.
    if (isNamed || !/^[\d.]*$/.test(secret)) words.push(secret);
    return secret;
  });
  return createRedactor({}, words);
}

/** `plain`: names of members that are kept as they are. */
function hashedLeaves(
  value: JsonValue,
  like: JsonValue | undefined,
  path: string,
  plain: readonly string[],
  hash: (text: string, path: string, keyId: string | undefined) => string,
): JsonValue {
  // The place in a list may change.
  if (Array.isArray(value))
    return value.map((item, index) =>
      hashedLeaves(item, Array.isArray(like) ? like[index] : undefined, path, [], hash),
    );
  if (isObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        if (plain.includes(name)) return [name, member ?? null];
        const counterpart = isObject(like) ? like[name] : undefined;
        return [name, hashedLeaves(member ?? null, counterpart, `${path}.${name}`, [], hash)];
      }),
    );
  if ((typeof value !== 'string' && typeof value !== 'number') || value === '' || keyOf(value) !== undefined)
    return value;
  return hash(String(value), path, keyOf(like));
}

function open(sealer: Sealer, id: string, text: string): JsonObject {
  const at = text.indexOf(':');
  const sealed = { keyId: text.slice(0, at), sealed: Buffer.from(text.slice(at + 1), 'base64') };
  return JSON.parse(sealer.open(sealed, aad(id))) as JsonObject;
}

function aad(id: string): string {
  return `operation/${id}/secrets`;
}
