// Names in place of ids, where the command line finds the same object by its name.
import { registry } from '../../../../generated/kinds/registry.ts';
import type { InputField } from '../../../../schema/kinds/kind.ts';
import { type Deed, isShownObject, type Shown, type ShownObject } from './shown.ts';

/** A word that the command line takes for one name: no option, and no part with its parent (`web/shop`). */
function isPlainName(name: string | undefined): name is string {
  return name !== undefined && /^(?!-)[^\s/]+$/.test(name);
}

/** The input with names. The ids of objects that the command line would look for in all projects stay. */
export function withNames({ action, names }: Deed, shown: ShownObject): ShownObject {
  if (names === undefined || names.size === 0) return shown;
  const isInProject = typeof shown.projectId === 'string';
  const nameOf = ({ refersTo = '' }: InputField, id: string): string | undefined => {
    const scope = registry.kinds[refersTo]?.scope;
    const isFound = scope === 'installation' || (scope === 'project' && isInProject);
    const name = isFound ? names.get(id) : undefined;
    return isPlainName(name) ? name : undefined;
  };
  return namesIn(action.input, shown, nameOf);
}

type NameOf = (field: InputField, id: string) => string | undefined;

function namesIn(input: string, shown: ShownObject, nameOf: NameOf): ShownObject {
  const fields = registry.inputs[input]?.fields ?? [];
  return Object.fromEntries(
    Object.entries(shown).map(([name, value]) => {
      const field = fields.find((each) => each.name === name);
      return [name, field === undefined || name === 'id' ? value : namedIn(field, value, nameOf)];
    }),
  );
}

function namedIn(field: InputField, value: Shown, nameOf: NameOf): Shown {
  if (Array.isArray(value)) return (value as readonly Shown[]).map((each) => namedIn(field, each, nameOf));
  if (field.refersTo !== undefined && typeof value === 'string') return nameOf(field, value) ?? value;
  return isShownObject(value) ? namesIn(field.type, value, nameOf) : value;
}

/** Words for an object that exists: its name, with its project where names are unique in one. */
export function objectWords({ kind, object, names }: Deed): readonly string[] {
  if (object === undefined) return [];
  const { id, name, project } = object;
  const isFound =
    names !== undefined &&
    kind.key.length === 1 &&
    kind.list !== undefined &&
    isPlainName(name) &&
    kind.parent === undefined;
  if (isFound && kind.scope === 'installation') return [name];
  if (isFound && kind.scope === 'project' && isPlainName(project)) return [name, '--project', project];
  return [id];
}
