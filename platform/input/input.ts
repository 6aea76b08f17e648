// Checks mutation inputs. All faults are collected, each with the path of its field, and refused together.
import { isIP } from 'node:net';
import { quoted, Refusal, type UserError, type UserErrorCode, unknownId, userError } from '../errors/errors.ts';
import { canonicalAddressBlock } from '../net/address-block.ts';
import { decodeUuid } from '../values/ids.ts';

type Text = string | null | undefined;

interface TextRule {
  /** Most characters; default 1024. */
  readonly max?: number;
  /** Fewest characters; default 0. */
  readonly min?: number;
  /** Absent or null is a fault; default false. */
  readonly required?: boolean;
  /** Allows line breaks and tabs; default false. */
  readonly multiline?: boolean;
  readonly pattern?: RegExp;
  /** The pattern in words: "lower-case letters, digits and hyphens". */
  readonly wants?: string;
}

// Unicode's control characters, and characters that reorder or hide text: line and paragraph separators, bidirectional marks.
const controls = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const controlsButLines = /[^\P{Cc}\t\r\n]|[\u202a-\u202e\u2066-\u2069]/u;
const namePattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const hostPattern = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;
const labelPattern = /^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$/i;

/** Ends in a number: an invalid address (300.1.1.1) or an unusual notation of one (0x7f.1), never a name. */
const endsInNumber = /(^|\.)(\d+|0x[\da-f]*)\.?$/i;

/** An address without a prefix, or a host name (RFC 1123). */
export function isHost(text: string): boolean {
  return isIP(text) !== 0 || (hostPattern.test(text) && !endsInNumber.test(text));
}

/**
 * @example
 * const check = new InputCheck();
 * check.name('name', input.name);
 * check.port('address.port', input.address.port);
 * check.throwIfAny();
 */
export class InputCheck {
  readonly errors: UserError[] = [];
  readonly #root: readonly string[];

  /** `root`: the argument's name, first in every path. */
  constructor(root = 'input') {
    this.#root = [root];
  }

  /** Adds a fault. `field` is a path with dots. */
  fault(field: string, message: string, code: UserErrorCode = 'INVALID_INPUT'): void {
    this.errors.push(userError(code, message, { field: [...this.#root, ...field.split('.')] }));
  }

  throwIfAny(): void {
    if (this.errors.length > 0) throw new Refusal(this.errors);
  }

  text(field: string, value: Text, rule: TextRule = {}): void {
    const { max = 1024, min = 0, required = false, multiline = false, pattern, wants } = rule;
    if (value === null || value === undefined) {
      if (required) this.fault(field, `${field} is missing`);
      return;
    }
    if (value.length > max)
      this.fault(field, `${field} has ${value.length} characters; at most ${max} are allowed`, 'TOO_LONG');
    else if ((multiline ? controlsButLines : controls).test(value))
      this.fault(field, `${field} has a control character; remove it`);
    else if (value.length < min)
      this.fault(field, `${field} has ${value.length} characters; at least ${min} are needed`);
    else if (pattern !== undefined && !pattern.test(value))
      this.fault(field, `${field} is ${quoted(value)}; give ${wants ?? 'another value'}`);
  }

  /** A name as in a DNS label: lower-case letters, digits and inner hyphens. */
  name(field: string, value: Text, rule: { readonly required?: boolean; readonly max?: number } = {}): void {
    const { required = true, max = 63 } = rule;
    const wants = 'lower-case letters, digits and hyphens, without a leading or trailing hyphen';
    this.text(field, value, { required, max, min: 1, pattern: namePattern, wants });
  }

  /** A host name (RFC 1123) or an IP address without a prefix. */
  host(field: string, value: Text, rule: { readonly required?: boolean } = {}): void {
    if (value != null && isIP(value) !== 0) return;
    const wants = 'a host name or an IP address';
    this.text(field, value, { required: rule.required ?? true, max: 253, min: 1, pattern: hostPattern, wants });
    if (value != null && value.length <= 253 && endsInNumber.test(value))
      this.fault(field, `${field} is ${quoted(value)}; give a valid IP address`);
  }

  /** Checks an address or CIDR block; returns its canonical text. */
  addressBlock(field: string, value: Text): string | undefined {
    const canonical = value == null || value.length > 64 ? undefined : canonicalAddressBlock(value);
    if (canonical === undefined)
      this.fault(
        field,
        `${field} is ${quoted(value)}; give an IP address or block without host bits, for example 203.0.113.0/24`,
      );
    return canonical;
  }

  port(field: string, value: number | null | undefined): void {
    this.integer(field, value, { min: 1, max: 65_535, required: true });
  }

  integer(
    field: string,
    value: number | null | undefined,
    rule: { readonly min: number; readonly max: number; readonly required?: boolean },
  ): void {
    if (value === null || value === undefined) {
      if (rule.required === true) this.fault(field, `${field} is missing`);
      return;
    }
    if (!Number.isInteger(value) || value < rule.min || value > rule.max)
      this.fault(field, `${field} is ${value}; give a whole number from ${rule.min} to ${rule.max}`);
  }

  /** A label's key or value: letters, digits, and `. _ / -` inside. */
  label(field: string, value: Text): void {
    const wants = 'letters and digits, and . _ / - inside';
    this.text(field, value, { required: true, max: 63, min: 1, pattern: labelPattern, wants });
  }

  idempotencyKey(value: Text, rule: { readonly required?: boolean } = {}): void {
    if (value == null && rule.required === true)
      this.fault(
        'idempotencyKey',
        'this mutation is not idempotent: send an idempotencyKey, a new one for each new request',
        'KEY_REQUIRED',
      );
    else this.text('idempotencyKey', value, { max: 255, min: 1 });
  }

  /** The UUID in a global id; an id of another type, or an invalid one, is NOT_FOUND like an unknown one. */
  id(field: string, value: Text, type: string): string | undefined {
    const uuid = value == null ? undefined : decodeUuid(type, value);
    if (uuid === undefined) this.fault(field, unknownId(type, value), 'NOT_FOUND');
    return uuid;
  }

  /** Checks a list's length, and then each entry that is within it. `each` gets the entry's path; its results are returned. */
  list<Entry, Result>(
    field: string,
    values: readonly Entry[],
    rule: { readonly min?: number; readonly max: number },
    each: (value: Entry, field: string, at: number) => Result,
  ): Result[] {
    this.count(field, values, rule);
    return values.slice(0, rule.max).map((value, at) => each(value, `${field}.${at}`, at));
  }

  /** Checks a list's length. */
  count(field: string, values: readonly unknown[], rule: { readonly min?: number; readonly max: number }): void {
    if (values.length > rule.max)
      this.fault(field, `${field} has ${values.length} entries; at most ${rule.max} are allowed`, 'TOO_LONG');
    else if (values.length < (rule.min ?? 0))
      this.fault(field, `${field} has ${values.length} entries; at least ${rule.min} are needed`);
  }
}
