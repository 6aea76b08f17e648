// The made part of docs/check-client.md: the table of failures.
import { readFileSync } from 'node:fs';
import { failureTable } from '../../clients/failure-table/table.ts';
import { withMade } from './made-sections.ts';

const page = new URL('../../docs/check-client.md', import.meta.url);

export function checkClientPage(): string {
  const rows = failureTable.map(({ name, failure, right }) => `| \`${name}\` | ${failure} | ${right} |`);
  const table = ['| row | what fails | what a correct client does |', '|---|---|---|', ...rows].join('\n');
  return withMade(readFileSync(page, 'utf8'), 'rows', `\n${table}\n`, 'docs/check-client.md');
}
