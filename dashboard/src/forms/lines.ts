// Several parts of a list from pasted text: a line for each, with the columns of its table. No DOM here.
import { registry } from '../../../generated/kinds/registry.ts';
import { type InputField, kebab } from '../../../schema/kinds/kind.ts';
import { ownName } from '../../../schema/kinds/option-names.ts';
import { titleOf } from '../../../schema/kinds/words.ts';
import type { Draft, DraftObject, FieldFault } from './draft.ts';
import { layoutOf } from './layout/arrange.ts';

interface LineFault {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface ReadLines {
  readonly items: readonly DraftObject[];
  readonly faults: readonly LineFault[];
}

type ReadItem = (input: string, draft: DraftObject) => { readonly faults: readonly FieldFault[] };

/** The form of a line, such as `HOST:PORT WEIGHT BACKUP`. */
export function lineWords(input: string): string {
  const columns = columnsOf(input);
  const words = columns.map((field) => kebab(ownName(field)).split('-').at(-1)?.toUpperCase() ?? '');
  return words.map((word, at) => (at === 0 ? word : `${isJoined(columns, at - 1) ? ':' : ' '}${word}`)).join('');
}

/** Fields of the input that are columns of its table. */
export function columnsOf(input: string): readonly InputField[] {
  const fields = registry.inputs[input]?.fields ?? [];
  const names = layoutOf(input)?.columns ?? [];
  return names.map((name) => fields.find((each) => each.name === name)).filter((field) => field !== undefined);
}

/** The largest number of entries that the graph takes: "at most 1000". */
export function mostOf({ description }: InputField): number | undefined {
  const found = /\bat most (\d+)|\b1 to (\d+)\b/.exec(description);
  const text = found?.[1] ?? found?.[2];
  return text === undefined ? undefined : Number(text);
}

/** Adds nothing while a line is wrong. Skips empty lines and lines that begin with `#`, but counts them. */
export function readLines(field: InputField, text: string, before: number, readItem: ReadItem): ReadLines {
  const columns = columnsOf(field.type);
  const items: DraftObject[] = [];
  const faults: LineFault[] = [];
  const seen = new Map<string, number>();
  for (const [at, each] of text.split(/\r?\n/).entries()) {
    const [line, words] = [at + 1, each.trim()];
    if (words === '' || words.startsWith('#')) continue;
    const item = itemOf(columns, words);
    const message =
      typeof item === 'string'
        ? item
        : (twice(seen, words, line) ?? faultOf(columns, item, readItem(field.type, item)));
    if (message !== undefined) faults.push({ line, message });
    else if (typeof item !== 'string') items.push(item);
  }
  const most = mostOf(field);
  if (most !== undefined && before + items.length > most) {
    const line = text.split(/\r?\n/).length;
    faults.push({ line, message: `there would be ${before + items.length} entries; at most ${most} are allowed` });
  }
  return { items, faults };
}

function twice(seen: Map<string, number>, words: string, line: number): string | undefined {
  const first = seen.get(words);
  if (first === undefined) seen.set(words, line);
  return first === undefined ? undefined : `the same as line ${first}`;
}

/** A text is what is wrong with it. */
function itemOf(columns: readonly InputField[], words: string): DraftObject | string {
  const parts = words.split(/[\s,;]+/).filter((part) => part !== '');
  const item: Record<string, Draft> = {};
  let column = 0;
  for (const part of parts) {
    const field = columns[column];
    if (field === undefined)
      return `'${part}' is too much: give ${columns.map(({ name }) => titleOf(name)).join(', ')}`;
    const joined = isJoined(columns, column) ? hostAndPort(part) : undefined;
    const [own, port] = joined ?? [part];
    item[field.name] = field.list === true ? [own] : own;
    const next = columns[column + 1];
    if (port !== undefined && next !== undefined) item[next.name] = port;
    column += port === undefined ? 1 : 2;
  }
  return item;
}

/** A host or an address, with the port in the next column. */
function isJoined(columns: readonly InputField[], at: number): boolean {
  const [field, next] = [columns[at], columns[at + 1]];
  return (field?.name === 'host' || field?.type === 'IpAddress') && next?.type === 'Port';
}

/** Splits `192.0.2.1:80` or `[2001:db8::1]:80`. Undefined without a port. */
export function hostAndPort(text: string): readonly [host: string, port: string] | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:\s]+)):([^:\s]+)$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  return host === undefined || port === undefined ? undefined : [host, port];
}

function faultOf(
  columns: readonly InputField[],
  item: DraftObject,
  { faults }: { readonly faults: readonly FieldFault[] },
): string | undefined {
  const [first] = faults;
  if (first !== undefined) {
    const field = columns.find(({ name }) => name === first.path[0]);
    const title = titleOf(first.path[0] ?? '').toLowerCase();
    const given = field === undefined ? undefined : item[field.name];
    return given === undefined ? `${title} is missing` : `${title} '${String(given)}': ${first.message}`;
  }
  for (const { name, type } of columns) {
    const [own] = [item[name]].flat();
    if (typeof own !== 'string') continue;
    if (type === 'Boolean' && own !== 'true' && own !== 'false') return `${name} '${own}': Write true or false.`;
    if (name === 'host' && !isHost(own)) return `'${own}' is no host name or address`;
    if (type === 'IpAddress' && !isAddress(own)) return `'${own}' is no IP address`;
  }
  return undefined;
}

function isHost(text: string): boolean {
  if (/^[\d.]+$/.test(text) || text.includes(':')) return isAddress(text);
  return text.length <= 253 && /^(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?$/.test(text);
}

function isAddress(text: string): boolean {
  if (text.includes(':')) return URL.canParse(`http://[${text}]/`);
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}
