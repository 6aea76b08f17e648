// The entity kinds of the page of object storage.
import type { AnyKind, Subjects } from '../../live/entity-kind.ts';
import { clusterKind } from './kinds/cluster.ts';

export const kinds: readonly AnyKind[] = [clusterKind];

export const subjects: Subjects = {
  kinds,
  others: [
    { typename: 'ObjectOption', word: 'storage class', nameField: 'name' },
    { typename: 'ObjectAccessKey', word: 'access key', nameField: 'name' },
    { typename: 'ObjectRing', word: 'ring', ofField: 'option' },
    { typename: 'ObjectRingChange', word: 'ring change' },
  ],
};
