// Writes generated/kinds/: what is known of each kind of object that people manage (schema/kinds/), and what can't be cleared in an update.
import { mkdirSync, writeFileSync } from 'node:fs';
import { readSupergraph } from '../../platform/graph/generated-schema.ts';
import { adminSchema, deriveRegistry } from '../../schema/kinds/derive.ts';
import { neverNull } from '../../schema/kinds/update-nulls.ts';

const header = '// Made by `npm run generate` from the graph and schema/kinds/: change it there.';

export function writeKinds(root: URL): void {
  const folder = new URL('generated/kinds/', root);
  mkdirSync(folder, { recursive: true });
  const schema = adminSchema(readSupergraph(root));
  const write = (file: string, type: string, from: string, name: string, value: unknown) =>
    writeFileSync(
      new URL(file, folder),
      `${header}\nimport type { ${type} } from '../../schema/kinds/${from}';\n\nexport const ${name}: ${type} = ${JSON.stringify(value, null, 1)};\n`,
    );
  write('registry.ts', 'Registry', 'kind.ts', 'registry', deriveRegistry(schema));
  write('update-nulls.ts', 'NeverNull', 'update-nulls.ts', 'neverNull', neverNull(schema));
}
