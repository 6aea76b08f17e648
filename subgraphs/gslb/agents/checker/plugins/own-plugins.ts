// A deployer's own plugins: each file of the folder `checker.pluginFolder` is a module whose default export is a CheckPlugin. They run
// in the checker with its rights, so the folder and its files may be written by root or the checker's user only.
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ajv } from 'ajv';
import { z } from 'zod';
import { ConfigError } from '../../../../../platform/errors/config-error.ts';
import { mostOwnPlugins, mostSchemasLength, ownPluginName, schemaFault } from '../../../wire/checker-wire.ts';
import type { CheckPlugin } from './plugin.ts';

const setting = 'checker.pluginFolder';
const moduleFile = /^[\w-][\w.-]*\.(js|mjs|ts)$/;

const shape = z.object({
  name: z.string().regex(ownPluginName, 'name: upper-case letters, digits and underscores, at most 32'),
  parameters: z.record(z.string(), z.unknown(), 'parameters: a JSON Schema of an object'),
  needsPort: z.boolean('needsPort: true or false'),
  check: z.custom<CheckPlugin['check']>((value) => typeof value === 'function', 'check: a function'),
});

/** Throws ConfigError with the name of the file. `taken`: names that are already used. */
export async function loadPlugins(folder: string, taken: ReadonlySet<string>): Promise<CheckPlugin[]> {
  const home = await realpath(folder).catch(() => {
    throw fault(folder, 'is not a folder that this user may read');
  });
  await requireSafe(home);
  const files = (await readdir(home)).filter((file) => moduleFile.test(file)).sort();
  if (files.length > mostOwnPlugins) throw fault(folder, `has more than ${mostOwnPlugins} plugins`);
  const plugins: CheckPlugin[] = [];
  for (const file of files) {
    const plugin = await load(join(home, file));
    if (taken.has(plugin.name) || plugins.some(({ name }) => name === plugin.name))
      throw fault(join(home, file), `has a name that another plugin has: ${plugin.name}`);
    plugins.push(plugin);
  }
  if (JSON.stringify(plugins).length > mostSchemasLength)
    throw fault(folder, `has plugins with parameters of more than ${mostSchemasLength} characters together`);
  return plugins;
}

async function load(path: string): Promise<CheckPlugin> {
  await requireSafe(path);
  const module = await import(pathToFileURL(path).href).catch((error: unknown) => {
    throw fault(path, `does not load: ${String(error)}`);
  });
  const read = shape.safeParse(module.default);
  if (!read.success)
    throw fault(
      path,
      `has no plugin as its default export (${read.error.issues.map(({ message }) => message).join('; ')})`,
    );
  const wrong = schemaFault(read.data.parameters);
  if (wrong !== undefined) throw fault(path, `has parameters ${wrong}`);
  try {
    new Ajv({ strict: true }).compile(read.data.parameters);
  } catch (error) {
    throw fault(path, `has parameters that are no JSON Schema: ${String(error)}`);
  }
  return module.default;
}

async function requireSafe(path: string): Promise<void> {
  const { uid, mode } = await stat(path);
  if ((uid !== 0 && uid !== process.getuid?.()) || (mode & 0o022) !== 0)
    throw fault(path, 'may be written by others than root and the user of the checker');
}

function fault(given: string, wrong: string): ConfigError {
  return new ConfigError([
    { settings: [setting], wrong: `${given} ${wrong}`, advice: 'see "Write a plugin" in docs/gslb.md' },
  ]);
}
