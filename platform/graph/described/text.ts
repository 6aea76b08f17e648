// Parts of the SDL of described kinds that are the same for all: pages, payloads, inputs and the names of their fields.
import { type Field, type Fields, inputTypeText, listSizeOf, quoted, textField } from '../fields.ts';
import type { DescribedField } from './kind.ts';

export const idempotencyKeyField = textField(
  'A repeated request with the same key returns the first result. 1 to 255 printable characters.',
  255,
);

/** In the description of every update's input. update-nulls.ts of schema/kinds makes it so. */
export const keptText =
  'An omitted field keeps its value. Null clears an optional field, and is refused for other fields.';

export function idField(description: string): Field {
  return { ...textField(description, 255), type: 'ID' };
}

export function expectedVersionField(what: string): Field {
  return {
    ...textField(`Refused with STALE_VERSION when the settings of the ${what} changed after this version.`, 0),
    type: 'Int',
  };
}

/** The field of an input that refers by id: defaultPool becomes defaultPoolId, certificates certificateIds. */
export function idFieldOf(name: string, { type }: Pick<Field, 'type'>): string {
  return type.startsWith('[') ? `${name.slice(0, -1)}Ids` : `${name}Id`;
}

/** Whether the field of the type is never null. */
function isAlways({ required: mustHave, default: value }: DescribedField): boolean {
  return mustHave || (value !== undefined && value !== null);
}

function outputType({ type, refersTo }: DescribedField): string {
  if (refersTo !== undefined) return type.startsWith('[') ? `[${refersTo}!]` : refersTo;
  return type.replace(/Input(?=!?\]?$)/, '');
}

/** The settings as fields of the type. */
export function typeFields(fields: Readonly<Record<string, DescribedField>>): string {
  return Object.entries(fields)
    .map(([name, field]) =>
      field.shownAs === undefined
        ? `  ${quoted(field.description)}\n  ${name}: ${outputType(field)}${isAlways(field) ? '!' : ''}${listSizeOf(field)}\n`
        : `  ${quoted(field.shownAs.description)}\n  ${field.shownAs.name}: ${field.shownAs.type}\n`,
    )
    .join('');
}

/** The field of a type whose status changes are stored. */
export const uptimeFieldText = `  "Its uptime, computed from its stored status changes."
  uptime("The time, up to now." window: UptimeWindow = DAY): Uptime! @cost(weight: 5)
`;

const totalCountText = 'Items of all pages together, or null when more than 10,000 rows would have to be counted.';

export function connectionText(name: string, what: string): string {
  return `${quoted(`A page of ${plural(what)}.`)}\ntype ${name}Connection {\n  "The items of this page, in the order of the list."\n  nodes: [${name}!]!\n  "Whether another page follows, and the cursor that leads to it."\n  pageInfo: PageInfo!\n  ${quoted(totalCountText)}\n  totalCount: Int @cost(weight: 5)\n}\n`;
}

export function payloadText(name: string, what: string): string {
  return `${quoted(`The ${what} after the request, or why it was refused.`)}\ntype ${name}Payload {\n  "The ${what} as it is now. Null when refused."\n  ${lower(name)}: ${name}\n  "Why the request was refused. A refused request changes nothing. Empty when it was carried out."\n  userErrors: [UserError!]!\n  "The commit of the write; null when refused."\n  commit: Commit\n}\n`;
}

/** The payload of a mutation that deletes. */
export function deletePayloadText(name: string, what: string): string {
  return `${quoted(`The ${what} that was deleted, or why it was not.`)}\ntype ${name}DeletePayload {\n  "The id of the deleted object. Null when refused."\n  deletedId: ID\n  "Why the request was refused. A refused request changes nothing. Empty when it was carried out."\n  userErrors: [UserError!]!\n  "The commit of the write; null when refused."\n  commit: Commit\n}\n`;
}

export function inputText(name: string, description: string, fields: Fields, oneOf?: true): string {
  return inputTypeText({ name, description, fields, ...(oneOf === true ? { oneOf } : {}) });
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
