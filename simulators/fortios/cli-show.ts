// The output of `show` and `get`.

import { quoted } from './cli-words.ts';
import type { Device } from './device.ts';
import type { SettingsSection } from './settings.ts';
import { cliWords, type Table } from './tables.ts';
import { defaultOf, type Entry, type Value } from './values.ts';

export type Rows = readonly (readonly [key: string, entry: Entry])[];

/** In the format of a configuration file: values that differ from the defaults. */
export function showTable(table: Table, rows: Rows): string {
  return `config ${cliWords(table)}\n${rows.map(([key, entry]) => showEntry(table, key, entry)).join('')}end\n`;
}

function showEntry(table: Table, key: string, entry: Entry): string {
  const lines = Object.entries(table.attributes)
    .filter(([name, attribute]) => String(entry[name] ?? '') !== String(defaultOf(attribute)))
    .map(([name, attribute]) => `        set ${name} ${showValue(attribute.kind, entry[name] ?? '')}\n`);
  return `    edit ${table.keyKind === 'number' ? key : quoted(key)}\n${lines.join('')}    next\n`;
}

function showValue(kind: string, value: Value): string {
  if (Array.isArray(value)) return value.map(quoted).join(' ');
  return kind === 'string' || kind === 'reference' ? quoted(String(value)) : String(value);
}

/** Every value of one entry. */
export function getEntry(table: Table, key: string, entry: Entry): string {
  const values = Object.keys(table.attributes).map((name) => {
    const value = entry[name] ?? '';
    return getLine(name, Array.isArray(value) ? value.map(quoted).join(' ') : String(value));
  });
  return getLine(table.key, key) + values.join('');
}

/** The names of a table's entries. */
export function getTable(table: Table, rows: Rows): string {
  return rows.map(([key]) => `== [ ${key} ]\n${getLine(table.key, key)}`).join('');
}

export function getSettings(device: Device, section: SettingsSection): string {
  return device.settings
    .names(section)
    .map((name) => getLine(name, device.settings.get(section, name)))
    .join('');
}

export function showSettings(device: Device, section: SettingsSection): string {
  const lines = device.settings.names(section).map((name) => {
    return `    set ${name} ${quoted(device.settings.get(section, name))}\n`;
  });
  return `config ${section}\n${lines.join('')}end\n`;
}

/** `get system status`; the order of the lines is 6.4.9's. */
export function systemStatus(device: Device, vdom: string): string {
  const { version, features, cmdb } = device;
  const multiple = features.vdomModeWord ? 'multiple' : 'enable';
  return [
    `Version: FortiGate-VM64 ${version.text},build${String(version.build).padStart(4, '0')},220421 (GA)`,
    'Virus-DB: 1.00000(2018-04-09 18:07)',
    'IPS-DB: 6.00741(2015-12-01 02:30)',
    `Serial-Number: ${device.serial}`,
    'License Status: Valid',
    'Log hard disk: Available',
    `Hostname: ${device.settings.get('system global', 'hostname')}`,
    'Operation Mode: NAT',
    `Current virtual domain: ${vdom}`,
    'Max number of virtual domains: 10',
    `Virtual domains status: ${cmdb.vdoms.length} in NAT mode, 0 in TP mode`,
    `Virtual domain configuration: ${device.multiVdom ? multiple : 'disable'}`,
    'FIPS-CC mode: disable',
    'Current HA mode: standalone',
    `Branch point: ${String(version.build).padStart(4, '0')}`,
    'Release Version Information: GA',
    'FortiOS x86-64: Yes',
    `System time: ${new Date().toUTCString()}`,
    '',
  ].join('\n');
}

function getLine(name: string, value: string): string {
  return `${name.padEnd(20)}: ${value} \n`;
}

/** Lines of an output that contain a word: `| grep [-i] word`. */
export function grep(text: string, words: readonly string[]): string {
  const isLoose = words.some((word) => /^-\w*i/.test(word));
  const fold = (line: string): string => (isLoose ? line.toLowerCase() : line);
  const wanted = fold(words.at(-1) ?? '');
  return text
    .split(/(?<=\n)/)
    .filter((line) => fold(line).includes(wanted))
    .join('');
}
