// A kind of GSLB object: its settings are described once, and its types in the graph, the check of its input and its stored form follow.
import type { DescribedField, DescribedKind } from '../../../platform/graph/described/kind.ts';
import { type Field, type Fields, textField } from '../../../platform/graph/fields.ts';

export interface GslbKind extends DescribedKind {
  /** In words, with its article. */
  readonly words: readonly [string, string];
  readonly owner: 'PROJECT' | 'ADMINISTRATOR';
  /** Fields of the input of its creation beside the settings. */
  readonly createFields?: Fields;
  /** The same for changes. */
  readonly updateFields?: Fields;
  /** SDL: fields of the type beside the settings. */
  readonly typeFields: string;
}

type Extra = Pick<DescribedField, 'default' | 'fixed' | 'refersTo'>;

/** @example setting(integerField('Its weight.', 0, 1000), { default: 1 }) */
export function setting(field: Field, extra: Extra = {}): DescribedField {
  return { ...field, ...extra };
}

/** Any JSON object. */
export function jsonField(description: string): Field {
  return { ...textField(description, 0), type: 'JSON', schema: { type: 'object' } };
}

export const nameSetting = setting({
  ...textField('1 to 63 lower-case letters, digits and inner hyphens.', 63),
  required: true,
  schema: { type: 'string', minLength: 1, maxLength: 63, pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$' },
});

export const descriptionSetting = setting(textField('A description, for people.', 255), { default: '' });

/** Names of regions, as vantage points and members have them. */
export const regionPattern = '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$';

export function regionField(description: string): Field {
  return {
    ...textField(description, 63, 1),
    schema: { type: 'string', minLength: 1, maxLength: 63, pattern: regionPattern },
  };
}
