// A rule as a file of Apache's configuration, and back: one SecRule (ModSecurity Reference Manual v2.x) between a comment with
// the mark of the call that made it and a line that proves that the file is complete.

import type { JsonObject } from '../driver.ts';
import { markIn, markLine } from './mark-line.ts';
import { alone } from './schema.ts';
import { endMark } from './scripts.ts';

export interface Rule {
  readonly id: number;
  readonly variables: readonly string[];
  readonly operator: string;
  readonly pattern?: string;
  readonly transformations: readonly string[];
  readonly phase: number;
  readonly action: 'deny' | 'log';
  readonly status?: number;
  readonly message?: string;
}

const defaultStatus = 403;

export function needsPattern(operator: string): boolean {
  return !alone.some((name) => name === operator);
}

/** The lines of the rule's file. */
export function linesOf(rule: Rule, operationId: string): string[] {
  const operator = rule.pattern === undefined ? `@${rule.operator}` : `@${rule.operator} ${rule.pattern}`;
  const actions = [
    `id:${rule.id}`,
    `phase:${rule.phase}`,
    't:none',
    ...rule.transformations.map((name) => `t:${name}`),
    ...(rule.action === 'deny' ? ['deny', `status:${rule.status ?? defaultStatus}`] : ['pass']),
    'log',
    ...(rule.message === undefined ? [] : [`msg:'${rule.message}'`]),
  ];
  const line = `SecRule ${[rule.variables.join('|'), operator, actions.join(',')].map(quote).join(' ')}`;
  return [markLine(operationId), line, endMark];
}

/** The content of a file. `values` is undefined if it is not a rule of the form written here. */
export function readRule(text: string): { readonly operationId?: string; readonly values: JsonObject | undefined } {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const directives = lines.filter((line) => !line.startsWith('#'));
  const values = directives.length === 1 ? valuesOf(directives[0] ?? '') : undefined;
  return { values, ...markIn(text) };
}

function valuesOf(line: string): JsonObject | undefined {
  const [directive, variables = '', operator = '', actions = '', ...more] = wordsOf(line) ?? [];
  if (directive !== 'SecRule' || more.length > 0) return undefined;
  const compared = /^@(\w+)(?: (.*))?$/s.exec(operator);
  const given = actionsOf(actions);
  const transformations = given?.get('t')?.filter((name) => name !== 'none');
  const [id] = given?.get('id') ?? [];
  const [phase] = given?.get('phase') ?? [];
  if (!compared || !given || !id || !phase) return undefined;
  const [, name = '', pattern] = compared;
  const denies = given.has('deny');
  const [status] = given.get('status') ?? [];
  const [message] = given.get('msg') ?? [];
  return {
    id: Number(id),
    variables: variables.split('|').sort(),
    operator: name,
    ...(pattern === undefined ? {} : { pattern }),
    transformations: transformations ?? [],
    phase: Number(phase),
    action: denies ? 'deny' : 'log',
    ...(denies ? { status: Number(status ?? defaultStatus) } : {}),
    ...(message === undefined ? {} : { message }),
  };
}

/** A rule of these arguments, as it will be read back. */
export function desiredOf(rule: Rule): JsonObject {
  const { status = defaultStatus, ...rest } = rule;
  return { ...rest, variables: [...rule.variables].sort(), ...(rule.action === 'deny' ? { status } : {}) };
}

/** Apache's quoting (ap_getword_conf): in double quotes only the quote and the backslash need a backslash. */
function quote(word: string): string {
  return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** The words of a line; undefined when it has an unclosed quote. */
function wordsOf(line: string): string[] | undefined {
  const words: string[] = [];
  const next = /\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"]\S*))/sy;
  while (next.lastIndex < line.trimEnd().length) {
    const found = next.exec(line);
    if (!found) return undefined;
    words.push(found[1]?.replaceAll(/\\([\\"])/g, '$1') ?? found[2] ?? '');
  }
  return words;
}

/** `name:value,name,…` by name; a value may be in single quotes. */
function actionsOf(text: string): ReadonlyMap<string, readonly string[]> | undefined {
  const actions = new Map<string, string[]>();
  const next = /\s*(\w+)(?::(?:'([^']*)'|([^,']*)))?\s*(?:,|$)/y;
  while (next.lastIndex < text.length) {
    const found = next.exec(text);
    if (!found) return undefined;
    const [, name = '', quoted, bare] = found;
    const value = quoted ?? bare;
    actions.set(name, [...(actions.get(name) ?? []), ...(value === undefined ? [] : [value])]);
  }
  return actions;
}
