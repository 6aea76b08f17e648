// Secret arguments of calls (`writeOnly` in an operation's schema). The value goes to the device and nowhere else: it is sealed in
// the journal until the call has ended for good, and shown as `***`. Wanted values and the repetition of a request have a keyed
// hash of it instead, which tells equal values and helps nobody to guess one.
import { SealError, type Sealer } from '../../../platform/secrets/seal.ts';
import type { DriverOperation, JsonObject, JsonValue, ResourceReader, WireCall } from '../drivers/driver.ts';
import { isObject } from '../drivers/json.ts';
import { createRedactor, type Redactor } from '../transports/redact.ts';

/** What is shown in the place of a secret. */
export const shownSecret = '***';

/** The secret side of a call. */
export interface CallSecrets {
  /** The arguments as they are shown. */
  readonly shownArgs: JsonObject;
  /** Rendered from these. */
  readonly shownWire: WireCall;
  /** `KEY:BASE64`, for the journal. */
  readonly sealed: string;
  /** For everything that the device says. */
  readonly redactor: Redactor;
}

/** An object of a backend: the same secret has another hash elsewhere. */
export interface SecretPlace {
  readonly backendId: string;
  readonly objectHash: string;
}

interface Sealing {
  readonly id: string;
  readonly operation: DriverOperation;
  readonly args: JsonObject;
  render(args: JsonObject): WireCall;
}

const bySchema = new WeakMap<JsonObject, readonly string[]>();

/** The names of an operation's secret arguments. */
export function secretNamesOf({ argumentsSchema }: Pick<DriverOperation, 'argumentsSchema'>): readonly string[] {
  let names = bySchema.get(argumentsSchema);
  if (names === undefined) {
    const properties = Object.entries((argumentsSchema.properties ?? {}) as JsonObject);
    names = properties.flatMap(([name, schema]) => (isObject(schema) && schema.writeOnly === true ? [name] : []));
    bySchema.set(argumentsSchema, names);
  }
  return names;
}

export class SecretArguments {
  readonly #sealer: Sealer;

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** Undefined: the call has none. */
  take(call: Sealing): CallSecrets | undefined {
    const secrets = secretsIn(call.operation, call.args);
    if (secrets === undefined) return undefined;
    const { keyId, sealed } = this.#sealer.seal(JSON.stringify(secrets), aad(call.id));
    const shownArgs = { ...call.args, ...mapped(secrets, () => shownSecret) };
    return {
      shownArgs,
      shownWire: call.render(shownArgs),
      sealed: `${keyId}:${sealed.toString('base64')}`,
      redactor: createRedactor(secrets),
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

  /** Undefined: none of the arguments is secret. */
  redactorOf(operation: DriverOperation, args: JsonObject): Redactor | undefined {
    const secrets = secretsIn(operation, args);
    return secrets && createRedactor(secrets);
  }

  /** The arguments with hashes in the place of secrets. */
  hashedArguments(operation: DriverOperation, args: JsonObject, place: SecretPlace): JsonObject {
    const secrets = secretsIn(operation, args);
    if (secrets === undefined) return args;
    return { ...args, ...mapped(secrets, (secret, name) => this.#hash(secret, name, place)) };
  }

  /**
   * What a device has, with hashes in the place of secrets: by the same keys as in `like`. A secret that the device does not have
   * stays away.
   */
  hashedValues(
    values: JsonObject,
    { secrets = [] }: Pick<ResourceReader, 'secrets'>,
    place: SecretPlace,
    like: JsonObject = {},
  ): JsonObject {
    const found = secrets.filter((name) => typeof values[name] === 'string');
    if (found.length === 0) return values;
    const hashes = found.map((name) => {
      const keyId = keyOf(like[name]);
      return [name, this.#hash(String(values[name]), name, place, keyId)];
    });
    return { ...values, ...Object.fromEntries(hashes) };
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
export function readableOf(wanted: JsonObject, { secrets = [] }: Pick<ResourceReader, 'secrets'>): JsonObject {
  const hidden = Object.entries(wanted).filter(
    ([name, value]) => keyOf(value) !== undefined && !secrets.includes(name),
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

/** The key of a hash; undefined: it is none. */
function keyOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? /^hmac-sha256:([^:]+):[0-9a-f]{64}$/.exec(value)?.[1] : undefined;
}

function secretsIn(operation: DriverOperation, args: JsonObject): Readonly<Record<string, string>> | undefined {
  const given = secretNamesOf(operation).flatMap((name) => {
    const value = args[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function mapped(
  secrets: Readonly<Record<string, string>>,
  made: (secret: string, name: string) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, made(secret, name)]));
}

function open(sealer: Sealer, id: string, text: string): JsonObject {
  const at = text.indexOf(':');
  const sealed = { keyId: text.slice(0, at), sealed: Buffer.from(text.slice(at + 1), 'base64') };
  return JSON.parse(sealer.open(sealed, aad(id))) as JsonObject;
}

function aad(id: string): string {
  return `operation/${id}/secrets`;
}
