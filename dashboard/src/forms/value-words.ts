// A value of a draft in words, where values are compared. No DOM here.
import { registry } from '../../../generated/kinds/registry.ts';
import type { InputField } from '../../../schema/kinds/kind.ts';
import { titleOf } from '../../../schema/kinds/words.ts';
import { chosen, type Draft, isDraftObject } from './draft.ts';

type Names = ReadonlyMap<string, string>;

/** `names`: of objects, by their ids. */
export function inWords(field: InputField, value: Draft | undefined, names: Names): string {
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return unset(field);
  if (Array.isArray(value)) return (value as readonly Draft[]).map((each) => oneInWords(field, each, names)).join(', ');
  return oneInWords(field, value, names);
}

function unset({ default: usual, list }: InputField): string {
  if (list === true) return 'none';
  if (usual === undefined || usual === null || usual === '' || typeof usual === 'object') return 'not set';
  return typeof usual === 'boolean' ? flag(usual) : `default: ${usual}`;
}

function flag(isOn: boolean): string {
  return isOn ? 'yes' : 'no';
}

function oneInWords({ type, refersTo, secret, file }: InputField, value: Draft, names: Names): string {
  if (isDraftObject(value)) {
    const fields = registry.inputs[type]?.fields ?? [];
    const taken = value[chosen];
    const given = fields.filter(({ name }) => (taken === undefined || name === taken) && value[name] !== undefined);
    const texts = given.map((field) => `${titleOf(field.name)} ${inWords(field, value[field.name], names)}`);
    return texts.length === 0 ? 'not set' : `(${texts.join(', ')})`;
  }
  if (secret === true) return 'a new secret';
  const text = String(value);
  if (file === true) return `${text.trim().split('\n').length} lines, ${text.length} characters`;
  if (refersTo !== undefined) return names.get(text) ?? text;
  return type === 'Boolean' ? flag(text === 'true') : text;
}
