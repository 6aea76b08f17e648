// A kind of GSLB entity. Its GraphQL types, input checks and stored form are all derived from one description of its settings.
import type { DescribedField, DescribedKind } from '../../../platform/graph/described/kind.ts';
import { lowerCaseName } from '../../../platform/graph/described/patterns.ts';
import { booleanField, type Field, type Fields, textField } from '../../../platform/graph/fields.ts';

export interface GslbKind extends DescribedKind {
  /** Settings that are derived from others and not in the graph. */
  readonly hidden?: readonly string[];
  /** Singular with its article, and plural. */
  readonly words: readonly [string, string];
  readonly owner: 'PROJECT' | 'ADMINISTRATOR';
  /** Required settings that the create input may omit, because they can be derived. */
  readonly derived?: readonly string[];
  /** Additional fields of the create input. */
  readonly createFields?: Fields;
  /** Additional fields of the update input. */
  readonly updateFields?: Fields;
  /** SDL of the additional fields of the type. */
  readonly typeFields: string;
}

type Extra = Pick<DescribedField, 'default' | 'fixed' | 'refersTo' | 'shownAs'>;

/** @example setting(integerField('Its weight.', 0, 1000), { default: 1 }) */
export function setting(field: Field, extra: Extra = {}): DescribedField {
  return { ...field, ...extra };
}

const protection = booleanField(
  'Whether deletions are refused with DELETION_PROTECTED, until an update sets it to false.',
);

/** Of kinds that can be protected from deletion (platform/edge/deletion-protection.ts). */
export const protectedKind = {
  createFields: { deletionProtected: { ...protection, default: false } },
  updateFields: { deletionProtected: protection },
  typeFields: `  "Whether deletions are refused with DELETION_PROTECTED."
  deletionProtected: Boolean!
`,
} as const;

/** Any JSON object. */
export function jsonField(description: string): Field {
  return { ...textField(description, 0), type: 'JSON', schema: { type: 'object' } };
}

export const nameSetting = setting({
  ...textField('1 to 63 lower-case letters, digits and inner hyphens.', 63),
  required: true,
  schema: { type: 'string', minLength: 1, maxLength: 63, pattern: lowerCaseName.pattern },
});

export const descriptionSetting = setting(textField('Its purpose, as free text. At most 255 characters.', 255), {
  default: '',
});

/** Names of regions, as vantage points and members have them. */
export function regionField(description: string): Field {
  return {
    ...textField(description, 63, 1),
    schema: { type: 'string', minLength: 1, maxLength: 63, pattern: lowerCaseName.pattern },
  };
}
