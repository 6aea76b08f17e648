// The made parts of docs/loadbalancer.md: a table for each kind of part, from its description, with Octavia's names.

import { readFileSync } from 'node:fs';
import { idFieldOf } from '../../platform/graph/described/text.ts';
import { wordsOf } from '../../subgraphs/loadbalancer/spec/graph-text.ts';
import { type PartKind, partNames } from '../../subgraphs/loadbalancer/spec/part-kind.ts';
import { partKinds } from '../../subgraphs/loadbalancer/spec/parts.ts';
import { withMade } from './made-sections.ts';

const page = new URL('../../docs/loadbalancer.md', import.meta.url);

export function loadBalancerPage(): string {
  const tables = partNames.map((name) => partTable(partKinds[name])).join('\n\n');
  return withMade(readFileSync(page, 'utf8'), 'parts', `\n${tables}\n`, 'docs/loadbalancer.md');
}

function partTable(kind: PartKind): string {
  const rows = Object.entries(kind.fields).map(([name, field]) => {
    const given = field.refersTo === undefined ? name : `${name}, in inputs ${idFieldOf(name, field)}`;
    const octavia = field.octavia === undefined ? '–' : `\`${field.octavia}\``;
    const { default: value } = field;
    const standard = field.required ? 'required' : value === undefined || value === null ? '' : shown(value);
    return `| \`${given}\` | ${octavia} | ${standard} | ${field.fixed === true ? 'no' : 'yes'} | ${escaped(field.description)} |`;
  });
  const title = wordsOf(kind.name);
  return [
    `### ${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    '',
    `${kind.description} At most ${kind.most} in a ${wordsOf(kind.parent)}.`,
    '',
    '| field | Octavia | default | may change | what |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function shown(value: unknown): string {
  const text = Array.isArray(value) ? value.join(', ') : String(value);
  return text === '' ? '' : `\`${text}\``;
}

/** A bar ends a cell. */
function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}
