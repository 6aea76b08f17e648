// Parts of the SDL of described kinds that are the same for all: pages, payloads, inputs and the names of their fields.
import type { JsonValue } from '../../json.ts';
import { type Field, type Fields, fieldsText, quoted, textField } from '../fields.ts';
import type { DescribedField } from './kind.ts';

export const idempotencyKeyField = textField(
  'A repeated request with the same key returns the first result. 1 to 255 printable characters.',
  255,
);

export function idField(description: string): Field {
  return { ...textField(description, 255), type: 'ID' };
}

export function expectedVersionField(what: string): Field {
  return { ...textField(`Refused with STALE_VERSION when the ${what} has another version.`, 0), type: 'Int' };
}

/** The field of an input that refers by id: defaultPool becomes defaultPoolId, certificates certificateIds. */
export function idFieldOf(name: string, { type }: Pick<Field, 'type'>): string {
  return type.startsWith('[') ? `${name.slice(0, -1)}Ids` : `${name}Id`;
}

/** Whether the field of the type is never null. */
export function isAlways({ required: mustHave, default: value }: DescribedField): boolean {
  return mustHave || (value !== undefined && value !== null);
}

export function outputType({ type, refersTo }: DescribedField): string {
  if (refersTo !== undefined) return type.startsWith('[') ? `[${refersTo}!]` : refersTo;
  return type.replace(/Input(?=!?\]?$)/, '');
}

export function withDefault(field: DescribedField): DescribedField {
  const { default: value, description } = field;
  if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0))
    return field;
  return typeof value === 'object' && !Array.isArray(value)
    ? field
    : { ...field, description: `${description} Default: ${shown(value)}.` };
}

function shown(value: JsonValue): string {
  return Array.isArray(value) ? value.map((each) => shown(each as JsonValue)).join(', ') : String(value);
}

/** The settings as fields of the type. */
export function typeFields(fields: Readonly<Record<string, DescribedField>>): string {
  return Object.entries(fields)
    .map(
      ([name, field]) =>
        `  ${quoted(field.description)}\n  ${name}: ${outputType(field)}${isAlways(field) ? '!' : ''}\n`,
    )
    .join('');
}

export function connectionText(name: string, what: string): string {
  return `${quoted(`A page of ${plural(what)}.`)}\ntype ${name}Connection {\n  "The page's items."\n  nodes: [${name}!]!\n  "The page's position."\n  pageInfo: PageInfo!\n}\n`;
}

export function payloadText(name: string, what: string): string {
  return `${quoted(`The ${what} after the change.`)}\ntype ${name}Payload {\n  "Null when refused."\n  ${lower(name)}: ${name}\n  "Why the request was refused. A refused request changes nothing. Empty when it was carried out."\n  userErrors: [UserError!]!\n  "The commit of the write; null when refused."\n  commit: Commit\n}\n`;
}

export function inputText(name: string, description: string, fields: Fields): string {
  return `${quoted(description)}\ninput ${name} {\n${fieldsText(fields)}}\n`;
}

export function plural(text: string): string {
  return text.endsWith('y') ? `${text.slice(0, -1)}ies` : `${text}s`;
}

export function lower(name: string): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}

export function upper(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
