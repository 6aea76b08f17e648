// `npm run generate`: runs codegen.yml with the plugins and presets of this folder's packages, and writes the registry of kinds.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type CodegenConfig, generate } from '@graphql-codegen/cli';
import { parse } from 'yaml';
import { readGraph } from '../../platform/graph/sdl.ts';
import { writeKinds } from './kinds.ts';
import { type Mappers, withResolverTypes } from './resolver-types.ts';
import { forThrowingClients } from './throwing-client.ts';

const load = createRequire(import.meta.url);
const root = new URL('../../', import.meta.url);
process.chdir(root.pathname);

function readMappers(name: string): Mappers {
  const file = new URL(`schema/${name}.mappers.yml`, root);
  return existsSync(file) ? (parse(readFileSync(file, 'utf8')) as Mappers) : {};
}

const config = parse(readFileSync(new URL('codegen.yml', root), 'utf8'), { merge: true }) as CodegenConfig;
const generates = withResolverTypes(config.generates, readGraph(), readMappers);
for (const output of Object.values(generates))
  if ('schema' in output && typeof output.schema === 'string')
    output.schema = forThrowingClients(
      output.schema.endsWith('.graphql') ? readFileSync(new URL(output.schema, root), 'utf8') : output.schema,
    );
// `pluginLoader` finds plugins, but presets are searched next to codegen.yml, where there are none.
for (const output of Object.values(generates))
  if ('preset' in output && typeof output.preset === 'string')
    output.preset = load(`@graphql-codegen/${output.preset}-preset`).preset;
// Types of a subgraph that is no longer in schema/ would not compile.
const made = new URL('generated/graph/', root);
for (const file of existsSync(made) ? readdirSync(made) : [])
  if (file.endsWith('.ts') && !(`generated/graph/${file}` in generates)) rmSync(new URL(file, made));
await generate(
  { ...config, generates, cwd: root.pathname, pluginLoader: async (name) => load(name), silent: true },
  true,
);
writeKinds(root);
