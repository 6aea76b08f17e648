// Writes YAML for people. A secret is `{ env: TIDEGATE_SECRET_… }`, as files that are applied take it.
import { isShownObject, Missing, Secret, type Shown, type ShownObject } from './shown.ts';

/** Texts that YAML reads as they are, and as a text. */
const plainText = /^[A-Za-z_/][A-Za-z0-9_./+=@-]*( [A-Za-z0-9_./+=@-]+)*$/;
const words = /^(true|false|null|yes|no|on|off|y|n|~)$/i;

export function yamlOf(object: ShownObject): string {
  return linesOf(object)
    .map((line) => `${line}\n`)
    .join('');
}

function linesOf(object: ShownObject): readonly string[] {
  return Object.entries(object).flatMap(([name, value]) => member(`${scalar(name)}:`, value));
}

/** `start`: the text before the value on its first line. */
function member(start: string, value: Shown): readonly string[] {
  if (value instanceof Secret) return [`${start} { env: TIDEGATE_SECRET_${value.variable} }`];
  if (value instanceof Missing) return [`${start} ${value.word}`];
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${start} []`];
    return [start, ...(value as readonly Shown[]).flatMap(item).map(indented)];
  }
  if (isShownObject(value))
    return Object.keys(value).length === 0 ? [`${start} {}`] : [start, ...linesOf(value).map(indented)];
  if (typeof value === 'string' && isBlock(value)) return [`${start} |`, ...value.trimEnd().split('\n').map(indented)];
  return [`${start} ${scalar(value as string | number | boolean | null)}`];
}

function item(value: Shown): readonly string[] {
  if (!isShownObject(value) || Object.keys(value).length === 0) return member('-', value);
  const [first = '', ...others] = linesOf(value);
  return [`- ${first}`, ...others.map(indented)];
}

/** PEM: lines without leading spaces, and one line feed at the end. */
function isBlock(text: string): boolean {
  return /^[^\s].*\n/.test(text) && /[^\n]\n$/.test(text) && !/^[ \t]|[^\n\x20-\x7e]/m.test(text);
}

const indented = (line: string) => (line === '' ? '' : `  ${line}`);

function scalar(value: string | number | boolean | null): string {
  return typeof value === 'string' && plainText.test(value) && !words.test(value) ? value : JSON.stringify(value);
}
