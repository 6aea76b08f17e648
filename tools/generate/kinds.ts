// Writes generated/kinds/registry.ts: what is known of each kind of object that people manage (schema/kinds/).
import { mkdirSync, writeFileSync } from 'node:fs';
import { readSupergraph } from '../../platform/graph/generated-schema.ts';
import { adminSchema, deriveRegistry } from '../../schema/kinds/derive.ts';

const header = '// Made by `npm run generate` from the graph and schema/kinds/: change it there.';

export function writeKinds(root: URL): void {
  const folder = new URL('generated/kinds/', root);
  mkdirSync(folder, { recursive: true });
  const text = JSON.stringify(deriveRegistry(adminSchema(readSupergraph(root))), null, 1);
  writeFileSync(
    new URL('registry.ts', folder),
    `${header}\nimport type { Registry } from '../../schema/kinds/kind.ts';\n\nexport const registry: Registry = ${text};\n`,
  );
}
