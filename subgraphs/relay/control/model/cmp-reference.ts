// An object of a CMP, as a call or a mapping refers to it.
import type { MappingCmpObjectInput } from '../../../../generated/graph/relay.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { type CmpObjectKey, checkedCmpObject, cmpObjectOf } from '../../../../platform/pages/cmp-object.ts';

export interface CmpReference extends CmpObjectKey {
  /** The backend object's role for the CMP object. Empty if it has none. */
  readonly role: string;
}

export function cmpReferenceOf(input: MappingCmpObjectInput): CmpReference;
export function cmpReferenceOf(input: MappingCmpObjectInput | null | undefined): CmpReference | null;
export function cmpReferenceOf(input: MappingCmpObjectInput | null | undefined): CmpReference | null {
  return input == null ? null : { ...cmpObjectOf(input), role: input.mappingRole ?? '' };
}

const rolePattern = /^[A-Za-z0-9._-]*$/;

export function checkCmpReference(check: InputCheck, input: MappingCmpObjectInput | null | undefined): void {
  if (checkedCmpObject(check, input) === null) return;
  const wants = 'letters, digits, dots, hyphens and underscores';
  check.text('cmpObject.mappingRole', input?.mappingRole, { max: 63, pattern: rolePattern, wants });
}
