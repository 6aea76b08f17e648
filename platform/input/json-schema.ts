// Checks values against JSON Schemas (2020-12), fills in defaults, and reports all faults at once.
import { isIP } from 'node:net';
import { createContext, Script } from 'node:vm';
import { Ajv } from 'ajv';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { LRUCache } from 'lru-cache';
import { canonicalAddressBlock, canonicalCidrBlock } from '../net/address-block.ts';
import type { JsonObject } from '../values/json.ts';
import { isHost } from './input.ts';

export interface SchemaFault {
  /** Path inside the object, for example ['source', 'address']. Empty for the object as a whole. */
  readonly path: readonly string[];
  readonly message: string;
  /** The value is too long. */
  readonly tooLong?: boolean;
}

export type CheckedObject =
  | { readonly ok: true; readonly args: JsonObject }
  | { readonly ok: false; readonly faults: readonly SchemaFault[] };

// verbose: an error has its schema, whose description the fault quotes.
const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: true, strictRequired: false, verbose: true });
// Shown in published schemas; other validators treat an unknown format as an annotation.
ajv.addFormat('address-block', (text: string) => canonicalAddressBlock(text) !== undefined);
ajv.addFormat('cidr-block', (text: string) => canonicalCidrBlock(text) !== undefined);
ajv.addFormat('address', (text: string) => isIP(text) !== 0);
ajv.addFormat('host', isHost);
const validators = new WeakMap<JsonObject, ValidateFunction>();
const maxFaults = 20;

/** The object with defaults filled in (a copy), or all faults. Accepts any value. */
export function validateObject(schema: JsonObject, value: unknown): CheckedObject {
  const args: unknown = structuredClone(value);
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    return { ok: false, faults: [{ path: [], message: 'must be an object' }] };
  }
  const validate = validatorOf(schema);
  if (!validate(args)) return { ok: false, faults: faultsOf(validate) };
  return { ok: true, args: args as JsonObject };
}

/** A single value has one fault, its first: one that is too long may break its pattern as well. */
function faultsOf({ errors }: ValidateFunction): readonly SchemaFault[] {
  const told = new Set<string>();
  const first = (errors ?? []).filter(({ instancePath, data }) => {
    const isTold = told.has(instancePath);
    if (typeof data !== 'object' || data === null) told.add(instancePath);
    return !isTold;
  });
  return first.slice(0, maxFaults).map(toFault);
}

/** Validators of schemas from outside, by their text. Null if validation recently took too long. */
const foreign = new LRUCache<string, { readonly validate: ValidateFunction | null }>({ max: 200 });
const longestMs = 500;
const slowForMs = 60_000;
const bounded = createContext({});
const runBounded = new Script('run()');
const tooSlow: SchemaFault = {
  path: [],
  message: `can't be checked: its JSON Schema takes longer than ${longestMs} ms`,
};

/**
 * Faults of a value by the text of a schema from elsewhere (draft 7). Throws when it is no schema. A pattern can be made to take for ever:
 * a check ends after half a second, and the same schema is then not tried again for a minute.
 */
export function faultsBySchema(text: string, value: unknown): readonly SchemaFault[] {
  const known = foreign.get(text);
  if (known?.validate === null) return [tooSlow];
  let validate = known?.validate;
  try {
    return inTime(() => {
      // Each schema gets its own instance, because an instance keeps its compiled schemas, and the schema's ids could clash.
      validate ??= new Ajv({ allErrors: true, strict: true, verbose: true }).compile(JSON.parse(text));
      foreign.set(text, { validate });
      return validate(value) ? [] : faultsOf(validate);
    });
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    foreign.set(text, { validate: null }, { ttl: slowForMs });
    return [tooSlow];
  }
}

/** Only V8 can end a running regular expression, in the same way as it ends a script. */
function inTime<Result>(run: () => Result): Result {
  bounded.run = run;
  return runBounded.runInContext(bounded, { timeout: longestMs }) as Result;
}

function validatorOf(schema: JsonObject): ValidateFunction {
  let validate = validators.get(schema);
  if (!validate) {
    validate = ajv.compile(schema);
    validators.set(schema, validate);
  }
  return validate;
}

function toFault(error: ErrorObject): SchemaFault {
  const path = error.instancePath.split('/').slice(1).map(unescapePointer);
  if (error.keyword === 'additionalProperties') {
    return {
      path: [...path, String(error.params.additionalProperty)],
      message: 'is not an argument of this operation',
    };
  }
  if (error.keyword === 'required') {
    return { path: [...path, String(error.params.missingProperty)], message: 'is required' };
  }
  const tooLong = error.keyword === 'maxLength' || error.keyword === 'maxItems';
  return { path, message: messageOf(error), ...(tooLong ? { tooLong } : {}) };
}

/** Explanations of our formats, used where no description explains them. */
const formats: Readonly<Record<string, string>> = {
  address: 'must be an IPv4 or IPv6 address',
  'address-block': 'must be an IPv4 or IPv6 address, or a CIDR block whose host bits are zero',
  'cidr-block': 'must be a CIDR block with a prefix length, whose host bits are zero',
  host: 'must be a host name or an IP address',
};

/** People can't read a regular expression, so the schema's description is used instead if it has one. */
function messageOf({ keyword, message = 'is not valid', parentSchema, params }: ErrorObject): string {
  if (keyword !== 'pattern' && keyword !== 'format') return message;
  const description: unknown = parentSchema?.description;
  if (typeof description === 'string' && description !== '') return `does not fit: ${description}`;
  return (keyword === 'format' ? formats[String(params.format)] : undefined) ?? message;
}

/** RFC 6901 section 4. */
function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
