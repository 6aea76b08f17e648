// Requirements of a verb that creates an object: required fields, parent and project.
import { registry } from '../../generated/kinds/registry.ts';
import type { JsonObject } from '../../platform/values/json.ts';
import type { Action } from '../../schema/kinds/kind.ts';
import { UsageError } from '../failures.ts';
import { inWords, optionText } from '../missing.ts';
import type { FieldOption } from './field-options.ts';

interface Needing {
  readonly action: Action;
  /** The field that NAME fills in. */
  readonly key: string | undefined;
  readonly fields: readonly FieldOption[];
  readonly parent: { readonly field: string; readonly option: string } | undefined;
  readonly takesProject: boolean;
}

/** Requirements of a new object that neither options nor file give. Throws UsageError. */
export function missingIn(shape: Needing, input: JsonObject, file: string | undefined): void {
  const missing = neededFields(shape).filter((name) => (input[name] ?? null) === null);
  if (missing.length === 0) return;
  const texts = inWords(missing.map((name) => fieldText(shape, name)));
  throw new UsageError(file === undefined ? `give ${texts}` : `give ${texts}, or ${inWords(missing)} in ${file}`);
}

/** Fields of a new object that options or a file must give. */
function neededFields({ action, key, parent }: Needing): readonly string[] {
  if (key === 'id') return [];
  const apart: ReadonlySet<string | undefined> = new Set(['projectId', key, parent?.field]);
  const known = registry.inputs[action.input]?.fields ?? [];
  return known.filter(({ name, required }) => required === true && !apart.has(name)).map(({ name }) => name);
}

function fieldText({ fields }: Needing, name: string): string {
  const [only, ...others] = fields.filter(({ path, option }) => path[0] === name && option.hidden !== true);
  if (only !== undefined && others.length === 0) return optionText(only.name, only.option.value);
  const names = [...(only === undefined ? [] : [only]), ...others].map((each) => `--${each.name}`);
  return `${name} (${names.join(', ')})`;
}

/** Missing requirements of a call, as far as the command line shows. A file may contain any field. */
export function alsoNeeded(shape: Needing, given: ReadonlySet<string>): readonly string[] {
  const { fields, parent, takesProject } = shape;
  const isThere = (name: string) =>
    given.has('from') || fields.some((each) => each.path[0] === name && given.has(each.name));
  return [
    ...(parent === undefined || parent.field === 'projectId' || given.has(parent.option)
      ? []
      : [optionText(parent.option, 'NAME')]),
    ...neededFields(shape)
      .filter((name) => !isThere(name))
      .map((name) => fieldText(shape, name)),
    ...(takesProject && isNeeded(shape, 'projectId') && !given.has('project') ? ['--project PROJECT'] : []),
  ];
}

function isNeeded({ action }: Needing, field: string): boolean {
  return registry.inputs[action.input]?.fields.find(({ name }) => name === field)?.required === true;
}
