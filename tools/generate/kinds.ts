// Writes generated/kinds/: descriptions of each kind of object that people manage (schema/kinds/), and the fields that an update can't clear.
import { mkdirSync, writeFileSync } from 'node:fs';
import { readSupergraph } from '../../platform/graph/generated-schema.ts';
import { adminSchema, deriveRegistry } from '../../schema/kinds/derive.ts';
import { restoresOf } from '../../schema/kinds/restores.ts';
import { neverNull } from '../../schema/kinds/update-nulls.ts';

const header = '// Made by `npm run generate` from the graph and schema/kinds/: change it there.';

/** Subgraphs import generated code only. */
const restoresType = `
/** The mutations of one kind, by verb, with the fields of their inputs that are settings. */
export type Restores = Readonly<Partial<Record<'create' | 'update' | 'set' | 'delete', {
  readonly mutation: string;
  readonly fields: readonly string[];
  readonly required: readonly string[];
}>>>;
`;

export function writeKinds(root: URL): void {
  const folder = new URL('generated/kinds/', root);
  mkdirSync(folder, { recursive: true });
  const schema = adminSchema(readSupergraph(root));
  const write = (file: string, text: string) => writeFileSync(new URL(file, folder), `${header}\n${text}\n`);
  const json = (value: unknown) => JSON.stringify(value, null, 1);
  const registry = deriveRegistry(schema);
  write(
    'registry.ts',
    `import type { Registry } from '../../schema/kinds/kind.ts';\n\nexport const registry: Registry = ${json(registry)};`,
  );
  write(
    'restores.ts',
    `${restoresType}\nexport const restores: Readonly<Record<string, Restores>> = ${json(restoresOf(registry))};`,
  );
  const paths = 'Readonly<Record<string, readonly string[]>>';
  write('update-nulls.ts', `export const neverNull: ${paths} = ${json(neverNull(schema))};`);
}
