// Determines the table, entry or section of `show` and `get`, from their arguments and the position in the tree.

import { type Answer, type Context, parseError, unknownAction } from './cli-context.ts';
import { getEntry, getSettings, getTable, type Rows, showSettings, showTable, systemStatus } from './cli-show.ts';
import { merged } from './cli-values.ts';
import type { Device } from './device.ts';
import { cliWords, type Table } from './tables.ts';

interface Place {
  readonly here: Context | undefined;
  /** Undefined if no VDOM was chosen. */
  readonly vdom: string | undefined;
  /** Whether device-wide settings are visible. */
  readonly isGlobal: boolean;
}

export function print(device: Device, place: Place, command: 'show' | 'get', words: readonly string[]): Answer {
  const { here, vdom } = place;
  const path = words.join(' ');
  if (command === 'get' && path === 'system status') return systemStatus(device, vdom ?? 'root');
  const section = words.length === 0 && here?.kind === 'section' ? here.section : path;
  if (device.settings.isSection(section) && place.isGlobal) {
    return command === 'get' ? getSettings(device, section) : showSettings(device, section);
  }
  if (vdom === undefined) return unknownAction;
  if (words.length === 0 && here?.kind === 'entry') {
    return printRows(command, here.table, [[here.key, merged(device, vdom, here)]], here.key);
  }
  const { table, key } =
    words.length === 0 && here?.kind === 'table' ? { table: here.table } : findTable(device, words);
  if (!table) return parseError(words.at(-1) ?? command);
  const rows = device.cmdb.list(vdom, table).filter(([each]) => key === undefined || each === key);
  if (key !== undefined && rows.length === 0) return parseError(key);
  return printRows(command, table, rows, key);
}

function printRows(command: 'show' | 'get', table: Table, rows: Rows, key: string | undefined): Answer {
  if (command === 'show') return showTable(table, rows);
  const [only] = rows;
  return key !== undefined && only ? getEntry(table, key, only[1]) : getTable(table, rows);
}

function findTable(
  device: Device,
  words: readonly string[],
): { readonly table?: Table; readonly key?: string | undefined } {
  for (const table of device.tables.values()) {
    const path = cliWords(table).split(' ');
    if (!table.global && path.every((word, index) => words[index] === word)) return { table, key: words[path.length] };
  }
  return {};
}
