// The graph's words for people: names of fields and values of enums in descriptions.
import { registry } from '../../../generated/kinds/registry.ts';
import { phraseOf } from '../../../schema/kinds/words.ts';
import { formatWord } from './format.ts';

/** Values that everybody writes in capitals. */
const methods: ReadonlySet<string> = new Set('CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE'.split(' '));

const values: ReadonlySet<string> = new Set(Object.values(registry.enums).flatMap((words) => Object.keys(words)));

/** Values that registered kinds do not have, but descriptions do. */
const others: ReadonlySet<string> = new Set(['DOWN', 'UP', 'UNKNOWN', 'OPERATOR', 'MEMBER', 'ADMINISTRATOR', 'ORPHAN']);

/** `Default: minNodes, with ROUND_ROBIN` becomes `Default: “min nodes”, with round robin`. */
export function describe(description: string): string {
  return description
    .replaceAll('`', '')
    .replaceAll(/(?<![\w./])[a-z]+(?:[A-Z][a-z0-9]*)+(?![\w/])/g, (text) => `“${phraseOf(text)}”`)
    .replaceAll(/(?<![\w.-])[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*(?![\w-])/g, (text) =>
      text.includes('_') || others.has(text) || (values.has(text) && /^[A-Z]{3,}$/.test(text))
        ? valueWords(text)
        : text,
    );
}

/** A value of an enum: `least connections`. */
export function valueWords(value: string): string {
  return value.length < 2 || methods.has(value) ? value : formatWord(value);
}
