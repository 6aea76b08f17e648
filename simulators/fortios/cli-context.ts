// An administrator's position in the configuration tree, and the command line's error messages.

import { CmdbError, PARSE_ERROR } from './errors.ts';
import type { SettingsSection } from './settings.ts';
import { cliWords, type Table } from './tables.ts';
import type { Entry } from './values.ts';

export interface EntryContext {
  readonly kind: 'entry';
  readonly table: Table;
  readonly key: string;
  /** Not written before `next` or `end`. */
  changes: Entry;
}

interface SectionContext {
  readonly kind: 'section';
  readonly section: SettingsSection;
  /** Not written before `end`. */
  readonly changes: Map<string, string>;
}

export type Context =
  | { readonly kind: 'global' }
  | { readonly kind: 'vdoms' }
  | { readonly kind: 'vdom'; readonly name: string }
  | { readonly kind: 'table'; readonly table: Table }
  | EntryContext
  | SectionContext;

/** The text in the prompt's brackets. */
export function labelOf(context: Context | undefined): string | undefined {
  switch (context?.kind) {
    case undefined:
      return undefined;
    case 'global':
      return 'global';
    case 'vdoms':
      return 'vdom';
    case 'vdom':
      return context.name;
    case 'table':
      return cliWords(context.table).split(' ').at(-1);
    case 'entry':
      return context.key;
    case 'section':
      return context.section.split(' ').at(-1);
  }
}

/** A command's output; `SILENT`: no more output. */
export type Answer = string | 'SILENT' | 'EXIT';

export const unknownAction = 'Unknown action 0\nCommand fail. Return code -1\n';

export function parseError(word: string, code = PARSE_ERROR): string {
  return `\ncommand parse error before '${word}'\nCommand fail. Return code ${code}\n`;
}

/** `before`: the word at which `set` failed. */
export function failure(error: CmdbError, before?: string): string {
  // An entry as a whole is refused with code 1; the text has the number.
  const code = error.message.startsWith('object check') ? 1 : error.code;
  const where = before === undefined || error.code === PARSE_ERROR ? '' : `\n\nvalue parse error before '${before}'`;
  return `${error.message}${where}\nCommand fail. Return code ${code}\n`;
}

/** A name that the table or section does not have. */
export function unknownName(name: string): CmdbError {
  return new CmdbError(PARSE_ERROR, `\ncommand parse error before '${name}'`);
}
