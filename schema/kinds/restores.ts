// The mutations by which an object gets earlier settings again: their names, and the fields of their inputs.
import { type Action, ownFields, type Registry } from './kind.ts';

interface RestoringMutation {
  readonly mutation: string;
  /** Fields of the input that are settings. */
  readonly fields: readonly string[];
  /** Those among them that the input requires. */
  readonly required: readonly string[];
}

/** Of one kind, by verb. */
type Restores = Readonly<Partial<Record<'create' | 'update' | 'set' | 'delete', RestoringMutation>>>;

/** By type. Kinds with none of these verbs are left out. */
export function restoresOf(registry: Registry): Readonly<Record<string, Restores>> {
  const verbs = ['create', 'update', 'set', 'delete'] as const;
  const kinds = Object.values(registry.kinds).map((kind) => {
    const mutations = verbs.flatMap((verb) => {
      const action = kind.actions[verb];
      return action === undefined ? [] : [[verb, mutationOf(registry, action)] as const];
    });
    return [kind.type, Object.fromEntries(mutations)] as const;
  });
  return Object.fromEntries(kinds.filter(([, mutations]) => Object.keys(mutations).length > 0));
}

function mutationOf(registry: Registry, { mutation, input }: Action): RestoringMutation {
  const fields = (registry.inputs[input]?.fields ?? []).filter(({ name }) => !ownFields.has(name));
  const required = fields.filter((field) => field.required === true);
  return { mutation, fields: fields.map(({ name }) => name), required: required.map(({ name }) => name) };
}
