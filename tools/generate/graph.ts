// `npm run generate`: runs codegen.yml with the plugins and presets of this folder's packages.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type CodegenConfig, generate } from '@graphql-codegen/cli';
import { parse } from 'yaml';
import { readGraph } from '../../platform/graph/sdl.ts';

const load = createRequire(import.meta.url);
const root = new URL('../../', import.meta.url);
process.chdir(root.pathname);
const config = parse(readFileSync(new URL('codegen.yml', root), 'utf8'), { merge: true }) as CodegenConfig;
// `pluginLoader` finds plugins, but presets are searched beside codegen.yml, where there are none.
for (const output of Object.values(config.generates))
  if ('preset' in output && typeof output.preset === 'string')
    output.preset = load(`@graphql-codegen/${output.preset}-preset`).preset;
for (const [name, schema] of readGraph())
  Object.assign(config.generates[`generated/graph/${name}.ts`] ?? {}, { schema });
await generate({ ...config, cwd: root.pathname, pluginLoader: async (name) => load(name), silent: true }, true);
