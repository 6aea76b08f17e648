// The entity kinds of the page of GSLBs. The name is last: a drawer over it is named before it in the address.
import type { AnyKind, Subjects } from '../../live/entity-kind.ts';
import { memberKind } from './kinds/member.ts';
import { nameKind } from './kinds/name.ts';

export const kinds: readonly AnyKind[] = [memberKind, nameKind];

export const subjects: Subjects = {
  kinds,
  others: [
    { typename: 'GslbVantagePoint', word: 'vantage point', nameField: 'name' },
    { typename: 'GslbNameServer', word: 'name server' },
  ],
};
