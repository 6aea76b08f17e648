// `npm run lint:graph`: counts the faults of each rule of the graph's style (graph-style.ts). Exit code 1 if there are any.
import { readSupergraph } from '../../platform/graph/generated-schema.ts';
import { apiSchemaOf } from '../../platform/graph/sdl.ts';
import { findStyleFaults } from './graph-style.ts';

const shown = process.argv.includes('--all') ? Number.POSITIVE_INFINITY : 10;
let count = 0;
for (const [rule, faults] of findStyleFaults(apiSchemaOf(readSupergraph()))) {
  count += faults.length;
  const rest = faults.length > shown ? ` … (${faults.length - shown} more: --all)` : '';
  process.stdout.write(
    `${rule}: ${faults.length}${faults.length === 0 ? '' : ` — ${faults.slice(0, shown).join(', ')}${rest}`}\n`,
  );
}
process.stdout.write(`${count} faults\n`);
process.exitCode = count === 0 ? 0 : 1;
